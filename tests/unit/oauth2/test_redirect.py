"""RedirectUri: registration, exact matching, and the URL of an answer."""

from __future__ import annotations

import string
from contextlib import suppress
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.oauth2.redirect import InvalidRedirectUri, RedirectUri, find_match, is_loopback_host

REGISTERED = "https://app.example/cb"

# Section 2.20 of the security specification: the attack, and whether it may even be registered. What may be
# is a harmless address of its own, which exact comparison keeps apart from ours.
HARMLESS, DANGEROUS = True, False
ATTACKS: list[tuple[str, bool]] = [
    # OAuch: appended to the registered one
    (REGISTERED + "/FAKEPATH", HARMLESS),
    (REGISTERED + "%2FFAKEPATH", HARMLESS),
    (REGISTERED + "/..%2FFAKEPATH", DANGEROUS),
    (REGISTERED + "/%2e%2e%2FFAKEPATH", DANGEROUS),
    (REGISTERED + "/..%252FFAKEPATH", HARMLESS),
    (REGISTERED + "/FAKEPATH/..", DANGEROUS),
    (REGISTERED + "%2FFAKEPATH%2F..", DANGEROUS),
    (REGISTERED + "/;/../../FAKEPATH", DANGEROUS),
    (REGISTERED + "/%3B/../../FAKEPATH", DANGEROUS),
    (REGISTERED + "%3B%2F..%2F..%2FFAKEPATH", DANGEROUS),
    (REGISTERED + "%0A%0D/../../FAKEPATH", DANGEROUS),
    (REGISTERED + "?code=attackercode", DANGEROUS),
    (REGISTERED + "?extra=oauch", HARMLESS),
    (REGISTERED + "/Wrong", HARMLESS),
    # published vulnerabilities
    ("http://app.example/cb", DANGEROUS),
    ("HTTPS://APP.EXAMPLE/cb", DANGEROUS),
    ("https://APP.EXAMPLE/cb", DANGEROUS),
    ("https://app.example/CB", HARMLESS),
    ("https://app.example:443/cb", HARMLESS),
    ("https://app.example:444/cb", HARMLESS),
    ("https://app.example:/cb", DANGEROUS),
    ("https://app.example:0443/cb", DANGEROUS),
    ("https://app.example:0/cb", DANGEROUS),
    ("https://app.example:99999/cb", DANGEROUS),
    ("https://app.example/cb/", HARMLESS),
    ("https://app.example/cb?", HARMLESS),
    ("https://app.example/cb#", DANGEROUS),
    ("https://app.example/cb#x", DANGEROUS),
    ("https://app.example/./cb", DANGEROUS),
    ("https://app.example/a/../cb", DANGEROUS),
    ("https://app.example/..;/cb", DANGEROUS),
    ("https://app.example/.%3b/cb", DANGEROUS),
    ("https://app.example/..%3Bx/cb", DANGEROUS),
    ("https://app.example/.%2E/cb", DANGEROUS),
    ("https://app.example/%2E%2e/cb", DANGEROUS),
    ("https://app.example/a%5c..%5ccb", DANGEROUS),
    ("//app.example/cb", DANGEROUS),
    ("/cb", DANGEROUS),
    ("", DANGEROUS),
    ("https:/app.example/cb", DANGEROUS),
    ("https:app.example/cb", DANGEROUS),
    ("https:///app.example/cb", DANGEROUS),
    ("https://app.example/cb;x", HARMLESS),
    ("https://app.example/cb..;/x", HARMLESS),
    ("https://app.example%2f@evil.test/cb", DANGEROUS),
    ("https://app.example@evil.test/cb", DANGEROUS),
    ("https://a@b@app.example/cb", DANGEROUS),
    ("https://user:password@app.example/cb", DANGEROUS),
    ("https://@app.example/cb", DANGEROUS),
    ("https://evil.test\\@app.example/cb", DANGEROUS),
    ("https://app.example\\.evil.test/cb", DANGEROUS),
    ("https:\\\\app.example\\cb", DANGEROUS),
    ("https://app.example.evil.test/cb", HARMLESS),
    ("https://appXexample/cb", DANGEROUS),
    ("https://xapp.example/cb", HARMLESS),
    ("https://evil.test/https://app.example/cb", HARMLESS),
    ("https://evil.test?https://app.example/cb", HARMLESS),
    ("https://evil.test#https://app.example/cb", DANGEROUS),
    ("https://app.example/cb%00.evil", DANGEROUS),
    ("https://app.example/cb%0a", DANGEROUS),
    ("https://app.example/cb%0D%0aSet-Cookie:x", DANGEROUS),
    ("https://app.example/cb%7f", DANGEROUS),
    ("https://app.example/cb%", DANGEROUS),
    ("https://app.example/cb%zz", DANGEROUS),
    ("https://app.example/cb\x00", DANGEROUS),
    ("https://app.example/cb ", DANGEROUS),
    (" https://app.example/cb", DANGEROUS),
    ("https://app.example/cb\t", DANGEROUS),
    ("https://app.exa\tmple/cb", DANGEROUS),
    ("\thttps://app.example/cb", DANGEROUS),
    ("https://app.example/cb\n", DANGEROUS),
    ("https://app.example/cb\r\n", DANGEROUS),
    ("https://app.example./cb", DANGEROUS),
    ("https://app..example/cb", DANGEROUS),
    ("https://.app.example/cb", DANGEROUS),
    ("https://*.example/cb", DANGEROUS),
    ("https://а\u0440p.example/cb", DANGEROUS),
    ("https://xn--pp-7lc.example/cb", HARMLESS),
    ("https://app\u3002example/cb", DANGEROUS),
    ("https://app.example\uff0fcb", DANGEROUS),
    ("https://[::1]/cb", HARMLESS),
    ("https://[::1/cb", DANGEROUS),
    ("https://[app.example]/cb", DANGEROUS),
    ("https://app.example/cb" + "x" * 65536, DANGEROUS),
    ("javascript://app.example/cb%0aalert(1)", DANGEROUS),
    ("JaVaScRiPt:alert(1)", DANGEROUS),
    ("javascript:alert(1)", DANGEROUS),
    ("data:text/html,x", DANGEROUS),
    ("vbscript:x", DANGEROUS),
    ("file:///etc/passwd", DANGEROUS),
    ("blob:https://app.example/x", DANGEROUS),
    ("about:blank", DANGEROUS),
    ("view-source:https://app.example/cb", DANGEROUS),
    ("myapp:/cb", DANGEROUS),
    ("com.example.app://host/cb", DANGEROUS),
    ("com.example.app:cb", DANGEROUS),
    ('https://app.example/cb"onload="x', DANGEROUS),
    ("https://app.example/cb<script>", DANGEROUS),
]
# Without backslashes: pytest escapes those of given names anew each time a process collects, as `make mutate` does.
IDS = [quote(uri[:60], safe=string.punctuation.replace("\\", "")) or "empty" for uri, _ in ATTACKS]


