"""The banner of ``watersmeet dev``: who can sign in, and the seed's own commands with real values."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import urlencode

from watersmeet import demo


def banner(base_url: str) -> str:
    """The whole text, ready to print."""
    return "\n".join([*_head(base_url), *_walk(base_url), ""])


def _head(base_url: str) -> list[str]:
    width = max(len(user.username) for user in demo.USERS)
    users = [f"  {user.username:<{width}}  password {user.username:<{width}}  {user.rights}" for user in demo.USERS]
    return [
        "",
        f"  Watersmeet is ready at {base_url}",
        "  Demo data in a throw-away database, for this computer only. Stop it with Ctrl-C.",
        f"  Developer pages: {base_url}/_dev/ (playground, requests and why they were refused, clock, faults, reset)",
        "",
        "Users",
        *users,
        "",
        f"Incoming link: {demo.CLIENT_NAME}",
        f"  client ID      {demo.CLIENT_ID}",
        f"  client secret  {demo.CLIENT_SECRET}",
        *(f"  redirect URL   {uri}" for uri in demo.redirect_uris(base_url)),
        "",
    ]


def _walk(base_url: str) -> list[str]:
    callback = demo.redirect_uris(base_url)[0]
    asked = {
        "client_id": demo.CLIENT_ID,
        "redirect_uri": callback,
        "response_type": "code",
        "state": "a-value-nobody-can-guess",
        "scope": "WRITE",
        "code_challenge": demo.CHALLENGE,
        "code_challenge_method": "S256",
    }
    client = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET}
    exchange = urlencode(
        {**client, "grant_type": "authorization_code", "redirect_uri": callback, "code_verifier": demo.VERIFIER}
    )
    refresh = urlencode({**client, "grant_type": "refresh_token", "redirect_uri": callback})
    token = f"{base_url}/rest/oauth2/latest/token"
    return [
        "Walk through the authorization code flow with PKCE",
        "  1. Open in a browser, sign in as alice, press Allow; the page that follows shows the code:",
        "",
        f"{base_url}/rest/oauth2/latest/authorize?{urlencode(asked)}",
        "",
        "  2. Exchange the code for tokens, within 60 seconds:",
        "",
        "CODE=paste-the-code-here",
        f'curl -X POST "{token}?{exchange}&code=$CODE"',
        "",
        "  3. Refresh, whenever you like; the old pair of tokens stops working:",
        "",
        "REFRESH_TOKEN=paste-the-refresh-token-here",
        f'curl -X POST "{token}?{refresh}&refresh_token=$REFRESH_TOKEN"',
        "",
        "  4. Read content with the newest access token:",
        "",
        "OAUTH2_TOKEN=paste-the-access-token-here",
        f'curl --header "Authorization: Bearer $OAUTH2_TOKEN" "{base_url}/rest/api/content/"',
        "",
        "Without a browser, all at once:",
        "",
        f"{_command()} authorize --url {base_url} --client {demo.CLIENT_ID} --user alice --scope WRITE --pkce",
    ]


def _command() -> str:
    """The command as the reader's shell finds it."""
    if shutil.which("watersmeet"):
        return "watersmeet"
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m watersmeet"
    return shlex.quote(os.path.relpath(sys.argv[0]))
