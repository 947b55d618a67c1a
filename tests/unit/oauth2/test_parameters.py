"""Parameters: strict decoding, once."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.oauth2.errors import MalformedParameters, MissingParameter, RepeatedParameter
from watersmeet.oauth2.parameters import MAX_PARAMETERS, MAX_VALUE_LENGTH, Parameters

printable = st.text(st.characters(blacklist_categories=["Cc", "Cs"], blacklist_characters="\ufeff"), max_size=40)


@given(st.lists(st.tuples(printable, printable.filter(bool)), max_size=10))
def test_what_is_encoded_is_decoded_the_same(pairs: list[tuple[str, str]]) -> None:
    parsed = Parameters.parse(urlencode(pairs).encode())
    assert list(parsed) == pairs
    assert Parameters.parse(parsed.encode().encode()) == parsed


@given(st.binary(max_size=200))
def test_s024_whatever_bytes_come_they_are_read_or_refused_as_malformed(encoded: bytes) -> None:
    try:
        parsed = Parameters.parse(encoded)
    except MalformedParameters:
        return
    assert not any(ord(character) < 0x20 for pair in parsed for text in pair for character in text)


@pytest.mark.parametrize(
    "encoded",
    [
        b"state=%00",
        b"state=a%0d%0aSet-Cookie:x",
        b"state=%0A",
        b"state=%09",
        b"state=%7f",
        b"state=%c2%85",
        b"state=%EF%BB%BFx",
        b"%00=x",
        b"state=\x00",
        b"state=a\nb",
    ],
)
def test_s024_control_characters_are_refused_in_names_and_values(encoded: bytes) -> None:
    with pytest.raises(MalformedParameters):
        Parameters.parse(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        b"state=%ff",
        b"state=%c0%af",
        b"state=%e0%80%af",
        b"state=%f0%80%80%af",
        b"state=%ed%a0%80",
        b"state=%f4%90%80%80",
        b"state=%c3",
        b"state=%c3%28",
        b"%ff=x",
        "state=ü".encode(),
        b"state=\xff",
    ],
)
def test_s024_what_is_not_utf_8_is_refused_overlong_forms_and_surrogates_included(encoded: bytes) -> None:
    with pytest.raises(MalformedParameters):
        Parameters.parse(encoded)


@pytest.mark.parametrize("encoded", [b"a=%", b"a=%4", b"a=%zz", b"a=%4g", b"%=1", b"a=100%", b"a=%u0041"])
def test_bad_escapes_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedParameters):
        Parameters.parse(encoded)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        (b"state=%252e", "%2e"),
        (b"state=%2525", "%25"),
        (b"state=a+b", "a b"),
        (b"state=a%2Bb", "a+b"),
        (b"state=a;b=c", "a;b=c"),
        (b"state=a=b", "a=b"),
        (b"state=%F0%9F%A6%86", "🦆"),
        (b"state=%26%3D%23", "&=#"),
    ],
)
def test_s025_decoding_happens_once(encoded: bytes, value: str) -> None:
    assert Parameters.parse(encoded).require("state") == value


@pytest.mark.parametrize("parts", [(b"a=1&a=2",), (b"a=1&a=1",), (b"a=1", b"a=1"), (b"a=&a=1",), (b"a&a",)])
def test_s018_a_repeated_parameter_is_refused_wherever_and_whatever(parts: tuple[bytes, ...]) -> None:
    parameters = Parameters.parse(*parts)
    with pytest.raises(RepeatedParameter):
        parameters.get("a")
    with pytest.raises(RepeatedParameter):
        parameters.require("a")
    with pytest.raises(RepeatedParameter):
        parameters.refuse_repeated()


def test_s027_only_known_names_of_repeated_parameters_are_told() -> None:
    with pytest.raises(RepeatedParameter, match="state"):
        Parameters.parse(b"state=1&state=2").refuse_repeated()
    with pytest.raises(RepeatedParameter) as refusal:
        Parameters.parse(b"evil=1&evil=2").refuse_repeated()
    assert "evil" not in refusal.value.description


@pytest.mark.parametrize("encoded", [b"", b"a=", b"a", b"b=1", b"a[]=1", b"A=1", b"a%5B%24ne%5D=1"])
def test_s020_s026_an_empty_parameter_or_one_of_another_name_is_absent(encoded: bytes) -> None:
    parameters = Parameters.parse(encoded)
    assert parameters.get("a") is None
    assert "a" not in parameters
    with pytest.raises(MissingParameter):
        parameters.require("a")


def test_s019_unknown_parameters_are_kept_and_harm_nothing() -> None:
    parameters = Parameters.parse(b"access_type=offline&a=1&prompt=consent", b"foo=bar")
    parameters.refuse_repeated()
    assert parameters.require("a") == "1"
    assert "foo" in parameters


def test_too_many_parameters_are_refused_also_when_query_and_body_share_them() -> None:
    half = b"&".join(b"a%d=1" % number for number in range(MAX_PARAMETERS // 2))
    rest = half.replace(b"a", b"b")
    assert len(list(Parameters.parse(half, rest))) == MAX_PARAMETERS
    with pytest.raises(MalformedParameters):
        Parameters.parse(half, rest + b"&c=1")
    with pytest.raises(MalformedParameters):
        Parameters.parse(half + b"&" + rest + b"&c=1")


def test_s029_long_values_are_accepted_up_to_a_limit() -> None:
    assert Parameters.parse(b"state=" + b"x" * MAX_VALUE_LENGTH).require("state") == "x" * MAX_VALUE_LENGTH
    with pytest.raises(MalformedParameters):
        Parameters.parse(b"state=" + b"x" * (MAX_VALUE_LENGTH + 1))
    with pytest.raises(MalformedParameters):
        Parameters.parse(b"x" * (MAX_VALUE_LENGTH + 1) + b"=1")


def test_the_client_is_told_which_parameter_is_missing_or_repeated() -> None:
    parameters = Parameters.parse(b"state=1&state=2")
    with pytest.raises(MissingParameter) as missing:
        parameters.require("client_id")
    with pytest.raises(RepeatedParameter) as repeated:
        parameters.get("state")
    assert [(caught.value.parameter, caught.value.description) for caught in (missing, repeated)] == [
        ("client_id", "The parameter client_id is required."),
        ("state", "The parameter state was sent more than once."),
    ]


def test_s013_names_and_values_may_be_as_long_as_the_limit_says() -> None:
    longest = "n" * MAX_VALUE_LENGTH
    assert list(Parameters.parse(f"{longest}={longest}".encode())) == [(longest, longest)]
    for encoded in (f"{longest}n=v", f"n={longest}v"):
        with pytest.raises(MalformedParameters):
            Parameters.parse(encoded.encode())


LONG = b"x" * (MAX_VALUE_LENGTH + 1)


@pytest.mark.parametrize(
    ("encoded", "description"),
    [
        (b"a=%", "The parameters are not well-formed UTF-8 application/x-www-form-urlencoded text."),
        (b"a=%ff", "The parameters are not well-formed UTF-8 application/x-www-form-urlencoded text."),
        (b"a&" * (MAX_PARAMETERS + 1), "At most 64 parameters are accepted."),
        (b"a=" + LONG, "A parameter is longer than 8192 characters."),
        (b"a=%00", "The parameters contain control characters."),
    ],
)
def test_the_client_is_told_how_its_parameters_are_malformed(encoded: bytes, description: str) -> None:
    with pytest.raises(MalformedParameters) as refusal:
        Parameters.parse(encoded)
    assert refusal.value.description == description


def test_s013_the_client_is_told_of_the_limit_also_when_query_and_body_share_the_parameters() -> None:
    with pytest.raises(MalformedParameters) as refusal:
        Parameters.parse(b"a&" * MAX_PARAMETERS, b"b")
    assert refusal.value.description == "At most 64 parameters are accepted."


def test_s013_the_longest_text_and_the_most_parameters_are_still_read() -> None:
    pairs = [(f"n{number}", "v" * (MAX_VALUE_LENGTH // 2)) for number in range(MAX_PARAMETERS)]
    assert list(Parameters.parse(urlencode(pairs).encode())) == pairs
    one = "v" * (MAX_VALUE_LENGTH - 2)
    assert Parameters.parse(f"a={one}".encode()).get("a") == one
    assert list(Parameters.parse(b"&&a=1&&b&")) == [("a", "1"), ("b", "")]


def test_s027_every_name_this_server_knows_is_told_when_it_was_repeated() -> None:
    names = [
        "client_id", "client_secret", "client_assertion", "client_assertion_type", "redirect_uri", "response_type",
        "response_mode", "scope", "state", "code_challenge", "code_challenge_method", "grant_type", "code",
        "code_verifier", "refresh_token", "token", "token_type_hint", "resource",
    ]  # fmt: skip
    for name in names:
        with pytest.raises(RepeatedParameter, match=f"The parameter {name} was sent"):
            Parameters.parse(f"{name}=1&{name}=2".encode()).refuse_repeated()
    with pytest.raises(RepeatedParameter) as refusal:
        Parameters.parse(b"x=1&x=2").refuse_repeated()
    assert (refusal.value.parameter, refusal.value.description) == (
        "(unknown)",
        "The parameter (unknown) was sent more than once.",
    )


def test_s018_a_repeated_parameter_makes_no_other_one_unreadable() -> None:
    parameters = Parameters.parse(b"scope=1&state=x&scope=2")
    assert parameters.require("state") == "x"


def test_s018_of_several_repeated_parameters_the_first_is_told() -> None:
    with pytest.raises(RepeatedParameter, match="state"):
        Parameters.parse(b"state=1&scope=1&scope=2&state=2").refuse_repeated()


def test_s020_an_empty_value_beside_the_name_does_not_make_a_parameter_present() -> None:
    parameters = Parameters.parse(b"a=&b=x")
    assert ["a" in parameters, "b" in parameters, "x" in parameters] == [False, True, False]
