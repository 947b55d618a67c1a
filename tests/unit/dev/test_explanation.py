"""What is said of refusals that `dev` has no lever for, and of sentences in other languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from watersmeet.confluence.scopes import Scope
from watersmeet.database.transaction import Transaction
from watersmeet.dev.case import Case, Seen
from watersmeet.dev.explanation import explain
from watersmeet.oauth2 import errors
from watersmeet.oauth2.client import AuthenticationMethod, Client
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.web.language import Sentence, told

SEEN = Seen(
    method="GET", path="/x", base_path="", is_below_base=True, host="h", origin="", query=b"", content_type="",
    authorization="", session=None, form=b"", status=400, cause=None, allow="", struck=(), rule=None, needed=None,
)  # fmt: skip
CLIENT = Client(
    id=1,
    client_id="c",
    name="Mine",
    confidential=True,
    scope=Scope.READ.as_set,
    redirect_uris=(RedirectUri("https://a.example/"),),
    secrets=(),
    created_at=0,
    created_by="admin",
    profile=Profile.ATLASSIAN_DC,
)
NO_DATABASE = cast("Transaction", None)


def case(client: Client | None = CLIENT, seen: Seen = SEEN, **values: str) -> Case:
    keys = Keys.derive("the secret of these tests, thirty-two characters and more")
    return Case(NO_DATABASE, keys, 0, seen, list(values.items()), values, "c", client, None, "alice")


@pytest.mark.parametrize(
    ("found", "cause", "words"),
    [
        (
            case(replace(CLIENT, refuses=frozenset({Legacy.NEITHER_STATE_NOR_PKCE}))),
            errors.NeitherStateNorChallenge(),
            "neither state nor code_challenge came; this was switched off for Mine",
        ),
        (case(), errors.CodeChallengeRequired(), "code_challenge is missing; this server accepts that of nobody"),
        (case(None), errors.CodeChallengeRequired(), "code_challenge is missing; this server does not accept that"),
        (
            case(redirect_uri="http://a.example/"),
            errors.PlainHttpRedirectUri(),
            "redirect_uri is http://a.example/, plain http to another computer, while "
            "atlassian.oauth2.provider.skip.redirect.url.https.requirement is false",
        ),
        (
            case(replace(CLIENT, authentication=AuthenticationMethod.BASIC), client_id="c", client_secret="s"),
            errors.OtherClientAuthentication(detail="client c: client_secret_post"),
            "the secret came by client_secret_post; Mine is registered for client_secret_basic",
        ),
        (
            case(seen=replace(SEEN, authorization="Basic Yzpz"), client_id="c", client_secret="s"),
            errors.TwoClientAuthentications(),
            "the secret came by HTTP Basic and as a parameter, too; this server accepts that of nobody",
        ),
        (
            case(),
            errors.RefreshTokenIdle(),
            "The refresh token was not used for too long; the user must authorize the application again",
        ),
        # What the server says beyond the class stays what it said.
        (case(), errors.TokenInvalid("This server accepts none."), "This server accepts none"),
        (case(), errors.InvalidRequest(detail="so it is"), "The request is malformed (so it is)"),
        (case(), ValueError("what else"), "ValueError: what else"),
        (case(), ValueError(), "ValueError"),
    ],
)  # fmt: skip
def test_what_is_said(found: Case, cause: Exception, words: str) -> None:
    assert str(explain(found, cause)) == words


def test_a_sentence_is_told_in_the_reader_s_language_with_all_that_is_in_it() -> None:
    sentence: Any = explain(case(redirect_uri="x{y}"), errors.UnregisteredRedirectUri())
    assert told(sentence, "de").startswith("redirect_uri ist x{y}; eingetragen für Mine ist https://a.example/")
    assert "der Pfad" in told(sentence, "de")
    assert str(Sentence("{a}", a=[Sentence("b"), "c"])) == "b, c"
