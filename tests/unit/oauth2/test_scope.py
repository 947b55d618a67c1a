"""ScopeSet and ScopeVocabulary: the algebra of RFC 6749 §3.3 with implication."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.scopes import VOCABULARY, Role, Scope
from watersmeet.oauth2.errors import InvalidScope
from watersmeet.oauth2.scope import ScopeSet, ScopeVocabulary

# Not a chain, so that laws which hold only for chains show: top -> left, right -> base; other stands alone.
DIAMOND = ScopeVocabulary.of(
    {
        "base": [],
        "left": ["base"],
        "right": ["base"],
        "top": ["left", "right", "base"],
        "other": [],
    }
)


def sets_of(vocabulary: ScopeVocabulary) -> st.SearchStrategy[ScopeSet]:
    names = st.frozensets(st.sampled_from(list(vocabulary.implications)), min_size=1)
    return names.map(lambda chosen: ScopeSet(vocabulary, chosen))


pairs = st.sampled_from([VOCABULARY, DIAMOND]).flatmap(lambda v: st.tuples(sets_of(v), sets_of(v)))
triples = st.sampled_from([VOCABULARY, DIAMOND]).flatmap(lambda v: st.tuples(sets_of(v), sets_of(v), sets_of(v)))
singles = st.sampled_from([VOCABULARY, DIAMOND]).flatmap(sets_of)


@pytest.mark.parametrize(
    ("text", "administrative"), [("READ", False), ("READ WRITE", False), ("ADMIN", True), ("READ SYSTEM_ADMIN", True)]
)
def test_s068_s122_what_reaches_beyond_content_is_told_by_all_that_it_implies(text: str, administrative: bool) -> None:
    assert VOCABULARY.parse(text).is_administrative is administrative
    top = ScopeVocabulary.of({"base": [], "top": ["base"]}, administrative=["base"]).parse("top")
    assert top.is_administrative
    assert not DIAMOND.parse("top").is_administrative


@given(singles)
def test_a_set_covers_itself(some: ScopeSet) -> None:
    assert some.covers(some)


@given(triples)
def test_covering_is_transitive(three: tuple[ScopeSet, ScopeSet, ScopeSet]) -> None:
    a, b, c = three
    if a.covers(b) and b.covers(c):
        assert a.covers(c)


@given(pairs)
def test_two_sets_that_cover_each_other_amount_to_the_same(two: tuple[ScopeSet, ScopeSet]) -> None:
    a, b = two
    assert (a.covers(b) and b.covers(a)) == (a.implied == b.implied)


@given(singles)
def test_implication_is_closed_and_contains_the_names_themselves(some: ScopeSet) -> None:
    assert some.names <= some.implied
    assert ScopeSet(some.vocabulary, some.implied).implied == some.implied


@given(pairs)
def test_s148_a_cap_allows_exactly_what_both_sides_allow(two: tuple[ScopeSet, ScopeSet]) -> None:
    some, ceiling = two
    assert some.capped_by(ceiling).implied == some.implied & ceiling.implied


@given(pairs)
def test_a_cap_that_takes_nothing_keeps_the_words(two: tuple[ScopeSet, ScopeSet]) -> None:
    some, ceiling = two
    if ceiling.covers(some):
        assert some.capped_by(ceiling).names == some.names


@given(pairs)
def test_capping_twice_is_capping_once(two: tuple[ScopeSet, ScopeSet]) -> None:
    some, ceiling = two
    once = some.capped_by(ceiling)
    assert once.capped_by(ceiling) == once


@given(triples)
def test_the_order_of_caps_does_not_matter(three: tuple[ScopeSet, ScopeSet, ScopeSet]) -> None:
    some, one, other = three
    assert some.capped_by(one).capped_by(other).implied == some.capped_by(other).capped_by(one).implied


@given(singles)
def test_the_strongest_names_are_the_fewest_that_amount_to_the_same(some: ScopeSet) -> None:
    strongest = some.vocabulary.strongest(some.implied)
    assert strongest.implied == some.implied
    for name in strongest.names:
        assert ScopeSet(some.vocabulary, strongest.names - {name}).implied != some.implied


@given(singles)
def test_what_is_spelled_is_read_back_the_same(some: ScopeSet) -> None:
    assert some.vocabulary.parse(str(some)) == some


@given(singles, st.randoms(use_true_random=False))
def test_s147_order_and_repetition_of_names_do_not_matter(some: ScopeSet, random: object) -> None:
    words = str(some).split(" ")
    for order in itertools.islice(itertools.permutations(words), 6):
        assert some.vocabulary.parse(" ".join([*order, order[0]])) == some


@pytest.mark.parametrize(
    "text", ["", " ", "read", "READ,WRITE", "READ\tWRITE", "READ\nWRITE", "READ\u00a0WRITE", "X READ"]
)
def test_s147_what_is_not_a_list_of_known_scopes_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope) as refusal:
        VOCABULARY.parse(text)
    assert refusal.value.description == ("The valid scopes are READ, WRITE, ADMIN, SYSTEM_ADMIN, separated by spaces.")


def test_s147_spaces_too_many_name_nothing() -> None:
    assert VOCABULARY.parse(" READ  WRITE ") == VOCABULARY.parse("READ WRITE")


def test_s127_each_scope_implies_all_weaker_ones() -> None:
    for number, scope in enumerate(Scope):
        assert scope.as_set.implied == set(list(Scope)[: number + 1])


def test_s127_roles_cap_scopes() -> None:
    assert str(Scope.SYSTEM_ADMIN.as_set.capped_by(Role.USER.ceiling)) == "WRITE"
    assert str(Scope.SYSTEM_ADMIN.as_set.capped_by(Role.ADMINISTRATOR.ceiling)) == "ADMIN"
    assert str(Scope.SYSTEM_ADMIN.as_set.capped_by(Role.SYSTEM_ADMINISTRATOR.ceiling)) == "SYSTEM_ADMIN"
    assert str(Scope.READ.as_set.capped_by(Role.USER.ceiling)) == "READ"


@pytest.mark.parametrize("open_implications", [{"a": ["b"]}, {"a": [], "b": ["a"], "c": ["b"]}])
def test_a_vocabulary_whose_implications_are_not_closed_cannot_be_made(
    open_implications: dict[str, list[str]],
) -> None:
    with pytest.raises(ValueError, match="not closed"):
        ScopeVocabulary.of(open_implications)


def test_a_vocabulary_whose_implications_are_closed_is_made_as_it_is_given() -> None:
    made = ScopeVocabulary.of({"a": (), "b": ("a",), "c": ("a", "b")})
    assert made.implications == {"a": {"a"}, "b": {"a", "b"}, "c": {"a", "b", "c"}}
    assert ScopeVocabulary.of({"all": ("all",)}).implications == {"all": {"all"}}


def test_a_vocabulary_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        VOCABULARY.implications["GOD"] = frozenset()  # type: ignore[index]
