"""Run by an interpreter that has atlassian-python-api: every helper of it, once, against a real server.

    python every_helper.py BASE_URL TOKEN KEY FOLDER

prints what each came to as one JSON object: ``{"get_space": true, "get_license_details": "HTTPError: …"}``. Nothing of
the library is patched; helpers that one version lacks are left out.
"""

import json
import logging
import sys
import time
from pathlib import Path

from atlassian import Confluence

logging.disable(logging.CRITICAL)
base_url, token, key, folder = sys.argv[1:]
confluence = Confluence(url=base_url, token=token, cloud=False)
READ = [{"targetType": "space", "operationKey": "read"}]


def answer_of(found):
    """JSON, whether a helper hands on the answer or what is in it."""
    return found.json() if hasattr(found, "json") else found


def titles(found):
    found = answer_of(found)
    found = found.get("results", found) if isinstance(found, dict) else found
    return [each["title"] for each in found]


def until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def no_such(call):
    """Whether the library says so where something is gone: each version has its own way."""
    try:
        found = call()
    except Exception:
        return True
    return not found or (isinstance(found, dict) and found.get("statusCode") == 404)


confluence.create_space(key, "Every helper")
home = confluence.get_space(key, expand="homepage")["homepage"]
page = confluence.create_page(key, "A page", "<p>first words</p>", parent_id=home["id"])["id"]
child = confluence.create_page(key, "Its child", "<table><tbody><tr><td>a</td></tr></tbody></table>", parent_id=page)[
    "id"
]
blog = confluence.create_page(key, "News", "<p>new</p>", type="blogpost")["id"]
me = answer_of(confluence.get("rest/api/user/current"))
file = Path(folder, "notes.txt")
file.write_text("one")


def fresh(title, body="<p>fresh</p>"):
    return confluence.create_page(key, title, body)["id"]


def versions_of(number):
    return [
        each["number"] for each in answer_of(confluence.get(f"rest/experimental/content/{number}/version"))["results"]
    ]


def with_versions(title, count):
    made = fresh(title)
    for number in range(1, count):
        confluence.update_page(made, title, f"<p>{number}</p>", always_update=True)
    return made


def updated(title, change):
    made = fresh(title)
    change(made)
    return confluence.get_page_by_id(made, expand="body.storage")["body"]["storage"]["value"]


# ---- what each helper is called with, and what must be true of what it gives ----


def json_page(title, **more):
    body = {"storage": {"value": "<p>x</p>", "representation": "storage"}}
    return {"type": "page", "title": title, "space": {"key": key}, "body": body, **more}


def comment_on(number):
    return {"type": "comment", "container": {"id": number, "type": "page"}, "body": json_page("")["body"]}


def listed(found):
    """Whatever a helper calls a list."""
    found = answer_of(found) if not hasattr(found, "__next__") else list(found)
    return found.get("results", found) if isinstance(found, dict) else found


def attached():
    made = answer_of(
        confluence.attach_content("one", name="a.txt", content_type="text/plain", page_id=fresh(f"F{time.time()}"))
    )
    return made["results"][0] if "results" in made else made


def trashed():
    number = fresh(f"Thrown {time.time()}")
    confluence.remove_page(number)
    return number


def versions_after(count, change):
    """The versions that are left of a page with so many, after a helper that takes its number."""
    number = with_versions(f"Versions {time.time()}", count)
    change(number)
    return versions_of(number)


def files_after(change):
    """The versions that are left of an attachment with three, after a helper that takes its page and its number."""
    page_id = fresh(f"Files {time.time()}")
    for text in ("one", "two", "three"):
        confluence.attach_content(text, name="a.txt", content_type="text/plain", page_id=page_id)
    number = answer_of(confluence.get_attachments_from_content(page_id))["results"][0]["id"]
    change(page_id, number)
    return versions_of(number)


def file_removed():
    page_id = fresh(f"File {time.time()}")
    confluence.attach_content("one", name="a.txt", content_type="text/plain", page_id=page_id)
    confluence.delete_attachment(page_id, "a.txt")
    return titles(confluence.get_attachments_from_content(page_id))


