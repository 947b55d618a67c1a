"""The thumbnails that were drawn, as rows: what became of which file. Their bytes lie with those of files.

There is at most one for each file that is kept, whoever asks and however often.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, exists, insert, select

from watersmeet.database.schema import attachment_files, thumbnails
from watersmeet.database.transaction import Transaction

_FIND = select(thumbnails.c.digest, thumbnails.c.size, thumbnails.c.media_type).where(
    thumbnails.c.source == bindparam("source")
)
_FORGET = delete(thumbnails).where(thumbnails.c.source == bindparam("gone"))
_FORGET_SOURCELESS = delete(thumbnails).where(
    ~exists(select(attachment_files.c.digest).where(attachment_files.c.digest == thumbnails.c.source))
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of drawing a file: the digest of the thumbnail, its size in bytes and its media type.

    Without a digest nothing did: the file has no thumbnail.
    """

    digest: str | None
    size: int = 0
    media_type: str = ""


def find_drawn(tx: Transaction, source: str) -> Drawn | None:
    """What came of drawing the file with that digest, if it was drawn."""
    row = tx.execute(_FIND, {"source": source}).first()
    return Drawn(*row) if row else None


def keep_drawn(tx: Transaction, source: str, drawn: Drawn) -> None:
    """Remember what came of it. Its bytes are kept already."""
    tx.execute(_FORGET, {"gone": source})
    values = {"digest": drawn.digest, "size": drawn.size, "media_type": drawn.media_type}
    tx.execute(insert(thumbnails), {"source": source, **values})


def forget_sourceless(tx: Transaction) -> None:
    """Forget those of files that no attachment holds any more."""
    tx.execute(_FORGET_SOURCELESS)


def named_of(tx: Transaction, digests: Collection[str]) -> set[str]:
    """Those of the digests that a row names."""
    found = select(thumbnails.c.digest).where(thumbnails.c.digest.in_(digests)).distinct()
    return {digest for digest in tx.execute(found).scalars() if digest is not None}
