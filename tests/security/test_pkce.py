"""Proof Key for Code Exchange: S080 to S088."""

from __future__ import annotations

import secrets

from tests.security.harness.client import Client, Code, Server, is_refused, s256
from tests.security.harness.target import both_profiles
from tests.security.harness.verdict import Row

VERIFIER = "suite-verifier." * 3


def code_for(client: Client, challenge: str, method: str | None, verifier: str) -> Code:
    """A code for a challenge, to be exchanged with a verifier."""
    code = client.code(pkce=False, code_challenge=challenge, code_challenge_method=method)
    return Code(code.value, code.redirect_uri, verifier, code.location)


def test_s080_public_clients_use_pkce(server: Server) -> None:
    public = server.client("public")
    assert public.outcome(pkce=False)["error"] == "invalid_request"
    assert public.tokens()["access_token"]


@both_profiles
def test_s081_confidential_clients_use_pkce(client: Client, row: Row) -> None:
    told = client.outcome(pkce=False)
    if client.is_strict:
        assert told.get("error") == "invalid_request"
    else:
        assert "code" in told
        row.legacy_accepted("PKCE is optional; used once, it can be required from then on")


def test_s082_s256(server: Server, client: Client) -> None:
    assert server.metadata()["code_challenge_methods_supported"] == ["S256"]
    assert client.exchange(client.code()).status_code == 200


@both_profiles
def test_s083_no_plain(client: Client, row: Row) -> None:
    # An empty method counts as none (S020), and none means plain (RFC 7636 §4.3).
    for method in ("plain", "Plain", "PLAIN", "", None):
        if client.is_strict:
            told = client.outcome(pkce=False, code_challenge=VERIFIER, code_challenge_method=method)
            assert told.get("error") == "invalid_request", method
            assert "code" not in told, method
            continue
        code = code_for(client, VERIFIER, method, s256(VERIFIER))
        assert is_refused(client.exchange(code), "invalid_grant"), method
        assert client.exchange(code, code_verifier=VERIFIER).status_code == 200, method
        row.legacy_accepted("plain in any letter case, or no method: it is compared as plain")
    for method in ("plain ", "plaintext", "pla\u0131n"):
        told = client.outcome(pkce=False, code_challenge=VERIFIER, code_challenge_method=method)
        assert told.get("error") == "invalid_request", method


@both_profiles
def test_s084_no_other_method(client: Client, row: Row) -> None:
    challenge = s256(VERIFIER)
    for method in ("S512", "none", "S256 ", "HS256", "sha512", "x"):
        told = client.outcome(pkce=False, code_challenge=challenge, code_challenge_method=method)
        assert told.get("error") == "invalid_request", method
    for method in ("s256", "sha256", "SHA256"):
        told = client.outcome(pkce=False, code_challenge=challenge, code_challenge_method=method)
        if client.is_strict:
            assert told.get("error") == "invalid_request", method
        else:
            assert "code" in told, method
            row.legacy_accepted("S256 in any letter case, and the guide's sha256")
    told = client.outcome(pkce=False, code_challenge_method="S256")
    assert told.get("error") == "invalid_request", "a method without a challenge"


@both_profiles
def test_s085_the_verifier_must_fit(client: Client) -> None:
    code = client.code()
    assert code.verifier
    wrong = (
        None, "", "w" * 64, code.verifier[:-1], code.verifier + "a", code.verifier.upper(), code.verifier + " ",
        code.verifier + "=", " " + code.verifier, code.verifier[:43], s256(code.verifier),
    )  # fmt: skip
    for verifier in wrong:
        assert is_refused(client.exchange(code, code_verifier=verifier), "invalid_grant"), verifier
    assert is_refused(client.exchange(code, code_verifier=code.verifier + "\0"), "invalid_grant", "invalid_request")
    assert client.exchange(code).status_code == 200


@both_profiles
def test_s086_a_stripped_challenge_is_noticed(client: Client) -> None:
    if "error" in client.outcome(pkce=False):
        return  # stopped before there is a code: S081
    code = client.code(pkce=False)
    assert is_refused(client.exchange(code, code_verifier=VERIFIER), "invalid_grant", "invalid_request")


@both_profiles
def test_s087_the_method_cannot_be_switched(client: Client) -> None:
    challenge = s256(VERIFIER)
    code = code_for(client, challenge, "S256", challenge)
    assert is_refused(client.exchange(code), "invalid_grant"), "the challenge as verifier"
    for extra in ({"code_challenge_method": "plain"}, {"code_challenge": challenge, "code_challenge_method": "plain"}):
        assert is_refused(client.exchange(code, **extra), "invalid_grant", "invalid_request")
    assert client.exchange(code, code_verifier=VERIFIER).status_code == 200
    if not client.is_strict:
        plain = code_for(client, VERIFIER, "plain", s256(VERIFIER))
        assert is_refused(client.exchange(plain), "invalid_grant")


@both_profiles
def test_s088_verifiers_and_challenges_have_their_form(client: Client) -> None:
    for length, fits in ((3, False), (42, False), (43, True), (127, True), (128, True), (129, False)):
        verifier = secrets.token_hex(65)[:length]
        answer = client.exchange(code_for(client, s256(verifier), "S256", verifier))
        assert (answer.status_code == 200) is fits, length
        assert fits or is_refused(answer, "invalid_grant", "invalid_request"), length
    for letter in "+/= é!":
        verifier = "v" * 43 + letter
        answer = client.exchange(code_for(client, s256(verifier), "S256", verifier))
        assert is_refused(answer, "invalid_grant", "invalid_request"), letter
    good = s256(VERIFIER)
    for challenge in (good[:-1], good + "A", good + "=", good[:-1] + "+", good[:-1] + "/", good[:-1] + "é", "A" * 128):
        told = client.outcome(pkce=False, code_challenge=challenge, code_challenge_method="S256")
        assert told.get("error") == "invalid_request", challenge