def draft():
    body = {"storage": {"value": "<p>later</p>", "representation": "storage"}}
    sent = {"type": "page", "status": "draft", "title": f"Draft {time.time()}", "space": {"key": key}, "body": body}
    return answer_of(confluence.post("rest/api/content", data=sent))["id"]


def ticked():
    task = "<ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status></ac:task>"
    body = {"storage": {"value": f"<ac:task-list>{task}</ac:task-list>", "representation": "storage"}}
    sent = {"type": "page", "title": f"Tasks {time.time()}", "space": {"key": key}, "body": body}
    made = answer_of(confluence.post("rest/api/content", data=sent))
    return answer_of(c.set_inline_tasks_checkbox(made["id"], "1", "CHECKED"))


def inline_comment():
    return answer_of(confluence.get(f"rest/inlinecomments/1.0/comments?containerId={page}"))[0]["id"]


def template():
    body = {"storage": {"value": "<p>x</p>", "representation": "storage"}}
    return answer_of(confluence.create_or_update_template("A template", body, space=key))


def deleted_space():
    other = key + "X"
    confluence.create_space(other, "To be deleted")
    confluence.delete_space(other)
    return until(lambda: no_such(lambda: confluence.get_space(other)))


def archived_space():
    other = key + "Y"
    confluence.create_space(other, "To be archived")
    confluence.archive_space(other)
    return answer_of(confluence.get(f"rest/api/space/{other}"))["status"] == "archived"


def tasks():
    return listed(confluence.check_long_tasks_result())


