"""Parameters: from the bytes of a query or a form to values that can be trusted to be well-formed.

Decoding happens once and strictly (S024, S025): UTF-8 only, no control characters, a parameter without a
value counts as absent, a repeated one is refused (RFC 6749 §3.1, §3.2), an unknown one is ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlencode

from watersmeet.oauth2.errors import MalformedParameters, MissingParameter, RepeatedParameter

MAX_PARAMETERS = 64
MAX_VALUE_LENGTH = 8192  # characters; a ``state`` of 2 KB and more must round-trip (S029)

# C0 and C1 controls, DEL, BOM. Surrogates never get past the UTF-8 decoder.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ufeff]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request, in the order they came."""

    pairs: tuple[tuple[str, str], ...]
    _values: dict[str, str] = field(init=False, repr=False, compare=False)
    """By name; of a repeated one the last."""
    _repeated: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The names that came more than once, in the order they came."""

    def __post_init__(self) -> None:
        values = dict(self.pairs)
        repeated: tuple[str, ...] = ()
        if len(values) < len(self.pairs):
            repeated = tuple(name for name, count in Counter(name for name, _ in self.pairs).items() if count > 1)
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_repeated", repeated)

    @classmethod
    def parse(cls, *encoded: bytes) -> Parameters:
        """The parameters of a query string, or of a query string and a form body together.

        Raises ``MalformedParameters``.
        """
        pairs = [pair for part in encoded for pair in _decode(part)]
        if len(pairs) > MAX_PARAMETERS:
            raise MalformedParameters(f"At most {MAX_PARAMETERS} parameters are accepted.")
        return cls(tuple(pairs))

    def get(self, name: str) -> str | None:
        """The value of a parameter, ``None`` when it is absent or empty. Raises ``RepeatedParameter``."""
        if name in self._repeated:
            raise RepeatedParameter(name)
        return self._values.get(name) or None

    def require(self, name: str) -> str:
        """The value of a parameter. Raises ``MissingParameter`` or ``RepeatedParameter``."""
        value = self.get(name)
        if value is None:
            raise MissingParameter(name)
        return value

    def refuse_repeated(self) -> None:
        """Raises ``RepeatedParameter`` if any parameter, known or not, was sent twice."""
        for name in self._repeated:
            # Only names this server knows are repeated to the client (S027).
            raise RepeatedParameter(name if name in _KNOWN else "(unknown)")

    def __contains__(self, name: object) -> bool:
        return any(key == name and value for key, value in self.pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def encode(self) -> str:
        """The same parameters as a query string."""
        return urlencode(self.pairs)


_KNOWN = frozenset(
    [
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "grant_type",
        "code",
        "code_verifier",
        "refresh_token",
        "token",
        "token_type_hint",
        "resource",
    ]
)


def _decode(encoded: bytes) -> list[tuple[str, str]]:
    try:
        text = encoded.decode("ascii")
        if _BAD_ESCAPE.search(text):
            raise MalformedParameters
        fields = [field for field in text.split("&") if field]
        if len(fields) > MAX_PARAMETERS:
            raise MalformedParameters(f"At most {MAX_PARAMETERS} parameters are accepted.")
        split = [field.partition("=") for field in fields]
        pairs = [(_unquote(name), _unquote(value)) for name, _, value in split]
    except ValueError as error:  # not ASCII, or not UTF-8 once decoded
        raise MalformedParameters(detail=str(error)) from error
    # Decoding makes nothing longer, so short texts have no long values.
    if len(text) > MAX_VALUE_LENGTH and any(len(each) > MAX_VALUE_LENGTH for pair in pairs for each in pair):
        raise MalformedParameters(f"A parameter is longer than {MAX_VALUE_LENGTH} characters.")
    if _FORBIDDEN.search("".join([each for pair in pairs for each in pair])):
        raise MalformedParameters("The parameters contain control characters.")
    return pairs


def _unquote(text: str) -> str:
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
