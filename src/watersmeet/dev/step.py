"""Steps: what was sent and what came back, as the playground shows it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from watersmeet.web.language import Sentence


@dataclass(frozen=True, slots=True)
class DecodedToken:
    """A token and what can be read in it without any key."""

    name: str
    header: str
    payload: str

    @classmethod
    def of(cls, name: str, token: str) -> DecodedToken | None:
        """The parts of a JWT; ``None`` for anything else."""
        parts = token.split(".")
        try:
            header, payload = (_decoded(part) for part in parts[:2])
        except (ValueError, binascii.Error):
            return None
        return cls(name, header, payload) if len(parts) == 3 else None


def _decoded(part: str) -> str:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was sent, and what came back."""

    title: Sentence
    note: Sentence
    request: str
    answer: str | None = None
    status: int | None = None
    curl: str | None = None
    why: Sentence | None = None
    record: int | None = None
    tokens: Sequence[DecodedToken] = ()

    @property
    def is_refused(self) -> bool:
        """Whether it did not go as an optimist would hope."""
        return bool(self.why) or (self.status or 0) >= 400
