"""Settings: one frozen tree, one loader.

Flags win over environment variables, those over the TOML file, those over the defaults. Every setting has one
name; the vendor's system properties keep theirs (``atlassian.oauth2.provider.*``), so that what an operator
knows of them stays true. Unknown names are errors.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from watersmeet.clock import DAY, SECOND, Instant
from watersmeet.errors import SettingsError

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

PROPERTY_PREFIX = "atlassian.oauth2.provider."
SAMPLE_SECRET = "replace-this-sample-with-a-secret-of-your-own"  # noqa: S105 - refused by `serve`
MINIMUM_SECRET_LENGTH = 32
ADVISED_ACCESS_TOKEN_SECONDS = 3600
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def _setting(default: Any, name: str, help_text: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"name": name, "help": help_text})


def _property(default: Any, suffix: str, help_text: str) -> Any:
    return _setting(default, PROPERTY_PREFIX + suffix, help_text)


@dataclass(frozen=True)
class ProviderSettings:
    """The vendor's system properties, with its names, meanings and (but for one) defaults."""

    enable_access_tokens: bool = _property(
        True, "enable.access.tokens", "Whether this server accepts OAuth access tokens on the REST API."
    )
    skip_base_url_https_requirement: bool = _property(
        False,
        "skip.base.url.https.requirement",
        "Run although the base URL is http and not this computer. For staging only.",
    )
    skip_redirect_url_https_requirement: bool = _property(
        False,
        "skip.redirect.url.https.requirement",
        "Allow redirect URLs to be http anywhere, not only on loopback. For staging only.",
    )
    max_lock_timeout_seconds: int = _property(
        10,
        "max.lock.timeout.seconds",
        "How long a request waits for a database lock before it is answered 503.",
    )
    max_client_delay_seconds: int = _property(
        60,
        "max.client.delay.seconds",
        "Lifetime of authorization codes, 1 to 600. The vendor's default is 10, too short for a slow redirect "
        "or a person copying the code.",
    )
    prune_expired_authorizations_schedule: str = _property(
        "* * * * * ?",
        "prune.expired.authorizations.schedule",
        "When expired authorization codes are deleted: a cron line of five fields, or six beginning with seconds.",
    )
    access_token_expiration_seconds: int = _property(
        3600, "access.token.expiration.seconds", "Lifetime of access tokens; above 3600 it is warned of."
    )
    prune_expired_tokens_schedule: str = _property(
        "* * * * * ?", "prune.expired.tokens.schedule", "When expired tokens are deleted: a cron line."
    )
    refresh_token_expiration_seconds: int = _property(
        7_776_000,
        "refresh.token.expiration.seconds",
        "Lifetime of a grant: 90 days after the user's consent its refresh tokens stop working, however often "
        "they were rotated.",
    )
    invalidate_session_enabled: bool = _property(
        True,
        "invalidate.session.enabled",
        "End the browser session that accompanies a request authenticated by an access token.",
    )
    validate_client_secret: bool = _property(
        True,
        "validate.client.secret",
        "Require the client's secret for revoking a token. If false, whoever holds a token and the client ID may "
        "revoke it.",
    )


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured."""

    base_url: str = _setting(
        "http://127.0.0.1:8090",
        "base_url",
        "The URL under which clients and browsers reach Watersmeet, context path included, e.g. "
        "https://wiki.example.com/confluence. https unless it is this computer; unset, it follows the port.",
    )
    host: str = _setting("127.0.0.1", "host", "The address to listen on.")
    port: int = _setting(8090, "port", "The port to listen on; 0 takes a free one (dev only).")
    workers: int = _setting(
        1, "workers", "How many processes `serve` runs on the one port; a processor core each is plenty."
    )
    database_url: str = _setting(
        "sqlite:///watersmeet.db",
        "database_url",
        "Where everything is kept: sqlite:///FILE (relative to the working directory, with four slashes "
        "absolute) or postgresql://USER:PASSWORD@HOST/NAME, with several hosts "
        "postgresql://USER:PASSWORD@HOST1,HOST2/NAME?target_session_attrs=read-write.",
        secret=True,
    )
    blob_store: str = _setting(
        "watersmeet-blobs",
        "blob_store",
        "Where the bytes of attachments are kept: a folder, relative to the working directory or absolute, or a bucket "
        "that speaks S3, s3://BUCKET/PREFIX?endpoint=URL&region=NAME, with the credentials in AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY.",
    )
    upload_limit_mib: int = _setting(
        100, "upload_limit_mib", "How many MiB the files of one request may have together; beyond it the answer is 413."
    )
    secret: str = _setting(
        "",
        "secret",
        "The secret from which the keys for tokens, stored digests and forms are derived: at least 32 random "
        "characters, the same on every start. `watersmeet init` makes one.",
        secret=True,
    )
    trusted_proxies: str = _setting(
        "",
        "trusted_proxies",
        "The addresses of the proxies in front, with commas, each alone or as a network: 127.0.0.1, 10.0.0.0/8. Only "
        "their word about the client's address is taken.",
    )
    proxy_header: str = _setting(
        "x-forwarded-for",
        "proxy_header",
        "The header in which the proxies name the client: x-forwarded-for or forwarded (RFC 7239).",
    )
    session_hours: int = _setting(12, "session_hours", "How long a sign-in in the browser lasts.")
    secrets_viewable: bool = _setting(
        False,
        "secrets_viewable",
        "Let administrators see the secrets of incoming links again, as the original does. Weaker: whoever has the "
        "database and the server's secret, or an administrator's session, has every client secret made since.",
    )
    remember_consent_days: int = _setting(
        0,
        "remember_consent_days",
        "0 to 30: for how many days people may choose not to be asked again by the same application for the same or "
        "less. 0: they are asked every time, as the original does.",
    )
    personal_token_days: int = _setting(
        90, "personal_token_days", "How long a personal access token works if its user does not say."
    )
    personal_token_max_days: int = _setting(
        365,
        "personal_token_max_days",
        "The longest life of a personal access token that users may choose. 0: nobody makes or uses any.",
    )
    throttle_attempts: int = _setting(
        10,
        "throttle_attempts",
        "How many wrong passwords or client secrets one address may present for one user or client within "
        "throttle_minutes; ten times as many over all users or clients, over all addresses for one user, or of "
        "wrong codes. 0 turns throttling off, as `dev` does.",
    )
    throttle_minutes: int = _setting(
        15, "throttle_minutes", "How long failed attempts are remembered, and so the longest wait."
    )
    audit_retention_days: int = _setting(
        400, "audit_retention_days", "How long audit events are kept; 0 keeps them for ever."
    )
    search_timeout_seconds: int = _setting(
        10, "search_timeout_seconds", "How long a search may take before it is ended and answered 400; 0 lets it go on."
    )
    log_format: str = _setting("text", "log_format", "How the log is written: text or json.")
    legacy_profile: bool = _setting(
        True,
        "legacy_profile",
        "Whether incoming links may have the profile atlassian-dc. If false, every link is held to strict.",
    )
    legacy_profile_until: str = _setting(
        "",
        "legacy_profile_until",
        "The first day, YYYY-MM-DD in UTC, on which every link is held to strict; announced to legacy clients by a "
        "Sunset header.",
    )
    refresh_grace_seconds: int = _setting(
        0,
        "refresh_grace_seconds",
        "0 to 2: for how long after a refresh the same request gets the same answer again, for clients whose "
        "connection broke. 0: a refresh token that comes twice ends the grant at once. An incoming link may have a "
        "grace of its own.",
    )
    refresh_idle_days: int = _setting(
        30,
        "refresh_idle_days",
        "0 to 3650: after how many days without a refresh the grants of strict links end, before their 90 days are "
        "over. 0: they do not.",
    )
    legacy_refresh_idle_days: int = _setting(
        0,
        "legacy_refresh_idle_days",
        "The same for links with the profile atlassian-dc. 0: their grants last without use, as the original's do.",
    )
    admin_token_minutes: int = _setting(
        15,
        "admin_token_minutes",
        "0 to 60: the lifetime of strict links' access tokens with ADMIN or SYSTEM_ADMIN, where that is shorter than "
        "others'. 0: they live as long as others.",
    )
    provider: ProviderSettings = field(default_factory=ProviderSettings)

    @property
    def context_path(self) -> str:
        """The path of the base URL: empty, or like ``/confluence``."""
        return urlsplit(self.base_url).path

    @property
    def resource(self) -> str:
        """The identifier of the protected API (RFC 8707, RFC 9728)."""
        return f"{self.base_url}/rest/api"

    @property
    def resource_metadata(self) -> str:
        """Where RFC 9728 §3.1 puts the metadata of the API: between host and path."""
        origin = self.base_url.removesuffix(self.context_path)
        return f"{origin}/.well-known/oauth-protected-resource{self.context_path}/rest/api"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the server over https."""
        return self.base_url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        """Whether the base URL means this computer."""
        return (urlsplit(self.base_url).hostname or "") in _LOOPBACK_HOSTS

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of ``trusted_proxies``. Raises ``ValueError``."""
        from ipaddress import ip_network

        return tuple(ip_network(part.strip()) for part in self.trusted_proxies.split(",") if part.strip())

    @property
    def upload_limit(self) -> int:
        """How many bytes the files of one request may have together."""
        return self.upload_limit_mib * 1024 * 1024

    @property
    def session_lifetime(self) -> int:
        """How long a browser session lasts, in milliseconds."""
        return self.session_hours * 3600 * SECOND

    @property
    def refresh_idle(self) -> int | None:
        """How long a refresh token of a strict link waits to be used, in milliseconds; ``None``: it has no such end."""
        return self.refresh_idle_days * DAY or None

    @property
    def legacy_refresh_idle(self) -> int | None:
        """The same for links with the profile ``atlassian-dc``."""
        return self.legacy_refresh_idle_days * DAY or None

    @property
    def admin_token_lifetime(self) -> int | None:
        """How long a strict link's access token for administration lives, in milliseconds; ``None``: like others."""
        return self.admin_token_minutes * 60 * SECOND or None

    @property
    def usual_token_days(self) -> int:
        """How many days a personal access token works if its user does not say: no more than any may."""
        return min(self.personal_token_days, self.personal_token_max_days)

    @property
    def consent_memory(self) -> int:
        """How long consent may be remembered, in milliseconds; 0: not at all."""
        return self.remember_consent_days * DAY

    @property
    def throttle_window(self) -> int:
        """How long failed attempts are remembered, in milliseconds."""
        return self.throttle_minutes * 60 * SECOND

    @property
    def legacy_ends_at(self) -> Instant | None:
        """When every link is held to ``strict``; ``None``: not planned."""
        if not self.legacy_profile_until:
            return None
        day = date.fromisoformat(self.legacy_profile_until)
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND

    def allows_legacy(self, now: Instant) -> bool:
        """Whether links with the profile ``atlassian-dc`` are treated as such."""
        return self.legacy_profile and (self.legacy_ends_at is None or now < self.legacy_ends_at)

    @property
    def allows_credentials_in_query(self) -> bool:
        """Whether a URL can be confidential at all: only under https or on this computer (N1)."""
        return self.is_https or self.is_loopback

    @property
    def has_long_access_tokens(self) -> bool:
        """Whether access tokens live longer than is advised (S122, N9)."""
        return self.provider.access_token_expiration_seconds > ADVISED_ACCESS_TOKEN_SECONDS

    @property
    def code_lifetime(self) -> int:
        """How long an authorization code lives, in milliseconds."""
        return self.provider.max_client_delay_seconds * SECOND


