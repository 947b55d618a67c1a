"""A whole run with canaries for credentials, in a real process: none of them is left anywhere (S016, S093, S116)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
from lxml import html

from tests.cli.test_commands import GOOD_SECRET, free_port
from tests.support.flow import follow, submit
from watersmeet.oauth2.pkce import s256

PATIENCE = 60.0
CALLBACK = "https://app.example/cb"
AUTHORIZE, TOKEN, REVOKE = (f"/rest/oauth2/latest/{name}" for name in ("authorize", "token", "revoke"))

PASSWORD = "canary-password-of-carol"
WRONG_PASSWORD = "canary-password-mistyped"
PASSWORD_AS_NAME = "canary-password-in-the-name-field"
VERIFIER = "canary-verifier-" + "0123456789abcdef" * 3
WRONG_SECRET = "canary-client-secret-guessed"
WRONG_CODE = "canary-code-guessed"
WRONG_TOKEN = "canary-token-guessed"
PERSONAL = "/rest/pat/latest/tokens"


class Run:
    """A production server with its files, and everything that was said to it or by it in confidence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base_url = f"http://127.0.0.1:{free_port()}"
        self.secrets: dict[str, str] = {}
        self.pages: list[str] = []
        self._environment = {
            **os.environ,
            "WATERSMEET_SECRET": GOOD_SECRET,
            "WATERSMEET_DATABASE_URL": f"sqlite:///{folder / 'watersmeet.db'}",
            "WATERSMEET_BASE_URL": self.base_url,
            "WATERSMEET_LOG_FORMAT": "json",
        }

    def command(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "watersmeet", *words],
            check=True, capture_output=True, text=True, input=stdin, cwd=self.folder, env=self._environment,
        )  # fmt: skip
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[None]:
        port = str(urlsplit(self.base_url).port)
        with (self.folder / "log").open("wb") as log, (self.folder / "out").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "watersmeet", "serve", "--port", port],
                stdout=out, stderr=log, cwd=self.folder, env=self._environment,
            )  # fmt: skip
            try:
                self._wait_until_ready()
                yield
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while b"ready" not in (self.folder / "out").read_bytes():
            assert time.monotonic() < give_up, (self.folder / "log").read_text()
            time.sleep(0.05)

    def keep(self, answer: httpx.Response) -> httpx.Response:
        """Remember an error page, to look for canaries in it."""
        assert answer.status_code >= 400, answer.status_code
        self.pages.append(answer.text)
        return answer


def go_through_everything(run: Run, browser: httpx.Client, client_id: str, client_secret: str) -> None:
    credentials = {"client_id": client_id, "client_secret": client_secret}
    code = authorized(run, browser, client_id)
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    run.secrets["code"] = code

    for wrong in (
        {**credentials, **grant, "code_verifier": VERIFIER[::-1]},
        {**credentials, **grant, "client_secret": WRONG_SECRET, "code_verifier": VERIFIER},
        {**credentials, **grant, "code": WRONG_CODE, "code_verifier": VERIFIER},
        {**credentials, **grant, "grant_type": "password", "password": PASSWORD},
        {**credentials, **grant, "code_verifier": VERIFIER, "client_secret ": "x\x00" + WRONG_SECRET},
    ):
        run.keep(browser.post(TOKEN, data=wrong))
        run.keep(browser.post(f"{TOKEN}?{urlencode(wrong)}"))
    run.keep(browser.post(TOKEN, auth=(client_id, WRONG_SECRET), data=grant))
    run.keep(browser.post(TOKEN, json={**credentials, **grant}))
    run.keep(browser.put(f"{TOKEN}?{urlencode(credentials)}"))

    first = browser.post(TOKEN, data={**credentials, **grant, "code_verifier": VERIFIER}).json()
    refresh = {"grant_type": "refresh_token", **credentials}
    second = browser.post(TOKEN, data={**refresh, "refresh_token": first["refresh_token"]}).json()
    for number, pair in enumerate((first, second)):
        run.secrets |= {f"{kind} token {number}": pair[f"{kind}_token"] for kind in ("access", "refresh")}
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert browser.get("/rest/api/user/current", headers=bearer).status_code == 200
    run.keep(browser.get("/rest/api/content/1", headers=bearer))
    run.keep(browser.get("/rest/api/content/1", headers={"Authorization": f"Bearer {WRONG_TOKEN}"}))
    run.keep(browser.get(f"/rest/api/content?access_token={second['access_token']}"))
    run.keep(browser.get(f"/nothing/?token={second['access_token']}&password={PASSWORD}"))
    made = browser.post(PERSONAL, auth=("carol", PASSWORD), json={"name": "A script"}).json()["rawToken"]
    run.secrets |= {"personal access token": made, "its random part": made.removeprefix("wmpat_")}
    assert browser.get("/rest/api/user/current", headers={"Authorization": f"Bearer {made}"}).status_code == 200
    run.keep(browser.get("/rest/api/content/1", headers={"Authorization": f"Bearer {made}"}))
    run.keep(browser.get("/rest/api/user/current", headers={"Authorization": f"Bearer {made[:-1]}"}))
    run.keep(browser.post(PERSONAL, auth=("carol", WRONG_PASSWORD), json={"name": PASSWORD_AS_NAME}))
    run.keep(browser.post(REVOKE, data={"client_id": client_id, "token": made}))
    run.keep(browser.post(TOKEN, data={**refresh, "refresh_token": first["refresh_token"]}))
    run.keep(browser.post(TOKEN, data={**refresh, "refresh_token": WRONG_TOKEN}))
    assert browser.post(REVOKE, data={**credentials, "token": second["refresh_token"]}).status_code == 200