c = confluence
HELPERS = {
    # content
    "get_content": lambda: c.get_content(page)["id"] == page,
    "get_content_by_type": lambda: "results" in c.get_content_by_type("page"),
    "create_content": lambda: c.create_content(json_page("Made of JSON"))["title"] == "Made of JSON",
    "update_content": lambda: c.update_content(fresh("Changed as JSON"), json_page("Changed", version={"number": 2})),
    "delete_content": lambda: c.delete_content(fresh("Deleted as content")) is not False,
    "get_content_children": lambda: "page" in json.dumps(c.get_content_children(page)),
    "get_content_descendants": lambda: "page" in json.dumps(c.get_content_descendants(page)),
    "get_descendant_pages": lambda: titles(c.get_descendant_pages(page)) == ["Its child"],
    "get_content_by_title": lambda: titles(c.get_content_by_title(key, "A page")) == ["A page"],
    "get_content_by_id": lambda: c.get_content_by_id(page)["title"] == "A page",
    "get_all_pages_from_space": lambda: "A page" in titles(listed(c.get_all_pages_from_space(key))),
    "get_all_blog_posts_from_space": lambda: titles(listed(c.get_all_blog_posts_from_space(key))) == ["News"],
    "get_page_by_title": lambda: bool(c.get_page_by_title(key, "A page")),
    "get_blog_post_by_title": lambda: bool(c.get_blog_post_by_title(key, "News")),
    "page_exists": lambda: c.page_exists(key, "A page") and not c.page_exists(key, "None such"),
    "blog_post_exists": lambda: c.blog_post_exists(key, "News") and not c.blog_post_exists(key, "Old"),
    "get_content_id": lambda: c.get_content_id(key, "A page") == page,
    "get_page_id": lambda: c.get_page_id(key, "A page") == page,
    "get_page_space": lambda: c.get_page_space(page) == key,
    "get_page_child_by_type": lambda: titles(listed(c.get_page_child_by_type(page))) == ["Its child"],
    "get_page_child_count": lambda: c.get_page_child_count(page) == 1,
    "page_has_children": lambda: c.page_has_children(page) and not c.page_has_children(child),
    "get_child_title_list": lambda: list(c.get_child_title_list(page)) == ["Its child"],
    "get_child_id_list": lambda: list(c.get_child_id_list(page)) == [child],
    "get_child_pages": lambda: titles(listed(c.get_child_pages(page))) == ["Its child"],
    "get_parent_content_id": lambda: c.get_parent_content_id(page) == home["id"],
    "get_parent_content_title": lambda: c.get_parent_content_title(page) == home["title"],
    "get_pages_by_title": lambda: bool(c.get_pages_by_title(key, "A page")),
    "get_page_by_id": lambda: c.get_page_by_id(page, expand="version,space,history")["space"]["key"] == key,
    "get_tables_from_page": lambda: "number_of_tables_in_page" in str(c.get_tables_from_page(child)),
    "scrap_regex_from_page": lambda: c.scrap_regex_from_page(page, r"first \w+") == ["first words"],
    "get_all_pages_from_space_raw": lambda: "A page" in titles(c.get_all_pages_from_space_raw(key)),
    "get_all_pages_from_space_as_generator": lambda: "A page" in titles(c.get_all_pages_from_space_as_generator(key)),
    "get_subtree_of_content_ids": lambda: set(c.get_subtree_of_content_ids(page)) == {page, child},
    "get_page_ancestors": lambda: home["id"] in json.dumps(c.get_page_ancestors(page)),
    "get_descendant_page_id": lambda: c.get_descendant_page_id(key, page, "Its child") == child,
    "create_page": lambda: c.create_page(key, "Created", "<p>x</p>", editor="v2")["title"] == "Created",
    "update_page": lambda: updated("To update", lambda n: c.update_page(n, "To update", "<p>u</p>")) == "<p>u</p>",
    "update_existing_page": lambda: (
        updated("Existing", lambda n: c.update_existing_page(n, "Existing", "<p>u</p>")) == "<p>u</p>"
    ),
    "append_page": lambda: (
        updated("To append", lambda n: c.append_page(n, "To append", "<p>z</p>")) == "<p>fresh</p><p>z</p>"
    ),
    "prepend_page": lambda: (
        updated("Prepend", lambda n: c.prepend_page(n, "Prepend", "<p>a</p>")) == "<p>a</p><p>fresh</p>"
    ),
    "update_or_create": lambda: c.update_or_create(home["id"], "Either way", "<p>e</p>")["title"] == "Either way",
    "is_page_content_is_already_updated": lambda: c.is_page_content_is_already_updated(page, "<p>first words</p>"),
    "has_unknown_attachment_error": lambda: c.has_unknown_attachment_error(page) == "",
    "move_page": lambda: "error" not in json.dumps(answer_of(c.move_page(key, fresh("To move"), target_id=page))),
    "remove_page": lambda: c.remove_page(fresh("To remove")) is not False,
    "remove_content": lambda: c.remove_content(fresh("To remove, content")) is not False,
    "remove_page_from_trash": lambda: c.remove_page_from_trash(trashed()) is not False,
    # history
    "history": lambda: c.history(page)["latest"] is True,
    "get_content_history": lambda: c.get_content_history(page)["latest"] is True,
    "remove_page_history_keep_version": lambda: (
        versions_after(3, lambda n: c.remove_page_history_keep_version(n, 1)) == [3]
    ),
    "remove_page_history": lambda: versions_after(3, lambda n: c.remove_page_history(n, 1)) == [3, 2],
    "remove_content_history": lambda: versions_after(3, lambda n: c.remove_content_history(n, 1)) == [3, 2],
    "get_content_history_by_version_number": lambda: c.get_content_history_by_version_number(page, 1)["number"] == 1,
    # labels
    "set_page_label": lambda: "red" in json.dumps(c.set_page_label(page, "red")),
    "get_page_labels": lambda: "red" in json.dumps(c.get_page_labels(page)),
    "get_content_labels": lambda: "red" in json.dumps(c.get_content_labels(page)),
    "get_all_pages_by_label": lambda: "A page" in json.dumps(listed(c.get_all_pages_by_label("red"))),
    "get_all_blog_posts_by_label": lambda: (
        c.set_page_label(blog, "red"),
        "News" in json.dumps(listed(c.get_all_blog_posts_by_label("red"))),
    )[1],
    "remove_page_label": lambda: c.remove_page_label(page, "red") is not False,
    "add_content_labels": lambda: (
        "blue" in json.dumps(c.add_content_labels(page, [{"prefix": "global", "name": "blue"}]))
    ),
    "remove_content_label": lambda: c.remove_content_label(page, "blue") is not False,
    # properties
    "set_page_property": lambda: c.set_page_property(page, {"key": "one", "value": {"a": 1}})["value"] == {"a": 1},
    "get_page_property": lambda: c.get_page_property(page, "one")["value"] == {"a": 1},
    "update_page_property": lambda: (
        c.update_page_property(page, {"key": "one", "value": 2, "version": {"number": 2}})["value"] == 2
    ),
    "get_page_properties": lambda: "one" in json.dumps(listed(c.get_page_properties(page))),
    "delete_page_property": lambda: c.delete_page_property(page, "one") is not False,
    "create_content_property": lambda: c.create_content_property(page, {"key": "two", "value": 1})["value"] == 1,
    "get_content_property": lambda: c.get_content_property(page, "two")["value"] == 1,
    "get_content_properties": lambda: "two" in json.dumps(c.get_content_properties(page)),
    "update_content_property": lambda: (
        c.update_content_property(page, "two", {"value": 2, "version": {"number": 2}})["value"] == 2
    ),
    "delete_content_property": lambda: c.delete_content_property(page, "two") is not False,
    # comments
    "add_comment": lambda: c.add_comment(page, "<p>said</p>")["type"] == "comment",
    "get_page_comments": lambda: len(c.get_page_comments(page, expand="body.view", depth="all")["results"]) == 1,
    "get_comments": lambda: len(c.get_comments(page)["results"]) == 1,
    "get_comment": lambda: c.get_comment(c.add_comment(child, "<p>x</p>")["id"])["type"] == "comment",
    "update_comment": lambda: (
        c.update_comment(
            c.add_comment(child, "<p>x</p>")["id"],
            {**comment_on(child), "title": "Re: Its child", "version": {"number": 2}},
        )["version"]["number"]
        == 2
    ),
    "delete_comment": lambda: c.delete_comment(c.add_comment(child, "<p>x</p>")["id"]) is not False,
    # restrictions
    "get_all_restrictions_for_content": lambda: "read" in c.get_all_restrictions_for_content(page),
    "get_all_restictions_for_content": lambda: "read" in c.get_all_restictions_for_content(page),
    "set_restrictions_for_content": lambda: (
        "results"
        in c.set_restrictions_for_content(
            page, [{"operation": "update", "restrictions": {"user": [{"type": "known", "username": me["username"]}]}}]
        )
    ),
    # attachments
    "attach_content": lambda: attached()["title"] == "a.txt",
    "attach_file": lambda: "notes.txt" in json.dumps(answer_of(c.attach_file(str(file), page_id=page))),
    "get_attachments_from_content": lambda: (
        titles(c.get_attachments_from_content(page, filename="notes.txt")) == ["notes.txt"]
    ),
    "get_attachments": lambda: titles(c.get_attachments(page)) == ["notes.txt"],
    "get_attachment": lambda: c.get_attachment(attached()["id"])["type"] == "attachment",
    "delete_attachment": lambda: file_removed() == [],
    "download_attachments_from_page": lambda: (
        "notes.txt"
        in json.dumps(
            {
                name: data.getvalue().decode()
                for name, data in c.download_attachments_from_page(page, to_memory=True).items()
            }
        )
    ),
    "get_attachment_history": lambda: len(listed(c.get_attachment_history(attached()["id"]))) == 1,
    "delete_attachment_by_id": lambda: files_after(lambda _, a: c.delete_attachment_by_id(a, 1)) == [3, 2],
    "remove_page_attachment_keep_version": lambda: (
        files_after(lambda n, _: c.remove_page_attachment_keep_version(n, "a.txt", 1)) == [3]
    ),
    "update_attachment": lambda: (
        c.update_attachment(attached()["id"], {"type": "attachment", "title": "b.txt", "version": {"number": 2}})[
            "title"
        ]
        == "b.txt"
    ),
    # bodies, inline comments, likes, drafts, templates
    "convert_wiki_to_storage": lambda: "<h1>" in answer_of(c.convert_wiki_to_storage("h1. Title"))["value"],
    "convert_storage_to_view": lambda: "<p>x</p>" in answer_of(c.convert_storage_to_view("<p>x</p>"))["value"],
    "add_inline_comment": lambda: c.add_inline_comment(page, "first", "<p>why?</p>"),
    "get_inline_comments": lambda: c.get_inline_comments(page),
    "reply_to_inline_comment": lambda: c.reply_to_inline_comment(page, inline_comment(), "<p>because</p>"),
    "resolve_inline_comment": lambda: c.resolve_inline_comment(page, inline_comment()) is not False,
    "set_inline_tasks_checkbox": lambda: ticked()["status"] == "CHECKED",
    "add_like": lambda: c.add_like(page, me["username"]),
    "get_likes": lambda: me["username"] in json.dumps(c.get_likes(page)),
    "remove_like": lambda: c.remove_like(page) is not False,
    "get_draft_page_by_id": lambda: c.get_draft_page_by_id(draft())["status"] == "draft",
    "get_draft_content": lambda: c.get_draft_content(draft())["status"] == "draft",
    "get_all_draft_pages_from_space": lambda: "draft" in json.dumps(listed(c.get_all_draft_pages_from_space(key))),
    "get_all_draft_blog_posts_from_space": lambda: listed(c.get_all_draft_blog_posts_from_space(key)) == [],
    "remove_page_as_draft": lambda: c.remove_page_as_draft(draft()) is not False,
    "get_all_pages_from_space_trash": lambda: "trashed" in json.dumps(listed(c.get_all_pages_from_space_trash(key))),
    "get_all_blog_posts_from_space_trash": lambda: listed(c.get_all_blog_posts_from_space_trash(key)) == [],
    "get_trash_content": lambda: "trashed" in json.dumps(listed(c.get_trash_content(key))),
    "create_or_update_template": lambda: template()["name"] == "A template",
    "get_content_template": lambda: c.get_content_template(template()["templateId"])["name"] == "A template",
    "get_template_by_id": lambda: c.get_template_by_id(template()["templateId"])["name"] == "A template",
    "get_template": lambda: c.get_template(template()["templateId"])["name"] == "A template",
    "get_content_templates": lambda: "A template" in json.dumps(c.get_content_templates(key)),
    "get_all_templates_from_space": lambda: "A template" in json.dumps(c.get_all_templates_from_space(key)),
    "get_blueprint_templates": lambda: listed(c.get_blueprint_templates(key)) == [],
    "get_all_blueprints_from_space": lambda: listed(c.get_all_blueprints_from_space(key)) == [],
    "create_page_from_template": lambda: c.create_page_from_template(key, "From it", template()["templateId"]),
    "remove_template": lambda: c.remove_template(template()["templateId"]) is not False,
    # spaces
    "get_all_spaces": lambda: key in json.dumps(c.get_all_spaces(limit=500)),
    "get_space_names": lambda: "Every helper" in c.get_space_names(limit=500),
    "get_spaces": lambda: "results" in c.get_spaces(),
    "get_space": lambda: c.get_space(key, expand="description.plain,homepage")["name"] == "Every helper",
    "create_space": lambda: c.get_space(key)["key"] == key,
    "update_space": lambda: c.update_space(key, {"name": "Every helper"})["name"] == "Every helper",
    "set_space_homepage": lambda: c.set_space_homepage(key, home["id"]) is not None,
    "delete_space": deleted_space,
    "archive_space": archived_space,
    "get_space_property": lambda: "results" in c.get_space_property(key),
    "get_space_content": lambda: "A page" in json.dumps(c.get_space_content(key)),
    "get_home_page_of_space": lambda: c.get_home_page_of_space(key)["id"] == home["id"],
    # permissions of a space
    "get_all_space_permissions": lambda: me["userKey"] in json.dumps(c.get_all_space_permissions(key)),
    "set_permissions_to_multiple_items_for_space": lambda: (
        c.set_permissions_to_multiple_items_for_space(key, group_name="confluence-users", operations=READ) is not False
    ),
    "get_permissions_granted_to_anonymous_for_space": lambda: (
        c.get_permissions_granted_to_anonymous_for_space(key) == []
    ),
    "set_permissions_to_anonymous_for_space": lambda: (
        c.set_permissions_to_anonymous_for_space(key, READ),
        c.get_permissions_granted_to_anonymous_for_space(key),
    )[1],
    "remove_permissions_from_anonymous_for_space": lambda: (
        (
            c.remove_permissions_from_anonymous_for_space(key, READ),
            c.get_permissions_granted_to_anonymous_for_space(key),
        )[1]
        == []
    ),
    "get_permissions_granted_to_group_for_space": lambda: (
        c.get_permissions_granted_to_group_for_space(key, "confluence-administrators") == []
    ),
    "set_permissions_to_group_for_space": lambda: (
        c.set_permissions_to_group_for_space(key, "confluence-administrators", READ),
        c.get_permissions_granted_to_group_for_space(key, "confluence-administrators"),
    )[1],
    "remove_permissions_from_group_for_space": lambda: (
        (
            c.remove_permissions_from_group_for_space(key, "confluence-administrators", READ),
            c.get_permissions_granted_to_group_for_space(key, "confluence-administrators"),
        )[1]
        == []
    ),
    "get_permissions_granted_to_user_for_space": lambda: c.get_permissions_granted_to_user_for_space(
        key, me["userKey"]
    ),
    "set_permissions_to_user_for_space": lambda: (
        c.set_permissions_to_user_for_space(key, me["userKey"], READ) is not False
    ),
    # people and groups
    "add_user_to_group": lambda: c.add_user_to_group("viewer", "confluence-administrators") is not False,
    "remove_user_from_group": lambda: c.remove_user_from_group("viewer", "confluence-administrators") is not False,
    "get_user_details_by_username": lambda: c.get_user_details_by_username("alice")["username"] == "alice",
    "get_user_details_by_userkey": lambda: c.get_user_details_by_userkey(me["userKey"])["userKey"] == me["userKey"],
    "get_user": lambda: c.get_user("alice")["username"] == "alice",
    "get_user_by_key": lambda: c.get_user_by_key(me["userKey"])["userKey"] == me["userKey"],
    "get_current_user": lambda: c.get_current_user()["userKey"] == me["userKey"],
    "anonymous": lambda: c.anonymous()["type"] == "anonymous",
    "get_all_groups": lambda: "confluence-users" in json.dumps(c.get_all_groups()),
    "get_groups": lambda: "confluence-users" in json.dumps(c.get_groups()),
    "get_group": lambda: "confluence-users" in json.dumps(c.get_group("confluence-users")),
    "get_group_members": lambda: "alice" in json.dumps(listed(c.get_group_members("confluence-users"))),
    "get_all_members": lambda: "alice" in json.dumps(c.get_all_members("confluence-users")),
    "create_group": lambda: c.create_group(f"group-{key.lower()}") is not False,
    "remove_group": lambda: c.remove_group(f"group-{key.lower()}") is not False,
    # search, tasks, the instance
    "cql": lambda: "A page" in json.dumps(c.cql(f'space="{key}" and title ~ page', expand="content.version")),
    "iter_cql": lambda: any("A page" in json.dumps(each) for each in c.iter_cql(f'space="{key}"', limit=2)),
    "cql_all": lambda: len(c.cql_all(f'space="{key}"', limit=2)) > 2,
    "search_content": lambda: "results" in c.search_content(f'space="{key}"'),
    "check_access_mode": lambda: c.check_access_mode() == "READ_WRITE",
    "check_long_tasks_result": lambda: tasks()[0]["name"],
    "check_long_task_result": lambda: c.check_long_task_result(tasks()[0]["id"])["id"] == tasks()[0]["id"],
}

outcomes = {}
for name, helper in HELPERS.items():
    if hasattr(confluence, name):
        try:
            outcomes[name] = True if helper() else "gave something else"
        except Exception as error:
            outcomes[name] = f"{type(error).__name__}: {error}"[:300]
helpers = type(getattr(confluence, "_impl", confluence))
own = {
    name for kind in helpers.__mro__[:-1] if "confluence" in kind.__module__ for name in vars(kind) if name[0] != "_"
}
print(json.dumps({"outcomes": outcomes, "not called": sorted(own - set(HELPERS))}))
