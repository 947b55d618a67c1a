"""Bodies as HTML with what they name looked up: for whoever reads them, and in a constant count of queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lxml import html
from sqlalchemy import event

from tests.http.conftest import Site
from tests.http.content.support import CONTENT, SPACE, create, path_of
from tests.http.content.test_attachments import attached


def page_link(title: str, key: str = "") -> str:
    space = f'ri:space-key="{key}" ' if key else ""
    return f'<ac:link><ri:page {space}ri:content-title="{title}" /></ac:link>'


def macro(name: str, page: str = "") -> str:
    parameter = f'<ac:parameter ac:name="">{page}</ac:parameter>' if page else ""
    return f'<ac:structured-macro ac:name="{name}">{parameter}</ac:structured-macro>'


def keep_to(site: Site, content: dict[str, Any], username: str) -> None:
    user = {"user": [{"type": "known", "username": username}], "group": []}
    answer = site.put(f"{path_of(content)}/restriction", json=[{"operation": "read", "restrictions": user}])
    assert answer.status_code == 200, answer.text


def view(site: Site, content: dict[str, Any], user: str = "alice", form: str = "view") -> str:
    answer = site.get(f"{path_of(content)}?expand=body.{form}", user=user)
    found: str = answer.json()["body"][form]["value"]
    return found


@contextmanager
def counted(site: Site) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    engines = [site.environment.database.engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


_EVERYTHING = (
    page_link("Hidden plan")
    + page_link("Runbook", "ENG")
    + macro("include", page_link("Hidden plan"))
    + macro("include", page_link("Runbook", "ENG"))
    + macro("excerpt-include", page_link("Hidden plan"))
    + macro("children")
    + '<ac:link><ri:space ri:space-key="ENG" /></ac:link>'
    + '<ac:link><ri:attachment ri:filename="x"><ri:page ri:content-title="Hidden plan" /></ri:attachment></ac:link>'
)


def test_what_the_reader_may_not_see_is_shown_like_what_does_not_exist(site: Site) -> None:
    """`bob` sees neither the space ENG nor the restricted page: the same bytes as if they had never been."""
    holder = create(site, "Holder", storage=_EVERYTHING)
    before = view(site, holder, "bob")
    hidden = create(site, "Hidden plan", storage="<p>the secret</p>")
    below = create(site, "Below", ancestors=[{"id": holder["id"]}])
    keep_to(site, hidden, "alice")
    keep_to(site, below, "alice")
    for form in ("view", "export_view", "styled_view", "editor"):
        assert hidden["id"] not in view(site, holder, "bob", form)
    assert view(site, holder, "bob") == before
    seen = view(site, holder, "alice")
    assert f'data-linked-resource-id="{hidden["id"]}"' in seen
    assert seen.count("the secret") == 1
    assert "Below" in seen
    assert "Engineering" in seen


def test_a_name_tells_no_title(site: Site) -> None:
    hidden = create(site, "Layoffs 2027", storage="<p>the secret</p>")
    keep_to(site, hidden, "alice")
    entity = f'<ac:link><ri:content-entity ri:content-id="{hidden["id"]}" /></ac:link>'
    holder = create(site, "Holder", storage=entity + page_link("LAYOFFS 2027"))
    assert "Layoffs" not in view(site, holder, "bob")
    assert view(site, holder, "alice").count("Layoffs") == 3  # two addresses and a title


def test_a_public_export_holds_what_everybody_sees(site: Site) -> None:
    hidden = create(site, "Hidden plan", storage="<p>the secret</p>")
    holder = create(site, "Holder", storage=page_link("Hidden plan") + macro("include", page_link("Hidden plan")))
    assert "the secret" in view(site, holder, form="export_view")
    for user in ("alice", "admin"):
        public = view(site, holder, user, "anonymous_export_view")
        assert "the secret" not in public
        assert hidden["id"] not in public


def test_people_are_called_by_their_names(site: Site) -> None:
    key = site.get("/rest/api/user?username=bob").json()["userKey"]
    holder = create(
        site,
        storage=f'<ac:link><ri:user ri:userkey="{key}" /></ac:link><ac:link><ri:user ri:username="VIEWER" /></ac:link>',
    )
    names = [site.get(f"/rest/api/user?username={name}").json()["displayName"] for name in ("bob", "viewer")]
    assert re.findall(r">([^<]+)</a>", view(site, holder)) == names
    assert "user-mention" in view(site, holder, form="anonymous_export_view")
    assert names[0] not in view(site, holder, form="anonymous_export_view")


def test_names_are_relative_to_where_they_are_written(site: Site) -> None:
    """What a page of ENG names within a page of DEMO is in ENG."""
    create(site, "Same title", key="ENG", storage="<p>of ENG</p>")
    create(site, "Same title", storage="<p>of DEMO</p>")
    create(site, "Between", key="ENG", storage=macro("include", page_link("Same title")))
    holder = create(site, "Holder", storage=macro("include", page_link("Between", "ENG")))
    shown = view(site, holder)
    assert "of ENG" in shown
    assert "of DEMO" not in shown


def test_inclusion_ends(site: Site) -> None:
    """In a circle, and after so many levels."""
    first = create(site, "First", storage="<p>one</p>" + macro("include", page_link("Second")))
    create(site, "Second", storage="<p>two</p>" + macro("include", page_link("First")))
    assert view(site, first).count("<p>one</p>") == 1
    assert view(site, first).count("<p>two</p>") == 1
    for number in range(8):
        create(
            site, f"Level {number}", storage=f"<p>at {number}</p>" + macro("include", page_link(f"Level {number + 1}"))
        )
    top = site.get(f"{CONTENT}?title=Level 0&spaceKey=DEMO").json()["results"][0]
    assert re.findall(r"<p>at (\d)</p>", view(site, top)) == ["0", "1", "2", "3", "4"]


def test_children_are_listed_in_their_order_and_depth(site: Site) -> None:
    shown = (
        '<ac:structured-macro ac:name="children"><ac:parameter ac:name="depth">2</ac:parameter></ac:structured-macro>'
    )
    top = create(site, "Top", storage=shown)
    one, two = (create(site, name, ancestors=[{"id": top["id"]}]) for name in ("One", "Two"))
    inner = create(site, "Inner", ancestors=[{"id": one["id"]}])
    create(site, "Innermost", ancestors=[{"id": inner["id"]}])
    assert site.put(f"{path_of(two)}/move/before/{one['id']}").status_code == 200
    assert re.findall(r">([^<]+)</a>", view(site, top)) == ["Two", "One", "Inner"]


@pytest.mark.parametrize("form", ["view", "export_view", "styled_view", "anonymous_export_view", "editor"])
def test_nothing_that_is_included_can_run(site: Site, form: str) -> None:
    attack = '<p>held</p><script>alert(1)</script><p onclick="alert(1)">x</p><a href="javascript:alert(1)">y</a>'
    create(site, "Attack", storage=attack)
    holder = create(site, "Holder", storage=macro("include", page_link("Attack")) + macro("children"))
    value = view(site, holder, form=form).lower()
    assert not any(sign in value for sign in ("<script", "onclick", "javascript:"))
    assert ("held" in value) is (form != "anonymous_export_view")


def test_the_count_of_queries_does_not_grow_with_what_is_named(site: Site) -> None:
    counts = []
    for size in (1, 30):
        for number in range(size):
            create(site, f"Target {size} {number}", storage=f"<p>{number}</p>")
        names = [f"Target {size} {number}" for number in range(size)]
        storage = "".join(
            page_link(name)
            + macro("include", page_link(name))
            + f'<ac:link><ri:attachment ri:filename="{name}" /></ac:link>'
            + f'<ac:link><ri:user ri:username="{name}" /></ac:link>'
            for name in names
        )
        for number in range(size):
            create(site, f"Holder {size} {number}", storage=storage)
        listed = f"{CONTENT}?spaceKey=DEMO&limit=1000&expand=body.view"
        site.get(listed)  # the token is known, and statements are prepared
        with counted(site) as said:
            found = site.get(listed).json()
        assert found["size"] > size
        counts.append(len(said))
    assert counts[0] == counts[1] < 20, counts


def test_a_space_description_and_a_version_name_things_too(site: Site) -> None:
    """Every way to a body ends in the same look-up: an old version, a container, a homepage, a search."""
    target = create(site, "Target")
    made = create(site, "Holder", storage=page_link("Target"))
    site.put(path_of(made), json={"type": "page", "title": "Holder", "version": {"number": 2}})
    sign = f'data-linked-resource-id="{target["id"]}"'
    old = site.get(f"{path_of(made)}?status=historical&version=1&expand=body.view").json()
    assert sign in old["body"]["view"]["value"]
    found = site.get(f"{CONTENT}/search?cql=id={made['id']}&expand=body.view").json()["results"][0]
    assert sign in found["body"]["view"]["value"]
    comment = {
        "type": "comment",
        "container": {"id": made["id"], "type": "page"},
        "body": {"storage": {"value": page_link("Target"), "representation": "storage"}},
    }
    said = site.post(f"{CONTENT}?expand=body.view,container.body.view", json=comment).json()
    assert sign in said["body"]["view"]["value"]
    assert sign in said["container"]["body"]["view"]["value"]
    home = {"homepage": {"id": made["id"]}}
    assert site.put(f"{SPACE}/DEMO", json=home, user="admin", scope="ADMIN").status_code == 200
    space = site.get(f"{SPACE}/DEMO?expand=homepage.body.view").json()
    assert sign in space["homepage"]["body"]["view"]["value"]


def test_files_are_looked_up_with_the_pages_that_have_them(site: Site) -> None:
    """A picture of its own, one of another page, one of a page that the reader does not see, and lists of files."""
    other, hidden = create(site, "Other"), create(site, "Kept back")
    storage = "".join(
        f'<ac:image><ri:attachment ri:filename="a+b 100%.png">{holder}</ri:attachment></ac:image>'
        for holder in ("", '<ri:page ri:content-title="Other" />', '<ri:page ri:content-title="Kept back" />')
    )
    holder = create(site, "Holder", storage=storage + macro("attachments"))
    files = [attached(site, page, "a+b 100%.png", b"bytes") for page in (holder, other, hidden)]
    attached(site, holder, "z.txt", b"x" * 5, hidden="true")
    keep_to(site, hidden, "alice")
    for user, seen in (("alice", files), ("bob", files[:2])):
        shown = html.fromstring(view(site, holder, user, "export_view"))
        images = shown.xpath("//img")
        assert [image.get("data-linked-resource-id") for image in images] == [file["id"] for file in seen]
        for image in images:
            path = image.get("src").removeprefix(site.base_url)
            assert site.get(path, user=user).content == b"bytes"
        assert shown.xpath("//table[contains(@class, 'attachments')]//a/text()") == ["a+b 100%.png"]
        assert shown.xpath("//td[contains(@class, 'size-column')]/text()") == ["5 bytes"]