@pytest.mark.parametrize(("attack", "_registrable"), ATTACKS, ids=IDS)
def test_s032_no_attack_string_matches_the_registered_uri(attack: str, _registrable: bool) -> None:
    assert not RedirectUri.register(REGISTERED).matches(attack)
    assert find_match([RedirectUri(REGISTERED)], attack) is None


@pytest.mark.parametrize(("attack", "registrable"), ATTACKS, ids=IDS)
def test_s034_s035_s036_dangerous_uris_cannot_be_registered(attack: str, registrable: bool) -> None:
    if registrable:
        assert RedirectUri.register(attack).matches(attack)
    else:
        with pytest.raises(InvalidRedirectUri):
            RedirectUri.register(attack)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.1", "0x7f000001", "1.2.3.4.5", "a.1", "[::ffff:127.0.0.1]", "[0:0::1]"]
)
def test_v45_a_host_that_browsers_read_as_another_address_cannot_be_registered(host: str) -> None:
    with pytest.raises(InvalidRedirectUri):
        RedirectUri.register(f"https://{host}/cb")
    with pytest.raises(InvalidRedirectUri):
        RedirectUri.register(f"http://{host}/cb", allow_http=True)
    assert RedirectUri.register("https://192.0.2.1/cb").host == "192.0.2.1"
    assert RedirectUri.register("https://[2001:db8::1]/cb").host == "[2001:db8::1]"


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "error_description", "error_uri", "%63ode"])
def test_s030_a_query_must_not_hold_what_the_answer_adds(name: str) -> None:
    for query in (f"?{name}=x", f"?a=1&{name}=x", f"?{name}=", f"?{name}"):
        with pytest.raises(InvalidRedirectUri):
            RedirectUri.register(REGISTERED + query)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example",
        "https://app.example/cb?x=1",
        "https://app.example/cb%20a",
        "https://10.0.0.1:8443/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:8080/cb",
        "http://[::1]:1/cb",
        "http://localhost:3000/cb",
        "com.example.app:/callback",
        "https://app.example/.well-known/cb",
        "https://app.example/a...b/cb",
    ],
)
def test_ordinary_uris_can_be_registered_and_stay_as_they_are(uri: str) -> None:
    assert RedirectUri.register(uri).value == uri


