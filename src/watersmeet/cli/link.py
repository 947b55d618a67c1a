"""``watersmeet link``: incoming links."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from watersmeet.cli.configuration import config_option, production_environment
from watersmeet.cli.output import confirm, print_json, print_table, say, warn
from watersmeet.clock import DAY, SECOND, Instant, as_datetime
from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.client import AuthenticationMethod, Client
from watersmeet.oauth2.family import RotationPolicy
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.settings import Settings

_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


_profiles = click.Choice([profile.value for profile in Profile])
_kinds = click.Choice([kind.value for kind in Legacy])


@click.group("link")
def command() -> None:
    """Add, list, show, change and delete incoming links; rotate secrets. Works also while the database is served."""


@command.command("add")
@click.argument("name")
@click.option("--redirect-uri", "redirect_uris", multiple=True, required=True, help="May be given several times.")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.READ.value,
    show_default=True,
)
@click.option("--public", is_flag=True, help="A client that can keep no secret: it gets none and must use PKCE.")
@click.option(
    "--profile",
    type=_profiles,
    default=Profile.STRICT.value,
    show_default=True,
    help="atlassian-dc also accepts what existing integrations send.",
)
@click.option("--expires", "last_day", metavar="DAY", help="The last day it works, in UTC, like 2027-12-31.")
@_json_option
@config_option
def add(
    name: str,
    redirect_uris: tuple[str, ...],
    scope: str,
    public: bool,
    profile: str,
    last_day: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Add an incoming link; prints its client ID and, this once, its secret."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.register import Registration, link_as_json, register

    with production_environment(config) as environment:
        registration = Registration.check(
            name=name.strip(),
            redirect_uris=list(redirect_uris),
            scope=Scope(scope),
            profile=Profile(profile),
            last_day=last_day or "",
            allow_http=environment.settings.provider.skip_redirect_url_https_requirement,
        )
        registered = environment.database.write_now(
            lambda tx: register(
                tx,
                registration,
                confidential=not public,
                created_by="the command line",
                now=environment.clock.now(),
                keys=environment.keys,
                entropy=environment.entropy,
                origin=COMMAND_LINE,
                viewable=environment.settings.secrets_viewable,
            )
        )
    if as_json:
        print_json({**link_as_json(registered.client), "client_secret": registered.client_secret})
        return
    say(f"client ID      {registered.client.client_id}")
    if registered.client_secret:
        again = "" if environment.settings.secrets_viewable else "\nThe secret is shown this once."
        say(f"client secret  {registered.client_secret}{again}")


@command.command("list")
@_json_option
@config_option
def list_links(as_json: bool, config: Path | None) -> None:
    """List the incoming links."""
    from watersmeet.database import clients
    from watersmeet.links.compatibility import compatibility_of
    from watersmeet.links.register import link_as_json

    with production_environment(config) as environment:
        every = environment.database.read_now(lambda tx: [compatibility_of(tx, link) for link in clients.list_all(tx)])
    if as_json:
        print_json([link_as_json(each.link) | each.as_json() for each in every])
        return
    found = [each.link for each in every]
    rows = [
        (link.name, link.client_id, str(link.scope), link.profile.value, _last_uses(link), link.redirect_uris[0].host)
        for link in found
    ]
    print_table(("NAME", "CLIENT ID", "SCOPE", "PROFILE", "SECRETS LAST USED", "REDIRECTS TO"), rows)


def _last_uses(link: Client) -> str:
    """When each of its secrets was last used, the oldest secret first."""
    return ", ".join(_day(secret.last_used_at) for secret in link.secrets) or "none"


def _day(instant: Instant | None) -> str:
    return "never" if instant is None else f"{as_datetime(instant):%Y-%m-%d}"


@command.command("show")
@click.argument("client_id")
@_json_option
@config_option
def show(client_id: str, as_json: bool, config: Path | None) -> None:
    """Show an incoming link and what was accepted of it for compatibility; never its secret."""
    from watersmeet.links.compatibility import WORDS, compatibility_of
    from watersmeet.links.register import link_as_json, require_link

    with production_environment(config) as environment:
        found = environment.database.read_now(lambda tx: compatibility_of(tx, require_link(tx, client_id)))
        settings, now = environment.settings, environment.clock.now()
    link = found.link
    lifetimes = link.lifetimes(environment.lifetimes_at(now))
    if settings.has_long_access_tokens:
        warn("access tokens live longer than an hour; see `watersmeet settings --check`.")
    if as_json:
        print_json(link_as_json(link) | found.as_json())
        return
    kind = "confidential" if link.confidential else "public"
    say(f"name          {link.name}\nclient ID     {link.client_id}\ntype          {kind}")
    say(f"scope         {link.scope}")
    for uri in link.redirect_uris:
        say(f"redirect URL  {uri.value}")
    if link.expires_at is not None:
        say(f"expires       {as_datetime(link.expires_at):%Y-%m-%d %H:%M} UTC")
    for secret in [each for each in link.secrets if each.is_live(now)]:
        end = f", works until {as_datetime(secret.expires_at):%Y-%m-%d %H:%M} UTC" if secret.expires_at else ""
        last_use = f"{as_datetime(used):%Y-%m-%d %H:%M} UTC" if (used := secret.last_used_at) else "never"
        say(f"secret        made {_day(secret.created_at)}, last used {last_use}{end}")
    say(f"profile       {', '.join([link.profile.value, *found.badges])}")
    say(f"refresh       {_refresh_in_words(link, settings)}")
    if lifetimes.idle is not None:
        say(f"grants        end after {lifetimes.idle // DAY} days without a refresh")
    say(f"access token  lives {lifetimes.access_token // SECOND} s")
    if (administrative := lifetimes.access_token_for(link.scope)) < lifetimes.access_token:
        say(f"              {administrative // SECOND} s with ADMIN or SYSTEM_ADMIN")
    for kind, of in found.accepted.items():
        refused = "" if link.accepts(kind) else "; refused now"
        say(f"accepted      {of.count} x {WORDS[kind]} ({kind.value}){refused}")
    if found.can_require_pkce:
        say(f"\nIt uses PKCE. To require it from now on: watersmeet link change {client_id} --require-pkce")


def _refresh_in_words(link: Client, settings: Settings) -> str:
    grace = link.rotation(RotationPolicy(settings.refresh_grace_seconds * SECOND)).grace // SECOND
    whose = "the server's setting" if link.refresh_grace_seconds is None else "its own"
    return f"{f'grace of {grace} s' if grace else 'strict: a token works once'} ({whose})"


@command.command("change")
@click.argument("client_id")
@click.option("--profile", type=_profiles, help="How strictly it is held to today's rules.")
@click.option("--require-pkce", is_flag=True, help="Refuse requests without PKCE from now on.")
@click.option("--refuse", type=_kinds, multiple=True, help="Refuse this from now on although the profile allows it.")
@click.option("--accept", type=_kinds, multiple=True, help="Take --refuse back.")
@click.option(
    "--introspection/--no-introspection",
    default=None,
    help="Whether it may introspect every access token, not only its own.",
)
@click.option(
    "--authentication",
    type=click.Choice([*(method.value for method in AuthenticationMethod), "either"]),
    help="How it must send its secret.",
)
@click.option(
    "--plain-answers/--no-plain-answers",
    default=None,
    help="Leave iss (RFC 9207) and the empty fragment out of its redirects.",
)
@click.option(
    "--refresh-grace",
    type=click.Choice(["0", "1", "2", "default"]),
    help="For how many seconds a refresh that comes again gets the same answer; default: as the server's setting.",
)
@click.option("--expires", "last_day", metavar="DAY", help="The last day it works, in UTC, or never.")
@_json_option
@config_option
def change(
    client_id: str,
    profile: str | None,
    require_pkce: bool,
    refuse: tuple[str, ...],
    accept: tuple[str, ...],
    introspection: bool | None,
    authentication: Any,
    plain_answers: bool | None,
    refresh_grace: str | None,
    last_day: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Change the rules an incoming link is held to; what is not named stays as it is."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.register import change_rules, end_of_day, link_as_json, require_link

    refused = {Legacy(kind) for kind in refuse} | ({Legacy.NO_PKCE} if require_pkce else set())
    named = refused or accept or profile or authentication or refresh_grace or last_day
    if not named and introspection is None and plain_answers is None:
        raise click.UsageError("Name what to change; see --help.")
    with production_environment(config) as environment:
        link = environment.database.write_now(
            lambda tx: change_rules(
                tx,
                require_link(tx, client_id),
                environment.clock.now(),
                COMMAND_LINE,
                profile=Profile(profile) if profile else None,
                refuse=refused,
                accept=[Legacy(kind) for kind in accept],
                may_introspect=introspection,
                authentication=authentication,
                plain_answers=plain_answers,
                refresh_grace_seconds=_grace(refresh_grace),
                expires_at="never" if last_day == "never" else end_of_day(last_day or ""),
            )
        )
    if as_json:
        print_json(link_as_json(link))
    else:
        say(f"Changed {link.name}.")


def _grace(chosen: str | None) -> int | Literal["default"] | None:
    return int(chosen) if chosen and chosen.isdigit() else "default" if chosen else None


@command.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 2160),
    default=24,
    show_default=True,
    help="How long the old secret works on.",
)
@_json_option
@config_option
def rotate(client_id: str, overlap_hours: int, as_json: bool, config: Path | None) -> None:
    """Make a new secret; the old one works on for a while."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.credentials import HOUR, rotate_secret
    from watersmeet.links.register import require_link

    with production_environment(config) as environment:
        secret = environment.database.write_now(
            lambda tx: rotate_secret(
                tx,
                require_link(tx, client_id),
                overlap=overlap_hours * HOUR,
                now=environment.clock.now(),
                keys=environment.keys,
                entropy=environment.entropy,
                origin=COMMAND_LINE,
                viewable=environment.settings.secrets_viewable,
            )
        )
    if as_json:
        print_json({"client_id": client_id, "client_secret": secret, "old_secret_hours": overlap_hours})
        return
    again = "" if environment.settings.secrets_viewable else "The secret is shown this once. "
    say(f"client secret  {secret}\n{again}{_rest_of_the_old(overlap_hours)}")