@dataclass(frozen=True)
class Setting:
    """One setting as documentation and loader see it."""

    name: str
    environment_variable: str
    type: type
    default: Any
    help: str
    attribute: str
    is_property: bool


def all_settings() -> Iterator[Setting]:
    """Every setting there is, in documentation order."""
    for owner in (Settings, ProviderSettings):
        for item in dataclasses.fields(owner):
            if "name" not in item.metadata:
                continue
            name = item.metadata["name"]
            is_property = owner is ProviderSettings
            variable = name.replace(".", "_").upper()
            yield Setting(
                name,
                variable if is_property else f"WATERSMEET_{variable}",
                type(item.default),
                item.default,
                item.metadata["help"],
                item.name,
                is_property,
            )


def load(
    *,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str],
    file: Path | None = None,
) -> Settings:
    """The settings from flags, environment and file, checked.

    ``flags`` are keyed by setting name; ``None`` values count as absent. Raises ``SettingsError``.
    """
    known = {setting.name: setting for setting in all_settings()}
    given: dict[str, Any] = {}
    if file is not None:
        given.update(_read_file(file, known))
    for setting in known.values():
        if setting.environment_variable in environment:
            given[setting.name] = environment[setting.environment_variable]
    _refuse_unknown_variables(environment, known)
    given.update({name: value for name, value in (flags or {}).items() if value is not None})
    return _build(given, known)


