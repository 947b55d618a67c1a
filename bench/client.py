"""The client: what it sends to a token endpoint, the same to every subject."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from bench.load import post
from watersmeet.oauth2.pkce import s256

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = s256(VERIFIER)
REDIRECT_URI = "https://client.example/callback"


class Answer(msgspec.Struct):
    """What every subject answers to a token request, as far as it matters here."""

    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Client:
    """How a subject's client presents itself, and where."""

    token_path: str
    client_id: str
    client_secret: str

    def exchange(self, code: str) -> bytes:
        """The request that exchanges a code."""
        return self._ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=VERIFIER)

    def refresh(self, answer: bytes) -> bytes:
        """The request that refreshes what an answer brought."""
        token = msgspec.json.decode(answer, type=Answer).refresh_token
        return self._ask(grant_type="refresh_token", refresh_token=token)

    def _ask(self, **fields: str) -> bytes:
        form = {"client_id": self.client_id, "client_secret": self.client_secret, **fields}
        return post(self.token_path, urlencode(form).encode())
