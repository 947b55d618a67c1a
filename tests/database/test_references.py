"""What bodies name is found on both engines: by the reader's eyes, and by the indices."""

from __future__ import annotations

import re

from tests.support.plan import explained
from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.restriction import Restricted
from watersmeet.confluence.storage_format.naming import PageName, Place
from watersmeet.confluence.storage_format.text import UserReference
from watersmeet.content import restriction
from watersmeet.content.known import look_up
from watersmeet.content.restriction import Wanted
from watersmeet.database import content as contents
from watersmeet.database import references
from watersmeet.database.audit import INTERNAL

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]


def _attach(wiki: Wiki, page: Content, name: str) -> int:
    return wiki.database.write_now(
        lambda tx: contents.add(
            tx,
            content_type=ContentType.ATTACHMENT,
            space_id=page.space.id,
            parent_id=None,
            container_id=page.id,
            title=name,
            storage="",
            creator=wiki.people["alice"],
            now=NOW,
        )
    )


def test_everything_named_is_found_by_whoever_may_see_it(wiki: Wiki) -> None:
    page, hidden = wiki.create("Ünd 'so'"), wiki.create("Kept back")
    file = _attach(wiki, page, "a+b %41.png")
    secret = _attach(wiki, hidden, "x.png")
    below = wiki.create("Below", parent_id=page.id)
    wanted = Wanted(Restricted.READ, usernames=("alice",))
    wiki.run(restriction.restrict, "alice", hidden.id, (wanted,), NOW, INTERNAL, anew=True)
    files = {"ünd 'so'": "a+b %41.png", "Kept back": "x.png"}
    storage = "".join(
        f'<ac:link><ri:page ri:content-title="{title.upper()}" /></ac:link>'
        f'<ac:image><ri:attachment ri:filename="{name}">'
        f'<ri:page ri:content-title="{title}" /></ri:attachment></ac:image>'
        for title, name in files.items()
    )
    storage += (
        '<ac:link><ri:user ri:username="Bob" /></ac:link><ac:link><ri:space ri:space-key="demo" /></ac:link>'
        f'<ac:link><ri:content-entity ri:content-id="{hidden.id}" /></ac:link>'
        '<ac:structured-macro ac:name="children" /><ac:structured-macro ac:name="attachments" />'
    )
    key = page.space.key.lower()
    storage = storage.replace('"demo"', f'"{key}"')
    place = Place(page.space.key, page.id)
    found = {
        name: wiki.run(lambda tx, reader: look_up(tx, reader, [(storage, place)]), name) for name in ("alice", "bob")
    }
    assert found["bob"].pages.keys() == {PageName(key, "page", "ünd 'so'")}
    assert found["alice"].pages.keys() == {PageName(key, "page", "ünd 'so'"), PageName(key, "page", "kept back")}
    assert {one.id for one in found["bob"].attachments.values()} == {file}
    assert {one.id for one in found["alice"].attachments.values()} == {file, secret}
    assert found["bob"].contents == {}
    assert found["alice"].contents.keys() == {hidden.id}
    assert found["bob"].people[UserReference(username="Bob")].username == "bob"
    assert found["bob"].spaces.keys() == {key}
    assert [branch.page.id for branch in found["bob"].trees[page.id]] == [below.id]
    assert [one.file.title for one in found["bob"].lists[page.id]] == ["a+b %41.png"]


def test_titles_and_files_are_found_by_their_indices(wiki: Wiki) -> None:
    """Not by reading the whole space: SQLite says which index it takes."""
    engine, alice = wiki.database.engine, wiki.people["alice"]
    with explained(engine) as plans:
        found = [
            wiki.database.read_now(lambda tx: references.find_titled(tx, [("open", "page", "x")], alice)),
            wiki.database.read_now(lambda tx: references.find_files(tx, [(1, "x.png")], alice)),
        ]
    assert [list(rows) for rows in found] == [[], []]
    if engine.dialect.name == "sqlite":
        assert re.search("uq_content_current_title|ix_content_title_key_space_id", " ".join(plans)), plans
        assert "uq_content_current_attachment" in " ".join(plans), plans