_HOST = "The host must be a plain lower-case host name or address, without user name."
_SCHEME = (
    "Use https, http on this computer (127.0.0.1, [::1] or localhost), or an application's own scheme in reverse "
    "domain form, like com.example.app:/callback."
)
_CHARACTERS = (
    "Only plain ASCII is allowed: no spaces, backslashes or control characters; write an international host name in "
    "its xn-- form."
)
_ESCAPES = "The URL contains % without two hexadecimal digits, or an encoded control character."


@pytest.mark.parametrize(
    ("uri", "description"),
    [
        ("", "The redirect URL is empty."),
        ("https://app.example/" + "x" * 2048, "The redirect URL is longer than 2048 characters."),
        ("https://app.example/#", "The redirect URL must not contain a fragment (#)."),
        ("https://app.example/ü", _CHARACTERS),
        ("https://app.example/%0a", _ESCAPES),
        ("https://app.example/%7F", _ESCAPES),
        ("https://app.example/%4", _ESCAPES),
        ("https://[::1/cb", "This is not a URL."),
        ("/cb", "Write the whole URL, beginning with https://."),
        ("HTTPS://app.example/cb", "Write the scheme in lower case."),
        ("https://user@app.example/cb", "The redirect URL must not contain a user name."),
        (
            "https://app.example/cb?state",
            "The query must not contain code, state, iss or error: the answer adds them.",
        ),
        ("https://app.example:99999/cb", "The port is not a number from 1 to 65535."),
        ("https://app.example:0/cb", _HOST),
        ("https://App.example/cb", _HOST),
        ("https://127.1/cb", _HOST),
        ("https://a..b/cb", _HOST),
        (
            "http://app.example/cb",
            "Use https. Plain http is for this computer only (127.0.0.1, [::1] or localhost), or set "
            "atlassian.oauth2.provider.skip.redirect.url.https.requirement=true.",
        ),
        ("https://app.example/../cb", "The path must not contain . or .. segments."),
        ("myapp:/cb", _SCHEME),
        ("com.example.app://host/cb", _SCHEME),
        ("com.example.app:cb", _SCHEME),
    ],
)
def test_whoever_registers_a_uri_is_told_what_is_wrong_with_it(uri: str, description: str) -> None:
    with pytest.raises(InvalidRedirectUri) as refusal:
        RedirectUri.register(uri)
    assert refusal.value.description == description


@pytest.mark.parametrize(
    ("uri", "plain"),
    [
        ("https://app.example/cb", False),
        ("http://app.example/cb", True),
        ("http://localhost.evil.test/cb", True),
        ("http://localhost:3000/cb", False),
        ("http://127.0.0.1/cb", False),
        ("http://[::1]:5/cb", False),
        ("com.example.app:/cb", False),
    ],
)
def test_s002_an_answer_travels_unprotected_only_over_http_to_another_computer(uri: str, plain: bool) -> None:
    assert RedirectUri(uri).is_plain_http is plain


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_s033_three_names_always_mean_this_computer(host: str) -> None:
    assert is_loopback_host(host)
    for other in (host.upper() + ".", f"x{host}", f"{host}.evil.test", ""):
        assert not is_loopback_host(other)


@pytest.mark.parametrize("uri", ["http://app.example/cb", "http://0.0.0.0/cb"])
def test_s002_plain_http_elsewhere_needs_the_vendors_property(uri: str) -> None:
    with pytest.raises(InvalidRedirectUri, match=r"skip\.redirect\.url\.https\.requirement"):
        RedirectUri.register(uri)
    assert RedirectUri.register(uri, allow_http=True).value == uri


def test_the_property_for_http_opens_nothing_else() -> None:
    for uri, registrable in ATTACKS:
        if not registrable and uri != "http://app.example/cb":
            with pytest.raises(InvalidRedirectUri):
                RedirectUri.register(uri, allow_http=True)


