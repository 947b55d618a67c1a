"""Settings: names, defaults, precedence, checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from watersmeet.errors import SettingsError
from watersmeet.settings import (
    PROPERTY_PREFIX,
    SAMPLE_SECRET,
    ProviderSettings,
    Settings,
    all_settings,
    load,
    require_production,
    weaknesses,
)

# The vendor's table of system properties (seed), with our default. Two differ from the vendor's on purpose:
# max.client.delay.seconds (10 there) is longer, so that slow redirects work.
VENDOR: dict[str, Any] = {
    "enable.access.tokens": True,
    "skip.base.url.https.requirement": False,
    "skip.redirect.url.https.requirement": False,
    "max.lock.timeout.seconds": 10,
    "max.client.delay.seconds": 60,
    "prune.expired.authorizations.schedule": "* * * * * ?",
    "access.token.expiration.seconds": 3600,
    "prune.expired.tokens.schedule": "* * * * * ?",
    "refresh.token.expiration.seconds": 7_776_000,
    "invalidate.session.enabled": True,
    "validate.client.secret": True,
}
OWN: dict[str, Any] = {
    "base_url": "http://127.0.0.1:8090",
    "host": "127.0.0.1",
    "port": 8090,
    "database_url": "sqlite:///watersmeet.db",
    "blob_store": "watersmeet-blobs",
    "upload_limit_mib": 100,
    "secret": "",
    "trusted_proxies": "",
    "proxy_header": "x-forwarded-for",
    "session_hours": 12,
    "secrets_viewable": False,
    "remember_consent_days": 0,
    "personal_token_days": 90,
    "personal_token_max_days": 365,
    "workers": 1,
    "throttle_attempts": 10,
    "throttle_minutes": 15,
    "audit_retention_days": 400,
    "search_timeout_seconds": 10,
    "log_format": "text",
    "legacy_profile": True,
    "legacy_profile_until": "",
    "refresh_grace_seconds": 0,
    "refresh_idle_days": 30,
    "legacy_refresh_idle_days": 0,
    "admin_token_minutes": 15,
}
SECRET = "0123456789abcdef0123456789abcdef"
LIFETIME = PROPERTY_PREFIX + "access.token.expiration.seconds"
LIFETIME_VARIABLE = "ATLASSIAN_OAUTH2_PROVIDER_ACCESS_TOKEN_EXPIRATION_SECONDS"


def written(folder: Path, text: str) -> Path:
    file = folder / "watersmeet.toml"
    file.write_text(text)
    return file


def from_flags(**flags: Any) -> Settings:
    return load(flags=flags, environment={})


def another(value: Any) -> Any:
    """An acceptable value that differs from a default."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else "0 * * * *"


# ---- names and defaults -------------------------------------------------------------------------------------


def test_there_are_exactly_the_vendors_properties_and_our_own_settings() -> None:
    known = {setting.name: setting.default for setting in all_settings()}
    assert known == {**OWN, **{PROPERTY_PREFIX + name: default for name, default in VENDOR.items()}}


def test_without_anything_the_defaults_hold() -> None:
    assert load(environment={}) == Settings()
    for setting in all_settings():
        owner: Any = Settings().provider if setting.is_property else Settings()
        assert getattr(owner, setting.attribute) == setting.default
        assert setting.help


@pytest.mark.parametrize("name", VENDOR)
def test_every_vendor_property_can_be_set_in_every_way(name: str, tmp_path: Path) -> None:
    full = PROPERTY_PREFIX + name
    attribute, value = name.replace(".", "_"), another(VENDOR[name])
    literal = f'"{value}"' if isinstance(value, str) else str(value).lower()
    ways = [
        load(environment={}, flags={full: value}),
        load(environment={full.replace(".", "_").upper(): str(value)}),
        load(environment={}, file=written(tmp_path, f"[atlassian.oauth2.provider]\n{name} = {literal}\n")),
        load(environment={}, file=written(tmp_path, f"{full} = {literal}\n")),
        load(environment={}, file=written(tmp_path, f'"{full}" = {literal}\n')),
        load(environment={}, file=written(tmp_path, f'["atlassian.oauth2.provider"]\n"{name}" = {literal}\n')),
    ]
    for settings in ways:
        assert getattr(settings.provider, attribute) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "https://wiki.example.com/confluence"),
        ("host", "0.0.0.0"),
        ("port", 9000),
        ("database_url", "postgresql://u:p@h/n"),
        ("secret", SECRET),
        ("session_hours", 1),
        ("log_format", "json"),
    ],
)
def test_every_setting_of_our_own_can_be_set_in_every_way(name: str, value: Any, tmp_path: Path) -> None:
    literal = str(value) if isinstance(value, int) else f'"{value}"'
    assert getattr(load(environment={}, flags={name: value}), name) == value
    assert getattr(load(environment={f"WATERSMEET_{name.upper()}": str(value)}), name) == value
    assert getattr(load(environment={}, file=written(tmp_path, f"{name} = {literal}")), name) == value


