"""Filling in the variables of a template."""

from __future__ import annotations

import pytest

from watersmeet.confluence.content import MAX_BODY
from watersmeet.confluence.errors import BodyTooLarge
from watersmeet.confluence.storage_format import filled_in, options, validate

DECLARED = (
    '<at:declarations><at:string at:name="who" /><at:list at:name="size"><at:option at:value="S" />'
    '<at:option at:value="L&amp;XL" /></at:list></at:declarations>'
)


@pytest.mark.parametrize(
    ("template", "page"),
    [
        ('<p>for <at:var at:name="who" />!</p>', "<p>for Ada &lt;b&gt; &amp; co!</p>"),
        ('<p>for <at:var at:name="who"></at:var>!</p>', "<p>for Ada &lt;b&gt; &amp; co!</p>"),
        ("<p>for <at:var at:name='who'/>!</p>", "<p>for Ada &lt;b&gt; &amp; co!</p>"),
        (DECLARED + '<p><at:var at:name="nobody" /></p>', "<p></p>"),
        ('<p><at:var at:name="lines" /></p>', "<p>a<br />b</p>"),
        ("<p>&nbsp;<br/>  as it was</p>", "<p>&nbsp;<br/>  as it was</p>"),
        ('<ac:plain-text-body><![CDATA[<at:var at:name="who" />]]></ac:plain-text-body>', None),
    ],
)
def test_variables_become_text_and_the_rest_stays(template: str, page: str | None) -> None:
    found = filled_in(template, {"who": "Ada <b> & co", "lines": "a\nb"})
    assert found == (template if page is None else page)
    validate(found)


@pytest.mark.parametrize("value", ["a" * 100_000, "&" * 20_000, "\n" * 17_000])
def test_a_value_that_is_asked_for_often_makes_no_page_larger_than_a_request(value: str) -> None:
    asked = '<p><at:var at:name="who" /></p>'
    assert len(filled_in(asked * 50, {"who": value})) <= MAX_BODY
    with pytest.raises(BodyTooLarge):
        filled_in(asked * 400, {"who": value})


def test_the_values_that_a_choice_allows() -> None:
    assert options(DECLARED) == {"size": ("S", "L&XL")}
    assert options("<p>nothing is asked</p>") == {}
