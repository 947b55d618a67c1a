"""A password as it is typed on a page: counted before it is looked at, verified, and written down when it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from watersmeet.database import users
from watersmeet.database.audit import Event
from watersmeet.database.users import User
from watersmeet.users import password
from watersmeet.users.device import known_device
from watersmeet.web.cookies import Cookie
from watersmeet.web.environment import Environment
from watersmeet.web.origin import origin_of
from watersmeet.web.throttle import Reservation


@dataclass(frozen=True, slots=True)
class Verified:
    """The user whose password was typed, and the attempt that was counted for it: to be taken back."""

    user: User
    reservation: Reservation


def device_cookie(environment: Environment) -> Cookie:
    """The cookie of a browser in which somebody has signed in before."""
    return Cookie.named("device", environment.settings)


async def verify_typed(
    environment: Environment, request: Request, username: str, typed: str, *, failure: Event, actor: str | None = None
) -> Verified | None:
    """The enabled user of that name, if the password fits: the only way to guess one. Raises ``Throttled``.

    A wrong one leaves the event ``failure``; ``actor`` is who typed it, where that is known.
    """
    origin = origin_of(request, actor)
    user = await environment.database.read(lambda tx: users.find_by_name(tx, username))
    device = known_device(device_cookie(environment).read(request), user, environment.keys)
    reservation = await environment.throttle.reserve(username, origin, device)
    known = user.password_hash if user and user.enabled else None
    if await password.in_a_thread(partial(password.verify, known, typed)) and user:
        return Verified(user, reservation)
    await environment.throttle.password_failed(user.id if user else None, origin, failure)
    return None


async def prove_again(environment: Environment, request: Request, user: User, typed: str) -> User | None:
    """Somebody who is signed in, as their typed password proves them: before what is far-reaching (S068).

    Counted like signing in, or a stolen session would be a place to guess at leisure. Raises ``Throttled``.
    """
    name = user.username
    verified = await verify_typed(environment, request, name, typed, failure=Event.PASSWORD_REFUSED, actor=name)
    if verified is None:
        return None
    await environment.database.write(verified.reservation.take_back)
    return verified.user
