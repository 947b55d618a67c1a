"""Inline comments, custom content, drafts, templates, copies and likes, on both engines, under races."""

from __future__ import annotations

import pytest

from tests.support.grants import together
from watersmeet.confluence.content import Content, ContentStatus, Resolution
from watersmeet.confluence.errors import BadBody, ContentNotFound, TemplateNotFound, TitleTaken, VersionConflict
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Window
from watersmeet.confluence.restriction import Restricted
from watersmeet.confluence.storage_format import marked_refs
from watersmeet.content import copy, custom, draft, inline, label, like, read, restriction, template, write
from watersmeet.content import property as properties
from watersmeet.content.comment import CommentDraft, create_comment
from watersmeet.content.copy import Along, Destination, Titles
from watersmeet.content.custom import CustomDraft
from watersmeet.content.inline import Selection
from watersmeet.content.label import Word
from watersmeet.content.property import SentAlong
from watersmeet.content.restriction import Wanted
from watersmeet.content.template import Instance, TemplateDraft
from watersmeet.content.write import Draft, Revision
from watersmeet.database.audit import INTERNAL
from watersmeet.database.content import ContentFilter
from watersmeet.entropy import SystemEntropy

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]

ENTROPY = SystemEntropy()
BODY = Expansion.parse(["body"])
WORDS = ("one", "two", "three", "four")


def _comment(wiki: Wiki, page: Content, word: str) -> Content:
    return wiki.run(
        create_comment, "alice", CommentDraft(page.id, "<p>why?</p>", selection=Selection(word, 0)), NOW, ENTROPY
    )


def _storage(wiki: Wiki, page: Content) -> str:
    return wiki.find(page.id, BODY).storage or ""


def test_of_comments_at_once_each_keeps_its_marker(wiki: Wiki) -> None:
    page = wiki.create("Plan", storage=f"<p>{' '.join(WORDS)}</p>")
    made = together(4, lambda number: _comment(wiki, page, WORDS[number]))
    places = [each.place for each in made if isinstance(each, Content) and each.place]
    assert marked_refs(_storage(wiki, page)) == {place.marker_ref for place in places}
    assert [place.original_selection for place in places] == list(WORDS)


def test_a_comment_and_a_new_body_at_once_leave_no_comment_that_claims_a_text(wiki: Wiki) -> None:
    for number in range(4):
        page = wiki.create(f"Plan {number}", storage="<p>one</p>")

        def act(which: int, page: Content = page) -> Content:
            return _comment(wiki, page, "one") if which else wiki.update(page.id, 2, storage="<p>new</p>")

        updated, comment = together(2, act)
        assert not isinstance(updated, Exception), updated
        if isinstance(comment, Content):
            place = wiki.find(comment.id, NOTHING).place
            assert place
            assert place.resolution == Resolution.DANGLING
        else:
            assert isinstance(comment, VersionConflict | BadBody)  # the page moved on, before or after it was read


def test_a_thread_is_resolved_as_one(wiki: Wiki) -> None:
    page = wiki.create("Plan", storage="<p>one two</p>")
    root, other = _comment(wiki, page, "one"), _comment(wiki, page, "two")
    reply = wiki.run(create_comment, "alice", CommentDraft(page.id, "<p/>", parent_id=root.id), NOW, ENTROPY)
    wiki.run(inline.resolve, "alice", reply.id, Resolution.RESOLVED, NOW)

    def located(*locations: str) -> list[int]:
        wanted = ContentFilter(container_id=page.id, locations=locations)
        return [item.id for item in wiki.load(wanted, Window()).items]

    assert located("resolved") == [root.id, reply.id]
    assert located("inline") == [other.id]
    assert located("footer") == []
    assert located("nonsense") == []


