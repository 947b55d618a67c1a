"""Redirection URIs: what may be registered, what matches, and the URL of an answer.

Matching is exact string comparison (RFC 9700 §2.1); the one exception is the port of a loopback address
(RFC 8252 §7.3). No normalisation: whatever two parsers could read differently is refused at registration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

from watersmeet.errors import WatersmeetError

MAX_LENGTH = 2048

_LOOPBACK_ADDRESSES = ("127.0.0.1", "[::1]")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

# Printable ASCII without the characters that browsers and servers are known to read differently.
_ALLOWED = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_BAD_ESCAPE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|(?![0-9A-Fa-f]{2}))")  # of a control character, or none
_SEPARATOR = re.compile(r"/|%2[Ff]|%5[Cc]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_LOOPBACK = re.compile(r"(?P<origin>http://(?:127\.0\.0\.1|\[::1\]))(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?].*)?")
_RESERVED = frozenset({"code", "state", "iss", "response", "error", "error_description", "error_uri"})


class InvalidRedirectUri(WatersmeetError):
    """A redirection URI that may not be registered; the description says why."""


def is_loopback_host(host: str) -> bool:
    """Whether a host name (without brackets) always means this computer."""
    return host in LOOPBACK_HOSTS


@dataclass(frozen=True, slots=True)
class RedirectUri:
    """A redirection URI as it was registered, to the letter."""

    value: str

    @classmethod
    def register(cls, value: str, *, allow_http: bool = False) -> RedirectUri:
        """Check a URI for registration (S002, S030, S034-S036). Raises ``InvalidRedirectUri``.

        ``allow_http`` is the property ``skip.redirect.url.https.requirement``; loopback is always allowed.
        """
        for is_wrong, text in _REGISTRATION_CHECKS:
            if is_wrong(value):
                raise InvalidRedirectUri(text)
        parts = urlsplit(value)
        if parts.scheme in ("http", "https"):
            _check_web(value, allow_http=allow_http)
        elif "." not in parts.scheme or parts.netloc or not parts.path.startswith("/"):
            raise InvalidRedirectUri(
                "Use https, http on this computer (127.0.0.1, [::1] or localhost), or an application's own "
                "scheme in reverse domain form, like com.example.app:/callback."
            )
        return cls(value)

    @property
    def is_loopback(self) -> bool:
        """Whether the answer goes to a program on the user's own computer."""
        return is_loopback_host(urlsplit(self.value).hostname or "")

    @property
    def is_web(self) -> bool:
        """Whether the answer goes to a server under https: to no program on the user's own device."""
        return urlsplit(self.value).scheme == "https" and not self.is_loopback

    @property
    def is_plain_http(self) -> bool:
        """Whether an answer would travel unprotected, and not stay on the user's own computer."""
        return urlsplit(self.value).scheme == "http" and not self.is_loopback

    @property
    def host(self) -> str:
        """The host (with its port, if any) for people to read; the scheme of an application's own URI."""
        parts = urlsplit(self.value)
        return parts.netloc or parts.scheme

    @property
    def readable_host(self) -> str | None:
        """An international host name decoded from its ``xn--`` form; ``None`` where there is nothing to decode.

        To be shown beside the raw name, never instead of it: what it reads like is what a forger chose.
        """
        host = self.host
        if "xn--" not in host:
            return None
        try:
            decoded = host.encode("ascii").decode("idna")
        except UnicodeError:
            return None
        # A name with invisible or direction-changing characters is not worth reading.
        return decoded if decoded != host and decoded.isprintable() else None

    @property
    def origin(self) -> str:
        """The web origin, whose scripts a public client may ask with (S107); the scheme of an application's own URI."""
        parts = urlsplit(self.value)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"

    @property
    def form_action(self) -> str:
        """What ``form-action`` of a Content-Security-Policy must name for the answer to get through (S007).

        Schemes, not origins: Chromium holds every redirect after the post to it, the client's own too, and where
        a client sends the browser next is not registered anywhere. ``https`` is never left for ``http``.
        """
        scheme = urlsplit(self.value).scheme
        return "http: https:" if scheme == "http" else f"{scheme}:"

    def matches(self, presented: str) -> bool:
        """Whether a request's ``redirect_uri`` is this one (S032, S033)."""
        if presented == self.value:
            return True
        ours, theirs = _LOOPBACK.fullmatch(self.value), _LOOPBACK.fullmatch(presented)
        return bool(
            ours
            and theirs
            and int(theirs["port"] or 80) < 65536
            and (ours["origin"], ours["rest"]) == (theirs["origin"], theirs["rest"])
        )

    def with_answer(self, answer: Mapping[str, str | None], fragment: str = "") -> str:
        """The URI with the answer's parameters appended; what was registered stays untouched.

        Values are percent-encoded so that decoding gives back exactly what went in (S029). ``fragment`` is
        appended as it is, with its ``#``.
        """
        query = urlencode({name: value for name, value in answer.items() if value is not None})
        return f"{self.value}{'&' if '?' in self.value else '?'}{query}{fragment}"


