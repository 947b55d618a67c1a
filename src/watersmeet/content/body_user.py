"""Request bodies of profiles and passwords, one's own and others', and of groups."""

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


class NewUser(Struct):
    """``POST /rest/api/admin/user``. Nobody is sent mail here, whatever ``notifyViaEmail`` says."""

    userName: str = ""  # noqa: N815
    fullName: str = ""  # noqa: N815
    email: str = ""
    password: str = ""
    notifyViaEmail: bool | None = None  # noqa: N815


class UserDetails(Struct):
    """``PUT /rest/api/admin/user/{username}``; what is not sent stays."""

    fullName: str | None = None  # noqa: N815
    email: str | None = None


class GivenPassword(Struct):
    """``POST /rest/api/admin/user/{username}/password``."""

    password: str = ""


class NewGroup(Struct):
    """``POST /rest/api/admin/group``."""

    name: str = ""
    type: str = "group"