def test_custom_content_and_likes(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    sent = CustomDraft("a.b:Note", container_id=page.id, storage="<", representation="raw")
    note = wiki.run(custom.create_custom, "alice", sent, NOW)
    assert (note.storage, note.representation, note.container_id) == ("<", "raw", page.id)
    assert [len(wiki.run(like.like, user, page.id, NOW)[1]) for user in ("alice", "bob")] == [1, 2]
    wiki.run(like.unlike, "alice", page.id)
    assert [person.username for person in wiki.run(like.list_likes, "bob", page.id)[1]] == ["bob"]


def test_a_draft_becomes_a_page_once(wiki: Wiki) -> None:
    begun = wiki.run(write.create, "alice", Draft("page", "OPEN", "", status=ContentStatus.DRAFT), NOW)
    revision = Revision(1, title="Plan", status=ContentStatus.CURRENT)
    results = together(4, lambda _: wiki.run(draft.write_draft, "alice", begun.id, revision, NOW + 1))
    assert sorted(type(result).__name__ for result in results) == ["Content"] + ["ContentNotFound"] * 3
    found = wiki.find(begun.id, NOTHING, by="bob")
    assert (found.title, found.version.number, found.created_at) == ("Plan", 1, NOW + 1)
    again = wiki.run(write.create, "alice", Draft("page", "OPEN", "Plan", status=ContentStatus.DRAFT), NOW)
    with pytest.raises(TitleTaken):
        wiki.run(draft.write_draft, "alice", again.id, Revision(1, status=ContentStatus.CURRENT), NOW)
    wiki.run(draft.discard, "alice", again.id)
    with pytest.raises(ContentNotFound):
        wiki.run(read.find, "alice", again.id, draft.DRAFT, NOTHING)


def test_a_template_and_a_page_from_it(wiki: Wiki) -> None:
    sent = TemplateDraft("Minutes", storage='<p><at:var at:name="who" /></p>', labels=("minutes",), space_key="OPEN")
    made = wiki.run(template.create_template, "admin", sent, NOW)
    changed = wiki.run(template.change_template, "admin", made.id, TemplateDraft(labels=("notes", "early")), NOW)
    assert (changed.version, changed.labels, changed.storage) == (2, ("notes", "early"), sent.storage)
    listed = wiki.run(template.list_templates, "bob", "OPEN", Window())
    assert [each.name for each in listed.items] == ["Minutes"]
    page = wiki.run(template.make_page, "alice", made.id, Instance("Monday", values={"who": "Ada"}), NOW)
    assert page.storage == "<p>Ada</p>"
    shut = wiki.run(template.create_template, "admin", TemplateDraft("x", storage="", space_key="SHUT"), NOW)
    with pytest.raises(TemplateNotFound):
        wiki.run(template.find_template, "bob", shut.id)


def test_a_tree_is_copied_with_what_belongs_to_it(wiki: Wiki) -> None:
    top = wiki.create("Top", properties={"mood": SentAlong('"good"')})
    child = wiki.create("Child", parent_id=top.id)
    wiki.run(label.add_labels, "alice", child.id, [Word("global", "early"), Word("my", "own")], NOW)
    mine = [Wanted(Restricted.READ, usernames=("alice",))]
    wiki.run(restriction.restrict, "alice", child.id, mine, NOW, INTERNAL, anew=True)
    shelf = wiki.create("Shelf")
    along = Along(permissions=True, properties=True, labels=True)
    task = wiki.run(copy.copy_tree, "alice", top.id, shelf.id, Titles("New "), along, NOW, INTERNAL, ENTROPY)
    copied = wiki.find(task.detail["copy"], NOTHING)
    assert (copied.title, copied.parent_id) == ("New Top", shelf.id)
    assert wiki.run(properties.find_property, "alice", copied.id, "mood").version == 1
    below = wiki.load(ContentFilter(parent_id=copied.id), Window(), Expansion.parse(["metadata.labels"])).items
    assert [(each.title, [found.name for found in each.labels]) for each in below] == [("New Child", ["early"])]
    with pytest.raises(ContentNotFound):
        wiki.find(below[0].id, NOTHING, by="bob")


def test_of_copies_with_one_title_one_is_made(wiki: Wiki) -> None:
    page, to = wiki.create("Plan"), Destination(space_key="OPEN")
    results = together(4, lambda _: wiki.run(copy.copy_page, "alice", page.id, to, Along(), NOW, INTERNAL))
    assert sorted(type(result).__name__ for result in results) == ["Content"] + ["TitleTaken"] * 3
