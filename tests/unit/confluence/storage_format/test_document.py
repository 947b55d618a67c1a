"""Reading storage format: what is malformed, and where; what search takes from it."""

from __future__ import annotations

import pytest

from watersmeet.confluence.errors import MalformedStorage
from watersmeet.confluence.storage_format import (
    attachment_links,
    macro_names,
    mentioned_users,
    page_links,
    parse,
    plain_text,
)
from watersmeet.confluence.storage_format.document import MAX_DEPTH
from watersmeet.confluence.storage_format.text import AttachmentReference, PageReference, UserReference


@pytest.mark.parametrize(
    ("storage", "line", "column"),
    [
        ("<p>ä &nbsp;€<b>x</p>", 1, 19),
        ("<p>a\n b</i></p>", 2, 5),
        ("\n\r\nx\r<b></i>", 4, 6),
        ("<p>&foo;</p>", 1, 4),
        ("<x:y/>", 1, 1),
        ("<p>\x08</p>", 1, 4),
        ("<p>\ud800</p>", 1, 4),
        ("<p>" * (MAX_DEPTH + 1), 1, 3 * MAX_DEPTH + 1),
    ],
)
def test_a_malformed_body_is_refused_with_its_place_in_what_was_sent(storage: str, line: int, column: int) -> None:
    with pytest.raises(MalformedStorage, match=r"^Error parsing xhtml: ") as refused:
        parse(storage)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "storage",
    [
        "</storage><storage>",
        "<p/></storage>x",
        "</storage><!-- ",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><p>&x;</p>",
        '<!ENTITY x SYSTEM "file:///etc/passwd">&x;',
        "<![CDATA[",
        "a & b",
        '<p a="1" a="2"/>',
    ],
)
def test_a_body_cannot_leave_its_root_nor_declare_anything(storage: str) -> None:
    with pytest.raises(MalformedStorage):
        parse(storage)


def test_entities_and_prefixes_are_implied() -> None:
    assert parse("<p>&nbsp;&rarr;&amp;</p><ac:link/><ri:user/>").text() == "\u00a0→&"


BODY = (
    '<p>Hi&nbsp;<ac:link><ri:user ri:userkey="k1"/></ac:link> there</p>'
    '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">py</ac:parameter>'
    "<ac:plain-text-body><![CDATA[a < b]]></ac:plain-text-body></ac:structured-macro>"
    '<p><ac:link><ri:page ri:content-title="T &amp; U" ri:space-key="K"/></ac:link></p>'
    '<ac:image><ri:attachment ri:filename="a b.png"/></ac:image>'
)


def test_what_search_and_indexing_take() -> None:
    assert plain_text(BODY) == "Hi there\na < b\nT & U"
    assert macro_names(BODY) == {"code"}
    assert mentioned_users(BODY) == {UserReference(key="k1")}
    assert page_links(BODY) == {PageReference("T & U", "K")}
    assert attachment_links(BODY) == {AttachmentReference("a b.png")}


def test_a_malformed_body_is_still_indexed() -> None:
    assert plain_text("<p>one<br>two &amp; three") == "one two & three"
    assert macro_names('<ac:macro ac:name="x">') == frozenset()