def _build(given: Mapping[str, Any], known: Mapping[str, Setting]) -> Settings:
    own: dict[str, Any] = {}
    provider: dict[str, Any] = {}
    for name, raw in given.items():
        if name not in known:
            raise SettingsError(f"Unknown setting {name}; the settings are listed by `watersmeet settings`.")
        setting = known[name]
        (provider if setting.is_property else own)[setting.attribute] = _convert(setting, raw)
    if "port" in own and "base_url" not in own:
        own["base_url"] = f"http://127.0.0.1:{own['port']}"
    settings = Settings(**own, provider=ProviderSettings(**provider))
    for is_wrong, text in _CHECKS:
        if is_wrong(settings):
            raise SettingsError(text)
    return settings


def _convert(setting: Setting, raw: Any) -> Any:
    if setting.type is bool and isinstance(raw, str) and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    if setting.type is int and isinstance(raw, str) and raw.isascii() and raw.isdigit():
        return int(raw)
    if setting.name == "base_url" and isinstance(raw, str):
        return _canonical_url(raw)
    if type(raw) is setting.type:
        return raw
    expected = {bool: "true or false", int: "a whole number", str: "a text"}[setting.type]
    raise SettingsError(f"The setting {setting.name} must be {expected}.")


def _canonical_url(raw: str) -> str:
    """The base URL as everything else compares it: scheme and host in lower case, no slash at the end."""
    scheme, separator, rest = raw.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}".rstrip("/")