def test_a_uri_has_at_most_2048_characters() -> None:
    longest = REGISTERED + "/" + "x" * (2048 - len(REGISTERED) - 1)
    assert RedirectUri.register(longest).value == longest
    with pytest.raises(InvalidRedirectUri, match="2048"):
        RedirectUri.register(longest + "x")


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65535/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1/cb"),
        ("http://[::1]:5/cb", "http://[::1]:6/cb"),
        ("http://127.0.0.1:5", "http://127.0.0.1:6"),
        ("http://127.0.0.1:5/cb?x=1", "http://127.0.0.1:6/cb?x=1"),
    ],
)
def test_s033_the_port_of_a_loopback_address_may_differ(registered: str, presented: str) -> None:
    assert RedirectUri.register(registered).matches(presented)
    assert find_match([RedirectUri(REGISTERED), RedirectUri(registered)], presented) == RedirectUri(presented)


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("http://127.0.0.1:5/cb", "http://localhost:5/cb"),
        ("http://localhost:5/cb", "http://localhost:6/cb"),
        ("http://localhost:5/cb", "http://127.0.0.1:5/cb"),
        ("http://127.0.0.1:5/cb", "http://127.1:5/cb"),
        ("http://127.0.0.1:5/cb", "http://0.0.0.0:5/cb"),
        ("http://127.0.0.1:5/cb", "http://2130706433:5/cb"),
        ("http://127.0.0.1:5/cb", "http://[::1]:5/cb"),
        ("http://127.0.0.1:5/cb", "http://[::ffff:127.0.0.1]:5/cb"),
        ("http://127.0.0.1:5/cb", "https://127.0.0.1:5/cb"),
        ("https://127.0.0.1:5/cb", "https://127.0.0.1:6/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/CB"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb/"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb?x=1"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb#"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb\n"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:65536/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:-1/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:٦/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:6@evil.test/cb"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1.evil.test:6/cb"),
        ("http://127.0.0.1:5/cb", "http://user@127.0.0.1:6/cb"),
        ("http://127.0.0.1:5/cb", "HTTP://127.0.0.1:6/cb"),
    ],
)
def test_s033_nothing_else_of_a_loopback_uri_may_differ(registered: str, presented: str) -> None:
    assert not RedirectUri(registered).matches(presented)


@given(st.text())
def test_s032_only_the_same_string_matches(presented: str) -> None:
    assert RedirectUri(REGISTERED).matches(presented) == (presented == REGISTERED)


@given(st.text(max_size=30))
def test_whatever_is_offered_for_registration_is_refused_or_kept_as_it_is(tail: str) -> None:
    for value in (tail, f"https://{tail}", f"https://app.example/{tail}", f"http://127.0.0.1:{tail}"):
        with suppress(InvalidRedirectUri):
            assert RedirectUri.register(value).value == value


@given(state=st.text(min_size=1), code=st.text(min_size=1))
@pytest.mark.parametrize("registered", [REGISTERED, REGISTERED + "?x=1&y=%20", REGISTERED + "?", "com.example.app:/cb"])
def test_s029_state_comes_back_exactly_as_it_was_sent(registered: str, state: str, code: str) -> None:
    uri = RedirectUri.register(registered)
    answer = uri.with_answer({"code": code, "state": state, "nothing": None})
    assert answer.startswith(registered)
    assert answer.isascii()
    assert answer.isprintable()
    assert " " not in answer
    assert "#" not in answer
    answered = parse_qsl(urlsplit(answer).query, keep_blank_values=True)
    before = parse_qsl(urlsplit(registered).query, keep_blank_values=True)
    assert answered == [*before, ("code", code), ("state", state)]


@pytest.mark.parametrize(
    ("uri", "host", "origin", "form_action", "loopback"),
    [
        ("https://app.example/cb", "app.example", "https://app.example", "https:", False),
        ("https://app.example:8443/cb", "app.example:8443", "https://app.example:8443", "https:", False),
        ("http://127.0.0.1:5/cb", "127.0.0.1:5", "http://127.0.0.1:5", "http: https:", True),
        ("http://[::1]:5/cb", "[::1]:5", "http://[::1]:5", "http: https:", True),
        ("http://localhost/cb", "localhost", "http://localhost", "http: https:", True),
        ("com.example.app:/cb", "com.example.app", "com.example.app:", "com.example.app:", False),
        ("https://localhost.evil.test/cb", "localhost.evil.test", "https://localhost.evil.test", "https:", False),
    ],
)
def test_a_uri_names_its_host_and_origin_and_how_answers_travel(
    uri: str, host: str, origin: str, form_action: str, loopback: bool
) -> None:
    registered = RedirectUri.register(uri)
    assert (registered.host, registered.origin, registered.is_loopback) == (host, origin, loopback)
    assert registered.form_action == form_action


@pytest.mark.parametrize(
    ("uri", "readable"),
    [
        ("https://xn--bcher-kva.example/cb", "bücher.example"),
        ("https://xn--bcher-kva.example:8443/cb", "bücher.example:8443"),
        ("https://sub.xn--e1afmkfd.example/", "sub.пример.example"),
        ("https://plain.example/cb", None),
        ("https://xn--a.example/", None),  # not an encoding of anything
        ("https://xn--.example/", None),
        ("https://example.com/xn--bcher-kva", None),
        ("com.example.app:/callback", None),
    ],
)
def test_an_international_host_name_is_decoded_for_reading(uri: str, readable: str | None) -> None:
    assert RedirectUri(uri).readable_host == readable
