"""Errors: the root of the one exception tree.

Every leaf has a *public* text, which may be shown to anyone, and a *private* detail, which is only logged.
"""

from __future__ import annotations

from typing import Any


class WatersmeetError(Exception):
    """Anything Watersmeet refuses or cannot do.

    ``description`` is the public sentence; subclasses set a default as a class attribute. A sentence with
    ``{name}`` in it takes that from ``values``, so that pages can say it in another language (``message`` is the
    sentence before they are filled in).
    ``detail`` is private: it may name identifiers, never credentials, and goes to the log only.
    ``status`` is the HTTP status of a page or resource that answers with it.
    """

    description: str = "The request could not be carried out."
    status: int = 400

    def __init__(self, description: str | None = None, *, detail: str = "", **values: Any) -> None:
        self.message = self.description if description is None else description
        self.values = values
        if description is not None:
            self.description = description.format(**values) if values else description
        self.detail = detail
        super().__init__(self.description)


class SettingsError(WatersmeetError):
    """A setting is missing, unknown or dangerous. The description says which one and what to change."""


class Throttled(WatersmeetError):
    """Too many failed attempts came from there; nothing was looked at (S064, S096)."""

    status = 429

    def __init__(self, wait: int) -> None:
        """``wait`` is in milliseconds."""
        self.retry_after_seconds = max(1, -(-wait // 1000))
        minutes = -(-wait // 60_000)
        if minutes > 1:
            super().__init__("Too many failed attempts. Try again in {minutes} minutes.", minutes=minutes)
        else:
            super().__init__("Too many failed attempts. Try again in a minute.")


class ServiceUnavailable(WatersmeetError):
    """The database cannot take the work now; nothing was consumed and the caller may try again."""

    description = "The service is busy. Nothing was changed; try again shortly."
    status = 503
    retry_after_seconds: int = 1


class StorageFailed(WatersmeetError):
    """The database failed, and not because it is busy: a table is missing, a file is damaged, a statement is wrong.

    Nothing was changed (S132). It is no ``ServiceUnavailable``, so that nobody takes it for something that passes by
    itself; whoever answers with it writes the traceback into the log.
    """

    description = "The database does not work as it should. Nothing was changed; whoever runs this server must look."
    status = 503
    retry_after_seconds: int = 30


class TookTooLong(WatersmeetError):
    """A read was ended because it took longer than it may: asked again, it would take as long."""

    description = "This took too long, and was ended. Narrow the search: by a space, a type, or more words."


class OutcomeUnknown(ServiceUnavailable):
    """The database was lost between being told to commit and saying that it had: either may be true."""

    description = "The database was lost before it answered. What was asked may have been done, or not."