def find_match(registered: Iterable[RedirectUri], presented: str) -> RedirectUri | None:
    """The presented URI, if it matches one that is registered."""
    if any(uri.matches(presented) for uri in registered):
        return RedirectUri(presented)
    return None


def _check_web(value: str, *, allow_http: bool) -> None:
    parts = urlsplit(value)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidRedirectUri("The port is not a number from 1 to 65535.") from error
    shown = f"[{host}]" if ":" in host else host
    canonical = shown if port is None else f"{shown}:{port}"
    if not value.startswith(f"{parts.scheme}://") or not _HOST.fullmatch(shown) or parts.netloc != canonical:
        raise InvalidRedirectUri("The host must be a plain lower-case host name or address, without user name.")
    if port == 0 or ".." in host or _is_ambiguous_address(host):
        raise InvalidRedirectUri("The host must be a plain lower-case host name or address, without user name.")
    if parts.scheme == "http" and not allow_http and not is_loopback_host(host):
        raise InvalidRedirectUri(
            "Use https. Plain http is for this computer only (127.0.0.1, [::1] or localhost), or set "
            "atlassian.oauth2.provider.skip.redirect.url.https.requirement=true."
        )
    # Some servers take "..;x" for "..", and "%5C" for a separator.
    plain = parts.path.replace("%2e", ".").replace("%2E", ".").replace("%3b", ";").replace("%3B", ";")
    if any(segment.partition(";")[0] in (".", "..") for segment in _SEPARATOR.split(plain)):
        raise InvalidRedirectUri("The path must not contain . or .. segments.")


def _is_ambiguous_address(host: str) -> bool:
    """Whether browsers read an address in it that it does not spell: 127.1 and 2130706433 are 127.0.0.1 to them."""
    if ":" not in host and not _ENDS_IN_A_NUMBER.fullmatch(host):
        return False
    try:
        return str(ip_address(host)) != host or (":" in host and "." in host)
    except ValueError:
        return True


def _has_reserved_parameter(value: str) -> bool:
    names = {name for name, _ in parse_qsl(urlsplit(value).query, keep_blank_values=True)}
    return bool(names & _RESERVED)


def _is_unparseable(value: str) -> bool:
    try:
        urlsplit(value)
    except ValueError:
        return True
    return False


_REGISTRATION_CHECKS = (
    (lambda value: not value, "The redirect URL is empty."),
    (lambda value: len(value) > MAX_LENGTH, "The redirect URL is longer than 2048 characters."),
    (lambda value: "#" in value, "The redirect URL must not contain a fragment (#)."),
    (
        lambda value: not _ALLOWED.fullmatch(value),
        "Only plain ASCII is allowed: no spaces, backslashes or control characters; write an international "
        "host name in its xn-- form.",
    ),
    (_BAD_ESCAPE.search, "The URL contains % without two hexadecimal digits, or an encoded control character."),
    (_is_unparseable, "This is not a URL."),
    (lambda value: not urlsplit(value).scheme, "Write the whole URL, beginning with https://."),
    (lambda value: urlsplit(value).scheme != value.split(":")[0], "Write the scheme in lower case."),
    (lambda value: "@" in urlsplit(value).netloc, "The redirect URL must not contain a user name."),
    (_has_reserved_parameter, "The query must not contain code, state, iss or error: the answer adds them."),
)
