"""Recipes: what the owner of a new incoming link pastes next, ready to use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlencode

from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Legacy

# Values to put in the places of CODE_VERIFIER and CODE_CHALLENGE.
_PKCE = [
    "CODE_VERIFIER=$(openssl rand -hex 32)",
    "printf %s $CODE_VERIFIER | openssl dgst -sha256 -binary | openssl base64 | tr +/ -_ | tr -d =   # CODE_CHALLENGE",
    "",
]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A text to copy, in the form that ``kind`` names: ``env``, ``curl`` or ``mcp``."""

    kind: str
    text: str


def recipes(base_url: str, link: Client, secret: str | None) -> list[Recipe]:
    """Everything that is worth copying of a link whose secret is at hand; a public one has none."""
    return [
        Recipe("env", _env(base_url, link, secret)),
        Recipe("curl", _curl(base_url, link, secret)),
        # mcp-atlassian (0.23) sends no code_challenge, so a link that requires one is nothing for it.
        *([Recipe("mcp", _mcp(base_url, link, secret))] if link.accepts(Legacy.NO_PKCE) else []),
    ]


def _env(base_url: str, link: Client, secret: str | None) -> str:
    lines = {
        "CLIENT_ID": link.client_id,
        **({"CLIENT_SECRET": secret} if secret else {}),
        "REDIRECT_URI": link.redirect_uris[0].value,
        "SCOPE": str(link.scope),
        "AUTHORIZE_URL": f"{base_url}/rest/oauth2/latest/authorize",
        "TOKEN_URL": f"{base_url}/rest/oauth2/latest/token",
        "API_URL": f"{base_url}/rest/api",
    }
    return "\n".join(f"{name}={value}" for name, value in lines.items())


def _curl(base_url: str, link: Client, secret: str | None) -> str:
    asked = {
        "client_id": link.client_id,
        "redirect_uri": link.redirect_uris[0].value,
        "response_type": "code",
        "scope": str(link.scope),
        "state": "STATE",
    }
    exchange = {
        "grant_type": "authorization_code",
        "client_id": link.client_id,
        "redirect_uri": link.redirect_uris[0].value,
        "code": "CODE",
    }
    if secret:
        exchange["client_secret"] = secret
    if not link.accepts(Legacy.NO_PKCE):
        # A verifier of its own for every printed recipe would look like one to keep; this one says to make one.
        asked |= {"code_challenge": "CODE_CHALLENGE", "code_challenge_method": "S256"}
        exchange["code_verifier"] = "CODE_VERIFIER"
    fields = " \\\n".join(f"  --data-urlencode {quote(f'{name}={value}')}" for name, value in exchange.items())
    return "\n".join(
        [
            *(_PKCE if "code_verifier" in exchange else []),
            f"{base_url}/rest/oauth2/latest/authorize?{urlencode(asked)}",
            "",
            f"curl {quote(base_url + '/rest/oauth2/latest/token')} \\",
            fields,
            "",
            f"curl --header 'Authorization: Bearer ACCESS_TOKEN' {quote(base_url + '/rest/api/content')}",
        ]
    )


def _mcp(base_url: str, link: Client, secret: str | None) -> str:
    variables = {
        "CONFLUENCE_URL": base_url,
        "ATLASSIAN_OAUTH_CLIENT_ID": link.client_id,
        **({"ATLASSIAN_OAUTH_CLIENT_SECRET": secret} if secret else {}),
        "ATLASSIAN_OAUTH_REDIRECT_URI": link.redirect_uris[0].value,
        "ATLASSIAN_OAUTH_SCOPE": str(link.scope),
    }
    server = {"command": "uvx", "args": ["mcp-atlassian"], "env": variables}
    return json.dumps({"mcpServers": {"confluence": server}}, indent=2)
