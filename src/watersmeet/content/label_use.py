"""Which labels are used, as far as the caller sees what carries them: in a space or anywhere."""

from __future__ import annotations

from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.metadata import Label, LabelPrefix
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import space
from watersmeet.content.label import Word
from watersmeet.database import labels
from watersmeet.database.labels import LabelFilter, LabelOrder
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def list_used(
    tx: Transaction,
    caller: User,
    window: Window,
    order: LabelOrder,
    *,
    key: str | None = None,
    name: str | None = None,
    prefix: str | None = None,
    beside: str | None = None,
) -> Slice[Label]:
    """The labels in use: in one space, of one name or prefix, or beside another label on the same content.

    Raises ``SpaceNotFound``, ``BadParameter``, or ``BadBody`` for what can be no label.
    """
    if prefix is not None and prefix not in list(LabelPrefix):
        raise BadParameter("The parameter namespace must be 'global', 'my' or 'team'.")
    wanted = LabelFilter(
        space_id=space.find(tx, caller, key, NOTHING).id if key else None,
        name=Word.of(name).name if name else None,
        prefix=prefix,
        beside=Word.of(beside).name if beside else None,
    )
    return labels.list_used(tx, wanted, order, window, caller)
