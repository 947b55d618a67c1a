"""``watersmeet authorize``: the whole flow against a running server, over HTTP, without a browser."""

from __future__ import annotations

import os
import re
import sys
from urllib.parse import urlsplit

import click

from watersmeet.cli.output import print_json

_PRINTABLE = re.compile(r"[!\"$->@-~]+")  # without ? and #


@click.command("authorize")
@click.option("--url", default="http://127.0.0.1:8090", show_default=True, help="The base URL of the running server.")
@click.option("--client", "client_id", required=True, metavar="ID", help="The client ID.")
@click.option("--user", "username", required=True, metavar="NAME", help="Who signs in and allows the access.")
@click.option("--scope", required=True, help="One scope or several, separated by spaces.")
@click.option("--redirect-uri", help="As registered; the demo link's own unless given.")
@click.option("--pkce", is_flag=True, help="Use PKCE with S256.")
@click.option("--deny", is_flag=True, help="Press Deny instead of Allow.")
def command(
    url: str, client_id: str, username: str, scope: str, redirect_uri: str | None, pkce: bool, deny: bool
) -> None:
    """Sign in, allow, exchange the code; print the code and the tokens as JSON.

    The password is taken from WATERSMEET_PASSWORD and the client's secret from WATERSMEET_CLIENT_SECRET. For
    the users and the incoming link of `watersmeet dev`, which are public, neither is needed.
    """
    from watersmeet import demo
    from watersmeet.testing import flow

    _check_url(url)
    is_demo = client_id == demo.CLIENT_ID
    base_url = url.rstrip("/")
    password = os.environ.get("WATERSMEET_PASSWORD") or (username if is_demo else "")
    secret = os.environ.get("WATERSMEET_CLIENT_SECRET") or (demo.CLIENT_SECRET if is_demo else None)
    if redirect_uri is None:
        if not is_demo:
            raise click.UsageError("--redirect-uri is needed for a link that is not the demo's.")
        redirect_uri = base_url + demo.CALLBACK_PATH
    if not password:
        if not sys.stdin.isatty():
            raise click.UsageError("Set WATERSMEET_PASSWORD to the user's password: there is no terminal to ask on.")
        password = click.prompt("Password", hide_input=True, err=True)
    application = flow.Application(client_id, secret, redirect_uri)
    granted = flow.ask(base_url, application, username, password, scope, pkce=pkce, allow=not deny)
    tokens = flow.exchange(base_url, application, granted)
    verifier = {"code_verifier": granted.verifier} if granted.verifier else {}
    print_json({"code": granted.code, "state": granted.state, **verifier, **tokens})


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        has_host = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not has_host or not _PRINTABLE.fullmatch(url):
        raise click.BadParameter(
            "write the base URL that the server printed, like http://127.0.0.1:8090", param_hint="--url"
        )