# ---- precedence ---------------------------------------------------------------------------------------------


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, f"port = 1\n{LIFETIME} = 1\n")
    environment = {"WATERSMEET_PORT": "2", LIFETIME_VARIABLE: "2"}
    flags = {"port": 3, LIFETIME: 3}
    for given, expected in (
        (load(environment={}), (8090, 3600)),
        (load(environment={}, file=file), (1, 1)),
        (load(environment=environment, file=file), (2, 2)),
        (load(environment=environment, file=file, flags=flags), (3, 3)),
    ):
        assert (given.port, given.provider.access_token_expiration_seconds) == expected


def test_a_flag_that_was_not_given_does_not_count() -> None:
    assert load(environment={"WATERSMEET_PORT": "2"}, flags={"port": None}).port == 2


# ---- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["prot = 1", "[server]\nport = 1", "[atlassian.oauth2.provider]\naccess.token = 1", "[oauth2]\nx = 1",
     "access.token.expiration.seconds = 1", "PORT = 1"],
)  # fmt: skip
def test_an_unknown_name_in_the_file_is_refused(text: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError, match=r"Unknown setting .* in .*watersmeet\.toml"):
        load(environment={}, file=file)


@pytest.mark.parametrize("name", ["WATERSMEET_PROT", "ATLASSIAN_OAUTH2_PROVIDER_MAX_LOCK_TIMEOUT", "WATERSMEET_"])
def test_an_unknown_variable_of_ours_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(environment={name: "1"})


def test_variables_of_others_and_of_our_tools_are_ignored() -> None:
    environment = {
        "PATH": "/bin",
        "PORT": "1",
        "ATLASSIAN_TOKEN": "x",
        "WATERSMEET_CONFIG": "x",
        "WATERSMEET_TEST_WITHOUT": "x",
    }
    assert load(environment=environment) == Settings()


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(SettingsError, match="Unknown setting prot"):
        from_flags(prot=1)


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("port", "x", "a whole number"),
        ("port", "-1", "a whole number"),
        ("port", "", "a whole number"),
        ("port", "٣", "a whole number"),
        ("port", 1.5, "a whole number"),
        ("port", True, "a whole number"),
        ("secret", 5, "a text"),
        ("base_url", 5, "a text"),
        (PROPERTY_PREFIX + "enable.access.tokens", "yes", "true or false"),
        (PROPERTY_PREFIX + "enable.access.tokens", 1, "true or false"),
        (PROPERTY_PREFIX + "enable.access.tokens", "", "true or false"),
        (LIFETIME, "1h", "a whole number"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, raw: Any, expected: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(environment={}, flags={name: raw})
    assert refusal.value.description == f"The setting {name} must be {expected}."


@pytest.mark.parametrize("spelling", ["false", "False", "FALSE"])
def test_true_and_false_may_be_written_in_any_case(spelling: str) -> None:
    settings = load(environment={}, flags={PROPERTY_PREFIX + "enable.access.tokens": spelling})
    assert settings.provider.enable_access_tokens is False


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("port", [65536], [0, 1, 65535]),
        ("log_format", ["xml", ""], ["text", "json"]),
        ("session_hours", [0], [1]),
        ("remember_consent_days", [31], [0, 30]),
        ("personal_token_days", [0], [1, 366]),
        ("personal_token_max_days", [3651], [0, 90, 3650]),
        (PROPERTY_PREFIX + "max.client.delay.seconds", [0, 601], [1, 600]),
        (PROPERTY_PREFIX + "access.token.expiration.seconds", [0], [1]),
        (PROPERTY_PREFIX + "refresh.token.expiration.seconds", [0], [1]),
        (PROPERTY_PREFIX + "max.lock.timeout.seconds", [0], [1]),
    ],
)
def test_values_out_of_range_are_refused_and_those_at_its_ends_are_not(
    name: str, wrong: list[Any], right: list[Any]
) -> None:
    for value in wrong:
        with pytest.raises(SettingsError, match=name.replace(".", r"\.")):
            load(environment={}, flags={name: value})
    for value in right:
        load(environment={}, flags={name: value})