def _read_file(file: Path, known: Mapping[str, Setting]) -> dict[str, Any]:
    import tomllib

    try:
        with file.open("rb") as stream:
            tree = tomllib.load(stream)
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # TOMLDecodeError, or not UTF-8
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from error
    values = dict(_flatten(tree, ""))
    for name in values:
        if name not in known:
            raise SettingsError(f"Unknown setting {name} in {file}; the settings are listed by `watersmeet settings`.")
    return values


def _flatten(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """``[atlassian.oauth2.provider] access.token.expiration.seconds = 1`` is the vendor's dotted name in TOML."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


# Environment variables of ours that are not settings of the server.
_OTHER_VARIABLES = (
    "WATERSMEET_CONFIG",
    "WATERSMEET_PASSWORD",
    "WATERSMEET_CLIENT_SECRET",
    "WATERSMEET_TEST_",
)


def _refuse_unknown_variables(environment: Mapping[str, str], known: Mapping[str, Setting]) -> None:
    variables = {setting.environment_variable for setting in known.values()}
    for name in environment:
        ours = name.startswith(("WATERSMEET_", "ATLASSIAN_OAUTH2_PROVIDER_"))
        if ours and name not in variables and not name.startswith(_OTHER_VARIABLES):
            raise SettingsError(f"Unknown environment variable {name}; see `watersmeet settings`.")


# What needs no quoting in a header, a page, a shell or a settings file.
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9:/\[\]._~-]+")


def _is_bad_url(settings: Settings) -> bool:
    try:
        parts = urlsplit(settings.base_url)
        _ = parts.port
    except ValueError:
        return True
    return (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not _URL_CHARACTERS.fullmatch(settings.base_url)
        or bool(parts.query or parts.fragment)
        or "@" in parts.netloc
    )


def _has_bad_networks(settings: Settings) -> bool:
    try:
        _ = settings.proxy_networks
    except ValueError:
        return True
    return False


def _is_bad_day(settings: Settings) -> bool:
    try:
        _ = settings.legacy_ends_at
    except ValueError:
        return True
    return False


_CHECKS = (
    (
        lambda settings: not 0 <= settings.port <= 65535,
        "port must be a number from 1 to 65535.",
    ),
    (_is_bad_url, "base_url must be like https://wiki.example.com or https://example.com/confluence."),
    (
        lambda settings: settings.workers < 1,
        "workers must be at least 1.",
    ),
    (
        lambda settings: not settings.blob_store,
        "blob_store must name a folder.",
    ),
    (
        lambda settings: settings.upload_limit_mib < 1,
        "upload_limit_mib must be at least 1.",
    ),
    (
        lambda settings: settings.log_format not in ("text", "json"),
        "log_format must be text or json.",
    ),
    (
        lambda settings: settings.session_hours < 1,
        "session_hours must be at least 1.",
    ),
    (_is_bad_day, "legacy_profile_until must be a day like 2027-12-31."),
    (
        lambda settings: not 0 <= settings.refresh_grace_seconds <= 2,
        "refresh_grace_seconds must be 0, 1 or 2.",
    ),
    (
        lambda settings: (
            not (0 <= settings.refresh_idle_days <= 3650 and 0 <= settings.legacy_refresh_idle_days <= 3650)
        ),
        "refresh_idle_days and legacy_refresh_idle_days must be from 0 to 3650.",
    ),
    (
        lambda settings: not 0 <= settings.admin_token_minutes <= 60,
        "admin_token_minutes must be from 0 to 60.",
    ),
    (
        _has_bad_networks,
        "trusted_proxies must be addresses or networks, with commas: 127.0.0.1, 10.0.0.0/8.",
    ),
    (
        lambda settings: settings.proxy_header not in ("x-forwarded-for", "forwarded"),
        "proxy_header must be x-forwarded-for or forwarded.",
    ),
    (
        lambda settings: not 0 <= settings.remember_consent_days <= 30,
        "remember_consent_days must be from 0 to 30.",
    ),
    (
        lambda settings: not 0 <= settings.personal_token_max_days <= 3650,
        "personal_token_max_days must be from 0 to 3650.",
    ),
    (
        lambda settings: settings.personal_token_days < 1,
        "personal_token_days must be at least 1.",
    ),
    (
        lambda settings: settings.audit_retention_days < 0,
        "audit_retention_days must be at least 0.",
    ),
    (
        lambda settings: settings.search_timeout_seconds < 0,
        "search_timeout_seconds must be at least 0.",
    ),
    (
        lambda settings: settings.throttle_attempts < 0 or settings.throttle_minutes < 1,
        "throttle_attempts must be at least 0, throttle_minutes at least 1.",
    ),
    (
        lambda settings: not 1 <= settings.provider.max_client_delay_seconds <= 600,
        f"{PROPERTY_PREFIX}max.client.delay.seconds must be from 1 to 600.",
    ),
    (
        lambda settings: settings.provider.access_token_expiration_seconds < 1,
        f"{PROPERTY_PREFIX}access.token.expiration.seconds must be at least 1.",
    ),
    (
        lambda settings: settings.provider.refresh_token_expiration_seconds < 1,
        f"{PROPERTY_PREFIX}refresh.token.expiration.seconds must be at least 1.",
    ),
    (
        lambda settings: settings.provider.max_lock_timeout_seconds < 1,
        f"{PROPERTY_PREFIX}max.lock.timeout.seconds must be at least 1.",
    ),
)


def weaknesses(settings: Settings) -> list[str]:
    """What works but is weaker than is advised, one sentence each."""
    return [text for is_weak, text in _WEAKNESSES if is_weak(settings)]


_WEAKNESSES = (
    (
        lambda settings: settings.has_long_access_tokens,
        f"{PROPERTY_PREFIX}access.token.expiration.seconds is above 3600: whoever steals an access token has it for "
        "longer than an hour. Clients refresh by themselves, so an hour is enough.",
    ),
    (
        lambda settings: not (settings.is_https or settings.is_loopback),
        "base_url is http: everybody on the way can read passwords, codes and tokens. For staging only.",
    ),
    (
        lambda settings: settings.provider.skip_redirect_url_https_requirement,
        f"{PROPERTY_PREFIX}skip.redirect.url.https.requirement is on: codes may be sent over http, where everybody on "
        "the way can read them. For staging only.",
    ),
    (
        lambda settings: not settings.provider.validate_client_secret,
        f"{PROPERTY_PREFIX}validate.client.secret is off: whoever holds a token can revoke it without the secret.",
    ),
    (
        lambda settings: settings.secrets_viewable,
        "secrets_viewable is on: an administrator's session is enough to see the secrets of all applications.",
    ),
)


def require_production(settings: Settings) -> None:
    """What `serve` insists on beyond well-formed settings. Raises ``SettingsError``, one sentence a cause."""
    for is_wrong, text in _PRODUCTION_CHECKS:
        if is_wrong(settings):
            raise SettingsError(text)


_PRODUCTION_CHECKS = (
    (
        lambda settings: not settings.secret,
        "No secret is set: run `watersmeet init` to make a settings file with one, or set WATERSMEET_SECRET.",
    ),
    (
        lambda settings: settings.secret == SAMPLE_SECRET,
        "The secret is the sample of the documentation: replace it, for instance with the output of "
        "`openssl rand -hex 32`.",
    ),
    (
        lambda settings: len(settings.secret) < MINIMUM_SECRET_LENGTH or len(set(settings.secret)) < 8,
        f"The secret is too easy to guess: use at least {MINIMUM_SECRET_LENGTH} random characters, for instance "
        "the output of `openssl rand -hex 32`.",
    ),
    (
        lambda settings: (
            not (settings.is_https or settings.is_loopback or settings.provider.skip_base_url_https_requirement)
        ),
        "The base URL must be https: change base_url, or set "
        "atlassian.oauth2.provider.skip.base.url.https.requirement=true for a staging system.",
    ),
    (lambda settings: settings.port == 0, "port must be a number from 1 to 65535."),
)