def authorized(run: Run, browser: httpx.Client, client_id: str) -> str:
    """A code, after wrong passwords of both kinds."""
    query = {
        "client_id": client_id, "redirect_uri": CALLBACK, "response_type": "code", "scope": "READ", "state": "s",
        "code_challenge": s256(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    run.keep(browser.get(f"{AUTHORIZE}?{urlencode({**query, 'redirect_uri': CALLBACK + '?' + WRONG_CODE})}"))
    page = follow(browser, browser.get(f"{AUTHORIZE}?{urlencode(query)}"), CALLBACK)
    page = run.keep(submit(browser, page, {"username": "carol", "password": WRONG_PASSWORD}))
    submit(browser, page, {"username": PASSWORD_AS_NAME, "password": "x"})
    page = follow(browser, submit(browser, page, {"username": "carol", "password": PASSWORD}), CALLBACK)
    run.secrets |= {f"cookie {cookie.name}": str(cookie.value) for cookie in browser.cookies.jar}
    fields = dict(html.fromstring(page.content).xpath("//main//form[@data-flow]")[0].form_values())
    run.secrets["form token"] = str(fields["form_token"])
    action = html.fromstring(page.content).xpath("//main//form[@data-flow]")[0].get("action")
    answer = browser.post(urljoin(str(page.url), action), data={**fields, "decision": "allow"})
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_s016_no_credential_is_left_in_log_pages_audit_exports_or_database(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.command("user", "add", "carol", "--password-stdin", stdin=PASSWORD + "\n")
    shown = run.command("link", "add", "App", "--redirect-uri", CALLBACK, "--scope", "READ").split()
    client_id, client_secret = shown[2], shown[5]
    run.secrets |= {"the secret": GOOD_SECRET, "client secret": client_secret}
    with run.serving(), httpx.Client(base_url=run.base_url, timeout=PATIENCE) as browser:
        go_through_everything(run, browser, client_id, client_secret)
    run.command("keys", "rotate")
    run.secrets |= {name: value for name, value in globals().items() if str(value).startswith("canary-")}
    assert len(run.secrets) > 15

    log = (tmp_path / "log").read_text()
    assert log.count('"event":"request"') + log.count('"event": "request"') > 20
    audit = run.command("audit", "--json") + run.command("audit", "--csv")
    assert audit.count("grant.refused") > 4
    database = b"".join(path.read_bytes() for path in tmp_path.glob("watersmeet.db*"))
    for name, secret in run.secrets.items():
        assert secret not in log, name
        assert secret not in audit, name
        assert secret.encode() not in database, name
        # The page of a failed sign-in shows what was typed as the name, to the one who typed it.
        assert not any(secret in page for page in run.pages), name