@pytest.mark.parametrize(
    "url",
    ["", "wiki", "ftp://wiki", "//wiki", "https://", "https://wiki?x=1", "https://wiki#x", "https://u:p@wiki",
     "https://wiki:port", "https://wiki:99999", "https://[wiki"],
)  # fmt: skip
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="base_url must be like"):
        from_flags(base_url=url)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read: No such file"):
        load(environment={}, file=tmp_path / "missing.toml")
    with pytest.raises(SettingsError, match=r"is not valid TOML"):
        load(environment={}, file=written(tmp_path, "port = = 1"))
    latin = tmp_path / "latin.toml"
    latin.write_bytes('secret = "Schlüssel"'.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"latin\.toml is not valid TOML"):
        load(environment={}, file=latin)


# ---- what follows from them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path", "https", "loopback"),
    [
        ("http://127.0.0.1:8090", "", False, True),
        ("http://localhost:1/", "", False, True),
        ("http://[::1]:1/confluence/", "/confluence", False, True),
        ("https://wiki.example.com/confluence", "/confluence", True, False),
        ("http://localhost.evil.test", "", False, False),
    ],
)
def test_the_base_url_says_path_scheme_and_place(url: str, path: str, https: bool, loopback: bool) -> None:
    settings = from_flags(base_url=url)
    assert (settings.context_path, settings.is_https, settings.is_loopback) == (path, https, loopback)


def test_lifetimes_are_in_milliseconds() -> None:
    assert Settings().session_lifetime == 43_200_000
    assert Settings().code_lifetime == 60_000
    assert (Settings().refresh_idle, Settings().legacy_refresh_idle) == (2_592_000_000, None)
    assert Settings().admin_token_lifetime == 900_000
    unlike = from_flags(refresh_idle_days=0, legacy_refresh_idle_days=2, admin_token_minutes=0)
    assert (unlike.refresh_idle, unlike.legacy_refresh_idle, unlike.admin_token_lifetime) == (None, 172_800_000, None)


def test_secrets_are_hidden() -> None:
    shown = repr(from_flags(secret=SECRET, database_url="postgresql://u:hush@h/n"))
    assert SECRET not in shown
    assert "hush" not in shown


# ---- production ---------------------------------------------------------------------------------------------


def test_production_accepts_https_and_loopback_with_a_secret() -> None:
    require_production(from_flags(secret=SECRET))
    require_production(from_flags(secret=SECRET, base_url="https://wiki.example.com"))
    staging = {PROPERTY_PREFIX + "skip.base.url.https.requirement": True}
    require_production(from_flags(secret=SECRET, base_url="http://wiki.example.com", **staging))


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"secret": ""}, r"^No secret is set: run `watersmeet init`"),
        ({"secret": SAMPLE_SECRET}, r"^The secret is the sample of the documentation"),
        ({"secret": SECRET[:-1]}, r"^The secret is too easy to guess: use at least 32"),
        ({"secret": "abcdefg" * 10}, r"^The secret is too easy to guess"),
        ({"secret": "a" * 64}, r"^The secret is too easy to guess"),
        ({"base_url": "http://wiki.example.com"}, r"^The base URL must be https: change base_url, or set"),
        ({"port": 0}, r"^port must be a number from 1 to 65535\."),
    ],
)
def test_s149_production_refuses_what_is_unsafe_with_a_sentence(flags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as refusal:
        require_production(from_flags(**{"secret": SECRET, **flags}))
    if flags.get("secret"):
        assert flags["secret"] not in refusal.value.description


def test_the_base_url_follows_the_port_unless_it_is_set() -> None:
    assert load(flags={"port": 9000}, environment={}).base_url == "http://127.0.0.1:9000"
    set_too = load(flags={"port": 9000, "base_url": "https://wiki.example.com"}, environment={})
    assert set_too.base_url == "https://wiki.example.com"


def test_scheme_and_host_of_the_base_url_in_any_letter_case() -> None:
    settings = load(flags={"base_url": "HTTPS://Wiki.Example.COM/Confluence/"}, environment={})
    assert settings.base_url == "https://wiki.example.com/Confluence"
    assert settings.is_https


@pytest.mark.parametrize(
    "url", ['https://x"y', "https://a b", "https://wiki.example.com/é", "https://x/<y>", "https://x\\y"]
)
def test_a_base_url_needs_no_quoting(url: str) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        load(flags={"base_url": url}, environment={})


def test_n9_what_is_weak_is_told() -> None:
    assert weaknesses(Settings()) == []
    long_lived = Settings(provider=ProviderSettings(access_token_expiration_seconds=3601, validate_client_secret=False))
    assert [text.split()[0].rpartition("provider.")[2] for text in weaknesses(long_lived)] == [
        "access.token.expiration.seconds",
        "validate.client.secret",
    ]
    assert weaknesses(Settings(base_url="http://wiki.example"))[0].startswith("base_url is http")