def _rest_of_the_old(hours: int) -> str:
    return f"The old one works {hours} hour{'s' * (hours != 1)} more." if hours else "The old one works no more."


@command.command("end-old-secrets")
@click.argument("client_id")
@config_option
def end_old(client_id: str, config: Path | None) -> None:
    """End the secrets that a rotation left working, before their time."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.credentials import end_old_secrets
    from watersmeet.links.register import require_link

    with production_environment(config) as environment:
        now = environment.clock.now()
        ended = environment.database.write_now(
            lambda tx: end_old_secrets(tx, require_link(tx, client_id), now, COMMAND_LINE)
        )
    say(f"Ended {ended} old secret{'s' * (ended != 1)}.")


@command.command("disable")
@click.argument("client_id")
@config_option
def disable(client_id: str, config: Path | None) -> None:
    """Refuse an application everywhere; everything it was given ends."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.credentials import disable_link
    from watersmeet.links.register import require_link

    with production_environment(config) as environment:
        link = environment.database.read_now(lambda tx: require_link(tx, client_id))
        now = environment.clock.now()
        environment.database.write_now(lambda tx: disable_link(tx, link, now, COMMAND_LINE))
    say(f"Disabled {link.name}.")


@command.command("enable")
@click.argument("client_id")
@config_option
def enable(client_id: str, config: Path | None) -> None:
    """Serve a disabled application again; people must authorize it anew."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.credentials import enable_link
    from watersmeet.links.register import require_link

    with production_environment(config) as environment:
        link = environment.database.read_now(lambda tx: require_link(tx, client_id))
        now = environment.clock.now()
        environment.database.write_now(lambda tx: enable_link(tx, link, now, COMMAND_LINE))
    say(f"Enabled {link.name}.")


@command.command("delete")
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def delete(client_id: str, yes: bool, config: Path | None) -> None:
    """Delete an incoming link; every token it was given dies."""
    from watersmeet.database import tokens
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.links.credentials import delete_link
    from watersmeet.links.register import require_link

    with production_environment(config) as environment:
        now = environment.clock.now()
        link = environment.database.read_now(lambda tx: require_link(tx, client_id))
        lifetimes = environment.lifetimes_at(now)
        users = environment.database.read_now(lambda tx: tokens.count_users_of(tx, link.id, now, lifetimes))
        confirm(f"{link.name} has access for {users} user(s), who will lose it. Delete it?", yes=yes)
        environment.database.write_now(lambda tx: delete_link(tx, link, now, COMMAND_LINE))
    say(f"Deleted {link.name}.")
