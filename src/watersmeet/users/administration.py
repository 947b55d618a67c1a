"""Administering users: on whom an administrator may act."""

from __future__ import annotations

from watersmeet.confluence.scopes import Scope
from watersmeet.database import users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.errors import InsufficientScope
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.users.signin import UnknownUser, require_user


class NotOverThem(WatersmeetError):
    """An administrator may not act on that user: somebody more powerful, or themself."""

    status = 403


def claim_subordinate(tx: Transaction, caller: User, power: ScopeSet, username: str) -> User:
    """The user of that name, on whom an administrator acts with a token of the scopes ``power``.

    Nobody is acted on by less than they may do themselves: whoever changes a password can sign in with it. Nobody acts
    on themself, so each act leaves an administrator who may do as much. Both rows are held: of two who disable each
    other, one is too late. Raises ``UnknownUser``, ``NotOverThem`` or ``InsufficientScope``.
    """
    present = users.hold(tx, caller.id)
    if present is None or not present.enabled or not present.is_administrator:
        raise NotOverThem("You are no administrator any more.")
    found = require_user(tx, username)
    if found.id == caller.id:
        raise NotOverThem("This is yourself: see /rest/api/user/current, which asks for your present password.")
    target = users.claim(tx, found.id)
    if target is None or target.username != found.username:  # deleted before it was held
        raise UnknownUser(f"There is no user named {username}.")
    needed = target.role.ceiling
    if not present.role.ceiling.covers(needed):
        raise NotOverThem(f"{target.username} may do more than you: only a system administrator acts on one.")
    if not power.covers(needed):
        raise InsufficientScope(Scope.SYSTEM_ADMIN, str(power))
    return target
