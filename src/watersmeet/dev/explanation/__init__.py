"""Explanations: for each cause of a refusal a sentence that names what came, what was wanted, and what is known.

Owns the words. What a client is told says less, on purpose: here a developer looks at their own server.
"""

from __future__ import annotations

from watersmeet.dev.case import Case, Explainers, verbatim
from watersmeet.dev.explanation import client, content, grant, page, request
from watersmeet.errors import WatersmeetError
from watersmeet.web.language import Sentence

_EXPLAINERS: Explainers = {
    **request.EXPLAINERS,
    **client.EXPLAINERS,
    **grant.EXPLAINERS,
    **page.EXPLAINERS,
    **content.EXPLAINERS,
}


def explain(case: Case, cause: Exception) -> Sentence:
    """Why a request was refused: what is known of it, or else what the client was told and the log says."""
    for kind in type(cause).__mro__:
        if (explainer := _EXPLAINERS.get(kind)) and (found := explainer(case, cause)):
            return found
    if isinstance(cause, WatersmeetError):
        return _as_told(cause)
    return verbatim(f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__)


def _as_told(cause: WatersmeetError) -> Sentence:
    said = Sentence(cause.message.rstrip("."), **cause.values)
    return Sentence("{said} ({detail})", said=said, detail=cause.detail) if cause.detail else said
