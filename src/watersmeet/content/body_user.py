"""Request bodies of one's own profile and password, and of groups."""

from __future__ import annotations

from msgspec import Struct


class Profile(Struct):
    """``PUT /rest/api/user/current``; what is not sent stays."""

    fullName: str | None = None  # noqa: N815 - the name on the wire
    email: str | None = None
    currentPassword: str | None = None  # noqa: N815


class NewPassword(Struct):
    """``POST /rest/api/user/current/password``."""

    oldPassword: str = ""  # noqa: N815
    newPassword: str = ""  # noqa: N815


class NewGroup(Struct):
    """``POST /rest/api/admin/group``."""

    name: str = ""
    type: str = "group"
