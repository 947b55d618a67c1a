"""The token endpoint: S101 to S108."""

from __future__ import annotations

import threading

from tests.security.harness.client import Client, Server, answer_of, basic, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.wire import get_request, post_form, race

GRANTS_NEVER_SERVED = ("password", "implicit", "token", "urn:ietf:params:oauth:grant-type:jwt-bearer",
                       "urn:ietf:params:oauth:grant-type:saml2-bearer", "Authorization_Code", "refresh")  # fmt: skip


@both_profiles
def test_s101_grants_that_never_work(client: Client) -> None:
    more = {"username": client.user.username, "password": client.user.password, "scope": "READ", "assertion": "a.b.c"}
    for grant in GRANTS_NEVER_SERVED:
        assert is_refused(client.post({**client.credentials, "grant_type": grant, **more}), "unsupported_grant_type"), (
            grant
        )
    assert is_refused(client.post({**client.credentials, **more}), "invalid_request")
    assert is_refused(client.post({**client.credentials, "grant_type": "", **more}), "invalid_request")


def test_s102_a_client_uses_the_grants_it_has(client: Client) -> None:
    answer = client.post({**client.credentials, "grant_type": "client_credentials", "scope": "READ"})
    assert is_refused(answer, "unauthorized_client", "unsupported_grant_type")


@both_profiles
def test_s103_nothing_is_consumed_before_the_client_is_known(client: Client) -> None:
    code = client.code()
    fields = client.exchange_fields(code)
    rest = {name: value for name, value in fields.items() if not name.startswith("client_")}
    tried = client.http.post(client.server.target.token, data=rest, headers={"Authorization": basic(client.id, "no")})
    assert is_refused(tried, "invalid_client")
    tokens = client.exchange(code)
    assert tokens.status_code == 200, "the same code, in the body"
    again = tokens.json()["refresh_token"]
    assert is_refused(client.refresh(again, client_secret="wrong"), "invalid_client")
    assert client.refresh(again).status_code == 200


def test_s104_what_was_answered_survives_a_kill(server: Server, client: Client) -> None:
    """Refreshing in parallel while the processes are killed: the ledger of answers holds after the restart."""
    ledger = [[client.tokens()] for _ in range(8)]
    stop = threading.Event()

    def keep_refreshing(chain: list[dict[str, str]]) -> None:
        http = server.http()
        while not stop.is_set():
            try:
                answer = http.post(server.target.token, data=client.refresh_fields(chain[-1]["refresh_token"]))
            except Exception:
                return
            if answer.status_code != 200:
                return
            chain.append(answer.json())

    threads = [threading.Thread(target=keep_refreshing, args=(chain,)) for chain in ledger]
    for thread in threads:
        thread.start()
    while any(len(chain) < 4 for chain in ledger) and any(thread.is_alive() for thread in threads):
        threads[0].join(0.01)
    server.hooks.restart(kill=True)
    stop.set()
    for thread in threads:
        thread.join()
    assert all(len(chain) >= 4 for chain in ledger)
    for chain in ledger:
        server.secrets |= {pair[name] for pair in chain for name in ("access_token", "refresh_token")}
        # Answered, so there; or its successor was committed and the answer lost, and then it was spent.
        assert is_refused(client.refresh(chain[-2]["refresh_token"]), "invalid_grant"), "spent stays spent"
    fresh = client.tokens()
    server.hooks.restart(kill=True)
    assert server.works(fresh["access_token"])
    assert client.refresh(fresh["refresh_token"]).status_code == 200


def test_s105_a_busy_store_is_503(server: Server, client: Client) -> None:
    code, tokens = client.code(), client.tokens()
    browser = server.signed_in(client.user)
    question = browser.question(client.ask(browser=browser))
    assert question
    url = question.pop("")
    cookie = browser.cookies_for(url)
    at_once = {
        "exchange": client.raw(client.exchange_fields(code)),
        "refresh": client.raw(client.refresh_fields(tokens["refresh_token"])),
        "approval": post_form(url, {**question, "decision": "allow"}, cookie),
        "request": get_request(client.url(), cookie),
    }
    with server.hooks.hold_store():
        answers = dict(zip(at_once, race(server.target.nodes, list(at_once.values())), strict=True))
    for what, answer in answers.items():
        assert answer.status_code == 503, (what, answer.text)
        assert int(answer.headers["retry-after"]) > 0, what
    assert answers["exchange"].headers["content-type"].startswith("application/json")
    assert answers["refresh"].json()["error"] == "temporarily_unavailable"
    assert client.exchange(code).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert "code" in answer_of(browser.answer({"": url, **question}).headers["location"]), "the question is still open"


@both_profiles
def test_s106_the_answer_names_its_scope(client: Client) -> None:
    assert client.tokens(scope="READ")["scope"] == "READ"
    wide = client.tokens(scope="WRITE")
    assert wide["scope"] == "WRITE"
    assert client.refresh(wide["refresh_token"], scope="READ").json()["scope"] == "READ"


def test_s107_browsers_of_public_clients_may_read_the_answer(server: Server) -> None:
    origin = "https://spa.example"
    public = server.new_client(public=True, redirect_uris=[f"{origin}/cb"])
    code = public.code()
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = server.http().options(server.target.token, headers=preflight)
    assert answer.headers.get("access-control-allow-origin") == origin
    answer = public.post(public.exchange_fields(code), headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-origin") == origin
    for stranger in (
        "https://evil.test",
        "null",
        "http://spa.example",
        f"{origin}.evil.test",
        "https://app.example:444",
    ):
        answer = server.http().options(server.target.token, headers={**preflight, "Origin": stranger})
        assert "access-control-allow-origin" not in answer.headers, stranger


def test_s108_bearer_is_no_client_authentication(client: Client) -> None:
    tokens, code = client.tokens(), client.code()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    without = {name: value for name, value in client.exchange_fields(code).items() if name != "client_secret"}
    assert is_refused(client.post(without, headers=bearer), "invalid_client", "invalid_request")
    mixed = client.post(client.exchange_fields(code), headers=bearer)
    assert mixed.status_code in (200, 400)
    for scheme in ("Digest username=x", "Negotiate x", "Basic, Bearer"):
        answer = client.post(without, headers={"Authorization": scheme})
        assert answer.status_code in (400, 401), scheme
