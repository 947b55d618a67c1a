"""Attachments over HTTP: files that are part of a page, each a content with versions of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.http.conftest import Site, SiteFactory
from tests.support.s3 import CREDENTIALS, running_s3
from watersmeet.app import create_app
from watersmeet.clock import SystemClock
from watersmeet.content import unnamed
from watersmeet.database.backup import back_up

from .support import CONTENT, create, path_of

HEAD_OF_A_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\0\0\0\0"
NO_CHECK = {"X-Atlassian-Token": "nocheck"}


def attach(site: Site, page: dict[str, Any], name: str, data: bytes, /, **more: Any) -> httpx.Response:
    """POST one file; ``type``, ``user``, ``query`` and fields of the form may be added."""
    file = (name, data, more.pop("type", "application/octet-stream"))
    user, query = more.pop("user", "alice"), more.pop("query", "")
    path = f"{path_of(page)}/child/attachment{query}"
    return site.post(path, files={"file": file}, data=more, headers=NO_CHECK, user=user)


def attached(site: Site, page: dict[str, Any], name: str, data: bytes, /, **more: Any) -> dict[str, Any]:
    answer = attach(site, page, name, data, **more)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["results"]
    assert isinstance(found, dict)
    return found


def files_of(site: Site) -> list[Path]:
    """Every file in the store, those on their way included."""
    found = Path(site.environment.settings.blob_store).rglob("*")
    return [path for path in found if path.is_file() and path.name != "owner"]


def names(site: Site, page: dict[str, Any], query: str = "", user: str = "alice") -> list[str]:
    answer = site.get(f"{path_of(page)}/child/attachment{query}", user=user)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["results"]]


def data_of(site: Site, attachment: dict[str, Any]) -> bytes:
    answer = site.get(attachment["_links"]["download"])
    assert answer.status_code == 200, answer.text
    return answer.content


# ---- shapes (S3.7) -----------------------------------------------------------------------------------------


def test_a_new_attachment(site: Site) -> None:
    page = create(site, "Plan")
    answer = attach(site, page, "plan.png", HEAD_OF_A_PNG, type="image/png", comment="first", minorEdit="true").json()
    assert (answer["size"], answer["start"], answer["limit"]) == (1, 0, 25)
    assert answer["_links"]["self"].endswith(f"{path_of(page)}/child/attachment")
    (found,) = answer["results"]
    number = found["id"]
    assert number.isdigit()
    assert {name: found[name] for name in ("type", "status", "title")} == {
        "type": "attachment", "status": "current", "title": "plan.png",
    }  # fmt: skip
    assert (found["version"]["number"], found["version"]["message"], found["version"]["minorEdit"]) == (
        1,
        "first",
        True,
    )
    assert (found["container"]["id"], found["container"]["title"]) == (page["id"], "Plan")
    assert (found["metadata"]["mediaType"], found["metadata"]["comment"]) == ("image/png", "first")
    assert found["metadata"]["labels"]["results"] == []
    assert found["extensions"] == {"mediaType": "image/png", "fileSize": 33, "comment": "first"}
    links, version = found["_links"], found["version"]
    assert links["webui"] == f"/pages/viewpage.action?pageId={page['id']}&preview=%2F{page['id']}%2F{number}%2Fplan.png"
    when = site.clock.now()
    assert links["download"] == (
        f"/download/attachments/{page['id']}/plan.png?version={version['number']}&modificationDate={when}&api=v2"
    )
    assert links["thumbnail"] == f"/download/thumbnails/{page['id']}/plan.png?version=1&api=v2"
    assert links["self"].endswith(f"{CONTENT}/{number}")


def test_an_attachment_is_a_content(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "plan.txt", b"one")
    for spelling in (made["id"], f"att{made['id']}"):
        found = site.get(f"{CONTENT}/{spelling}").json()
        assert (found["id"], found["extensions"]["fileSize"]) == (made["id"], 3)
        assert found["_expandable"]["container"] == path_of(page)
        assert "thumbnail" not in found["_links"]
    assert site.post(f"{path_of(made)}/label", json=[{"name": "draft"}]).status_code == 200
    assert site.put(f"{path_of(made)}/property/hash", json={"value": "x", "version": {"number": 1}}).status_code == 200
    labelled = site.get(f"{path_of(made)}?expand=metadata.labels,metadata.properties").json()["metadata"]
    assert [label["name"] for label in labelled["labels"]["results"]] == ["draft"]
    assert (labelled["properties"]["hash"]["value"], labelled["mediaType"]) == ("x", "text/plain")


def test_lists(site: Site) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    for name in ("a.png", "b.txt", "A.png"):
        attached(site, page, name, b"x", type="image/png" if name.endswith("png") else "text/plain")
    attached(site, other, "a.png", b"x")
    assert names(site, page) == ["a.png", "b.txt", "A.png"]
    assert names(site, page, "?filename=a.png") == ["a.png"]
    assert names(site, page, "?filename=none") == []
    assert names(site, page, "?mediaType=image/png") == ["a.png", "A.png"]
    assert names(site, page, "?start=1&limit=1") == ["b.txt"]
    answer = site.get(f"{path_of(page)}/child/attachment?filename=a.png&expand=version,container&limit=100").json()
    assert answer["results"][0]["version"]["number"] == 1
    assert answer["results"][0]["container"]["id"] == page["id"]
    assert answer["_links"]["context"] == ""
    assert site.get(f"{CONTENT}/999999/child/attachment").status_code == 404


def test_children_of_contents_from_one_query_each(site: Site) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    attached(site, page, "a.png", b"x", type="image/png")
    attached(site, other, "b.txt", b"x")
    listed = site.get(f"{CONTENT}?spaceKey=DEMO&expand=children.attachment.version&limit=100").json()["results"]
    of = {item["title"]: item["children"] for item in listed}
    children = of["Plan"]
    assert [item["title"] for item in children["attachment"]["results"]] == ["a.png"]
    assert children["attachment"]["results"][0]["version"]["number"] == 1
    assert (children["attachment"]["limit"], children["attachment"]["size"]) == (25, 1)
    assert "base" not in children["attachment"]["_links"]
    assert children["_expandable"] == {
        "comment": f"{path_of(page)}/child/comment", "page": f"{path_of(page)}/child/page",
    }  # fmt: skip
    assert [item["title"] for item in of["Other"]["attachment"]["results"]] == ["b.txt"]
    for number in range(26):
        attached(site, other, f"{number}.txt", b"x")
    part = site.get(f"{path_of(other)}?expand=children.attachment").json()["children"]["attachment"]
    assert (part["size"], part["_links"]["next"]) == (25, f"{path_of(other)}/child/attachment?limit=25&start=25")
    unasked = site.get(f"{path_of(other)}?expand=children").json()["children"]
    assert unasked["_expandable"]["attachment"] == f"{path_of(other)}/child/attachment"


# ---- creating ----------------------------------------------------------------------------------------------


def test_several_files_in_one_body(site: Site) -> None:
    page = create(site, "Plan")
    files = [("file", ("a.txt", b"a")), ("file", ("b.txt", b"bb"))]
    sent = {"comment": ["first", "second"], "hidden": "true"}
    answer = site.post(f"{path_of(page)}/child/attachment", files=files, data=sent, headers=NO_CHECK)
    found = answer.json()["results"]
    assert [(item["title"], item["extensions"]["fileSize"], item["metadata"]["comment"]) for item in found] == [
        ("a.txt", 1, "first"), ("b.txt", 2, "second"),
    ]  # fmt: skip
    assert [item["version"]["hidden"] for item in found] == [True, False]


def test_a_comment_that_is_sent_as_if_it_were_a_file(site: Site) -> None:
    page = create(site, "Plan")
    files = {"file": ("a.txt", b"a"), "comment": ("comment", b"first")}
    answer = site.post(f"{path_of(page)}/child/attachment", files=files, headers=NO_CHECK)
    assert [item["metadata"]["comment"] for item in answer.json()["results"]] == ["first"]
    assert names(site, page) == ["a.txt"]


def test_all_files_of_a_body_or_none(site: Site) -> None:
    page = create(site, "Plan")
    attached(site, page, "b.txt", b"b")
    before = files_of(site)
    for more in (("b.txt", b"new"), ("a.txt", b"twice")):
        files = [("file", ("a.txt", b"a")), ("file", more)]
        answer = site.post(f"{path_of(page)}/child/attachment", files=files, headers=NO_CHECK)
        assert answer.status_code == 400
        assert "same file name" in answer.json()["message"]
    assert names(site, page) == ["b.txt"]
    assert files_of(site) == before


def test_a_name_that_is_taken(site: Site) -> None:
    page = create(site, "Plan")
    first = attached(site, page, "plan.png", b"one")
    answer = attach(site, page, "plan.png", b"two")
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "Cannot add a new attachment with same file name as an existing attachment: plan.png"
    )
    again = attached(site, page, "plan.png", b"three", query="?allowDuplicated=true", comment="better")
    assert (again["id"], again["version"]["number"], again["metadata"]["comment"]) == (first["id"], 2, "better")
    assert data_of(site, again) == b"three"
    new = attached(site, page, "Plan.png", b"four", query="?allowDuplicated=true")
    assert (new["id"] != first["id"], new["version"]["number"]) == (True, 1)


def test_put_on_the_collection_creates_or_replaces(site: Site) -> None:
    page = create(site, "Plan")
    for number, data in enumerate((b"one", b"two"), start=1):
        files = {"file": ("plan.txt", data)}
        answer = site.put(f"{path_of(page)}/child/attachment", files=files, headers=NO_CHECK)
        assert answer.json()["results"][0]["version"]["number"] == number


NAMES = {
    "mit Leerzeichen.txt": "mit Leerzeichen.txt",
    "a+b.txt": "a+b.txt",
    "100%.txt": "100%.txt",
    "größe ✓ 漢字.txt": "größe ✓ 漢字.txt",
    "a;b='c'#?&.txt": "a;b='c'#?&.txt",
    "C:\\Users\\alice\\plan.txt": "plan.txt",
    "/etc/passwd": "passwd",
    "../../x.txt": "x.txt",
}


def test_names_come_back_through_the_download_link(site: Site) -> None:
    page = create(site, "Plan")
    for sent, name in NAMES.items():
        made = attached(site, page, sent, sent.encode())
        assert made["title"] == name
        assert data_of(site, made) == sent.encode()
        assert names(site, page, "?" + str(httpx.QueryParams({"filename": name}))) == [name]


def test_a_name_as_rfc_5987_writes_it(site: Site) -> None:
    page = create(site, "Plan")
    body = (
        b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt\r\n"
        b"Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
    )
    headers = NO_CHECK | {"Content-Type": "multipart/form-data; boundary=x"}
    made = site.post(f"{path_of(page)}/child/attachment", content=body, headers=headers).json()["results"][0]
    assert (made["title"], data_of(site, made)) == ("größe.txt", b"hello")


def test_what_cannot_be_a_name(site: Site) -> None:
    page = create(site, "Plan")
    headers = NO_CHECK | {"Content-Type": "multipart/form-data; boundary=x"}
    for name in ("", ".", "..", "a/", "x" * 256, "a\x07b"):
        disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode()
        body = b"--x\r\n" + disposition + b"\r\n\r\nhello\r\n--x--\r\n"
        answer = site.post(f"{path_of(page)}/child/attachment", content=body, headers=headers)
        assert answer.status_code == 400, name
    assert files_of(site) == []


def test_media_types(site: Site) -> None:
    page = create(site, "Plan")

    def kept(name: str, sent: str) -> str:
        return str(attached(site, page, name, b"x", type=sent)["extensions"]["mediaType"])

    assert kept("a.png", "image/png") == "image/png"
    assert kept("b.png", "application/octet-stream") == "image/png"
    assert kept("c.txt", "Text/Plain; charset=latin-1") == "text/plain"
    assert kept("d.unheard-of", "application/binary") == "application/octet-stream"
    assert kept("e.tar.gz", "application/octet-stream") == "application/gzip"
    assert kept("f.html", "no type at all") == "text/html"


# ---- what is refused ---------------------------------------------------------------------------------------


def test_without_the_header_that_other_sites_cannot_send(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"x")
    one = f"{path_of(page)}/child/attachment/{made['id']}"
    for method, path in (("POST", f"{path_of(page)}/child/attachment"), ("POST", f"{one}/data"), ("PUT", one)):
        answer = site.request(method, path, scope="WRITE", files={"file": ("b.txt", b"x")})
        assert answer.status_code == 403
        assert "XSRF check failed" in answer.json()["message"]
    for spelling in ("no-check", "nocheck", "No-Check"):
        answer = site.post(f"{one}/data", files={"file": ("a.txt", b"x")}, headers={"X-Atlassian-Token": spelling})
        assert answer.status_code == 200


def test_rights_are_looked_at_before_the_body(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"x")
    one = f"{path_of(page)}/child/attachment/{made['id']}"
    garbage = NO_CHECK | {"Content-Type": "multipart/form-data; boundary=x"}
    for path in (f"{path_of(page)}/child/attachment", f"{one}/data"):
        assert site.post(path, content=b"no form", headers=garbage, user="viewer").status_code == 403
        assert site.post(path, content=b"no form", headers=garbage, scope="READ").status_code == 403
        assert site.post(path, content=b"no form", headers=garbage).status_code == 400
    assert site.post(f"{CONTENT}/999999/child/attachment", content=b"no form", headers=garbage).status_code == 404
    assert site.post(f"{path_of(made)}/child/attachment", content=b"", headers=garbage).status_code == 400
    assert len(files_of(site)) == 1


def test_restrictions_of_a_page_hold_for_its_attachments(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"secret")
    kept = {"operation": "read", "restrictions": {"user": [{"type": "known", "username": "alice"}], "group": []}}
    assert site.put(f"{path_of(page)}/restriction", json=[kept]).status_code == 200
    for path in (path_of(made), made["_links"]["download"], f"{path_of(page)}/child/attachment"):
        assert site.get(path).status_code == 200
        assert site.get(path, user="viewer").status_code == 404
    added = attached(site, page, "b.txt", b"later")
    assert site.get(added["_links"]["download"], user="viewer").status_code == 404
    assert site.get("/rest/api/content/search?cql=type=attachment", user="viewer").json()["totalSize"] == 0
    page = create(site, "Locked")
    made = attached(site, page, "a.txt", b"x")
    kept = {"operation": "update", "restrictions": {"user": [{"type": "known", "username": "admin"}], "group": []}}
    assert site.put(f"{path_of(page)}/restriction", json=[kept], user="admin").status_code == 200
    assert site.get(made["_links"]["download"]).status_code == 200
    assert attach(site, page, "b.txt", b"x").status_code == 403
    assert site.delete(f"{path_of(page)}/child/attachment/{made['id']}").status_code == 403


def test_a_form_without_a_file(site: Site) -> None:
    page = create(site, "Plan")
    for files in ({"comment": (None, "x")}, {"other": ("a.txt", b"x")}):
        answer = site.post(f"{path_of(page)}/child/attachment", files=files, headers=NO_CHECK)
        assert answer.status_code == 400
        assert "'file'" in answer.json()["message"]
    answer = site.post(f"{path_of(page)}/child/attachment", json={}, headers=NO_CHECK)
    assert answer.status_code == 400
    assert files_of(site) == []


def test_a_broken_body_leaves_nothing_behind(site: Site) -> None:
    page = create(site, "Plan")
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"y" * 600_000
    headers = NO_CHECK | {"Content-Type": "multipart/form-data; boundary=x"}
    answer = site.post(f"{path_of(page)}/child/attachment", content=body, headers=headers)
    assert answer.status_code == 400
    assert (files_of(site), names(site, page)) == ([], [])


def test_too_much(site_under: SiteFactory) -> None:
    site = site_under(upload_limit_mib=1)
    page = create(site, "Plan")
    limit = 1024 * 1024
    attached(site, page, "most.bin", bytes(limit))
    kept = files_of(site)
    for size in (limit + 1, 3 * limit):  # the second is refused by its length alone
        answer = attach(site, page, "more.bin", bytes(size))
        assert answer.status_code == 413
        assert answer.json() | {"data": None} == {
            "statusCode": 413, "data": None, "reason": "Request Entity Too Large",
            "message": "The files of one request may have at most 1048576 bytes together.",
        }  # fmt: skip
    assert (names(site, page), files_of(site)) == (["most.bin"], kept)


def test_a_store_that_is_full_or_away(site: Site, tmp_path: Path) -> None:
    page = create(site, "Plan")
    Path(site.environment.settings.blob_store).write_text("no folder")
    answer = attach(site, page, "a.txt", b"x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert names(site, page) == []


# ---- versions ----------------------------------------------------------------------------------------------


def test_other_bytes_are_the_next_version(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"one", comment="first")
    site.clock.advance(60)
    path = f"{path_of(page)}/child/attachment/{made['id']}/data"
    answer = site.post(path, files={"file": ("b.txt", b"three")}, data={"comment": "second"}, headers=NO_CHECK)
    changed = answer.json()
    assert (changed["id"], changed["title"], changed["version"]["number"]) == (made["id"], "a.txt", 2)
    assert (changed["extensions"]["fileSize"], changed["metadata"]["comment"]) == (5, "second")
    assert (data_of(site, changed), data_of(site, made)) == (b"three", b"one")
    old = site.get(f"{path_of(made)}?status=historical&version=1").json()
    assert (old["extensions"]["fileSize"], old["extensions"]["comment"]) == (3, "first")
    assert data_of(site, old) == b"one"
    assert len(files_of(site)) == 2
    nothing = site.post(path, files=[("file", ("a", b"x")), ("file", ("b", b"y"))], headers=NO_CHECK)
    assert nothing.status_code == 400


def test_properties(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"one", comment="first")
    path = f"{path_of(page)}/child/attachment/{made['id']}"
    change = {"id": f"att{made['id']}", "type": "attachment", "status": "current", "title": "b.md"}
    for number in (1, 3):
        answer = site.put(path, json=change | {"version": {"number": number}})
        assert answer.status_code == 409
        assert answer.json()["message"] == "Version must be incremented on update. Current version is: 1"
    renamed = site.put(path, json=change | {"version": {"number": 2, "minorEdit": True}}).json()
    assert (renamed["title"], renamed["version"]["number"], renamed["metadata"]["comment"]) == ("b.md", 2, "first")
    typed = {"version": {"number": 3}, "metadata": {"mediaType": "text/markdown", "comment": "second"}}
    assert site.put(path, json=typed).json()["extensions"] == {
        "mediaType": "text/markdown", "fileSize": 3, "comment": "second",
    }  # fmt: skip
    old = site.get(f"{path_of(made)}?status=historical&version=2").json()
    assert (old["title"], old["extensions"]["mediaType"]) == ("b.md", "text/plain")
    assert [data_of(site, each) for each in (made, renamed, old)] == [b"one"] * 3
    assert site.get(f"/download/attachments/{page['id']}/a.txt").status_code == 404
    attached(site, page, "a.txt", b"another")
    answer = site.put(path, json={"version": {"number": 4}, "title": "a.txt"})
    assert answer.status_code == 400
    assert "same file name" in answer.json()["message"]
    for wrong in ({"type": "page"}, {"id": page["id"]}, {"container": {"id": "x"}}, {"title": " "}):
        assert site.put(path, json={"version": {"number": 4}, **wrong}).status_code == 400
    assert site.put(path, json={"title": "c"}).status_code == 400


def test_a_form_put_on_one_attachment_brings_other_bytes(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"one")
    path = f"{path_of(page)}/child/attachment/{made['id']}"
    changed = site.put(path, files={"file": ("a.txt", b"two")}, headers=NO_CHECK).json()
    assert (changed["version"]["number"], data_of(site, changed)) == (2, b"two")
    changed = site.put(path_of(made), files={"file": ("a.txt", b"three")}, headers=NO_CHECK).json()
    assert (changed["version"]["number"], data_of(site, changed)) == (3, b"three")
    assert site.put(path_of(made), files={"file": ("a.txt", b"four")}).status_code == 403
    assert site.put(path_of(page), files={"file": ("a.txt", b"four")}, headers=NO_CHECK).status_code == 404


def test_moving(site: Site) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    made, kept = attached(site, page, "a.txt", b"one"), attached(site, other, "a.txt", b"theirs")
    path = f"{path_of(page)}/child/attachment/{made['id']}"
    taken = site.post(f"{path}/move?newContentId={other['id']}")
    assert (taken.status_code, "same file name" in taken.json()["message"]) == (400, True)
    assert site.post(f"{path}/move?newContentId={other['id']}&newName=b.txt").status_code == 204
    assert (names(site, page), names(site, other)) == ([], ["b.txt", "a.txt"])
    moved = site.get(f"{path_of(made)}?expand=version,container").json()
    assert (moved["container"]["id"], moved["version"]["number"], data_of(site, moved)) == (other["id"], 2, b"one")
    assert site.put(path, json={"version": {"number": 3}, "title": "c"}).status_code == 404
    path = f"{path_of(other)}/child/attachment/{kept['id']}"
    back = {"version": {"number": 2}, "container": {"id": page["id"], "type": "page"}}
    assert site.put(path, json=back).json()["container"]["id"] == page["id"]
    assert names(site, page) == ["a.txt"]
    assert site.post(f"{path}/move?newContentId=x").status_code == 400
    assert site.post(f"{path_of(page)}/child/attachment/{kept['id']}/move?newContentId=999999").status_code == 404


def test_renaming_as_any_content(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "Plan", b"one", comment="first")  # a page of that title is none of its business
    other = attached(site, page, "b.txt", b"two")
    renamed = site.put(path_of(made), json={"type": "attachment", "title": "c.txt", "version": {"number": 2}}).json()
    assert (renamed["title"], renamed["metadata"]["comment"], renamed["extensions"]["fileSize"]) == (
        "c.txt",
        "first",
        3,
    )
    answer = site.put(path_of(other), json={"type": "attachment", "title": "c.txt", "version": {"number": 2}})
    assert (answer.status_code, "same file name" in answer.json()["message"]) == (400, True)
    assert site.put(path_of(other), json={"title": "a/b", "version": {"number": 2}}).json()["title"] == "b"


def test_old_versions_are_listed_and_forgotten(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"one")
    path = f"{path_of(page)}/child/attachment/{made['id']}"
    site.put(path, json={"version": {"number": 2}, "title": "b.txt"})
    site.post(f"{path}/data", files={"file": ("b.txt", b"three")}, headers=NO_CHECK)
    listed = f"/rest/experimental/content/{made['id']}/version"
    assert [item["number"] for item in site.get(listed).json()["results"]] == [3, 2, 1]
    assert site.delete(f"{path}/version/1").status_code == 204
    assert data_of(site, site.get(f"{path_of(made)}?version=2").json()) == b"one"  # the second still holds it
    assert site.delete(f"{path}/version/2").status_code == 204
    assert site.get(f"/download/attachments/{page['id']}/b.txt?version=2").status_code == 404
    assert site.delete(f"{path}/version/3").status_code == 400  # the present one
    assert site.delete(f"{path}/version/x").status_code == 404
    assert data_of(site, site.get(path_of(made)).json()) == b"three"


# ---- going -------------------------------------------------------------------------------------------------


def test_removing(site: Site) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    made = attached(site, page, "a.txt", b"one")
    assert site.delete(f"{path_of(other)}/child/attachment/{made['id']}").status_code == 404
    assert site.delete(f"{path_of(page)}/child/attachment/{made['id']}", user="viewer").status_code == 403
    assert site.delete(f"{path_of(page)}/child/attachment/att{made['id']}").status_code == 204
    assert names(site, page) == []
    assert site.get(path_of(made)).status_code == 404
    assert site.get(f"/download/attachments/{page['id']}/a.txt").status_code == 404
    assert site.get(f"{path_of(made)}?status=trashed").json()["extensions"]["fileSize"] == 3
    again = attached(site, page, "a.txt", b"two")  # the name is free again
    back = {"type": "attachment", "title": "a.txt", "status": "current", "version": {"number": 2}}
    answer = site.put(path_of(made), json=back)
    assert (answer.status_code, "same file name" in answer.json()["message"]) == (400, True)
    assert site.delete(path_of(again)).status_code == 204
    assert site.put(path_of(made), json=back).status_code == 200
    assert data_of(site, site.get(path_of(made)).json()) == b"one"
    assert site.delete(f"{path_of(again)}?status=trashed").status_code == 204
    assert site.get(f"{path_of(again)}?status=any").status_code == 404


def test_attachments_go_and_come_back_with_their_page(site: Site) -> None:
    page = create(site, "Plan")
    made, gone = attached(site, page, "a.txt", b"one"), attached(site, page, "b.txt", b"two")
    site.delete(path_of(gone))
    assert site.delete(path_of(page)).status_code == 204
    assert site.get(f"{path_of(made)}?status=any").status_code == 404
    assert site.get(made["_links"]["download"]).status_code == 404
    back = {"type": "attachment", "status": "current", "version": {"number": 2}}
    assert site.put(path_of(gone), json=back).status_code == 404  # nothing comes back into the trash
    restored = {"type": "page", "title": "Plan", "status": "current", "version": {"number": 2}}
    assert site.put(path_of(page), json=restored).status_code == 200
    assert names(site, page) == ["a.txt"]
    assert data_of(site, made) == b"one"
    site.delete(path_of(page))
    assert site.delete(f"{path_of(page)}?status=trashed").status_code == 204
    assert site.get(f"{path_of(made)}?status=any").status_code == 404


def test_removing_by_name_as_the_older_address_does(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"one")
    site.post(
        f"{path_of(page)}/child/attachment/{made['id']}/data", files={"file": ("a.txt", b"two")}, headers=NO_CHECK
    )
    address = f"/json/removeattachment.action?pageId={page['id']}&fileName=a.txt"
    assert site.post(address).status_code == 403
    assert site.post(f"{address}&version=1", headers=NO_CHECK).status_code == 204
    assert site.get(f"{path_of(made)}?version=1").status_code == 404
    assert site.post(address, headers=NO_CHECK, user="viewer").status_code == 403
    assert site.post(address, headers=NO_CHECK).status_code == 204
    assert names(site, page) == []
    assert site.post(address, headers=NO_CHECK).status_code == 404
    assert site.post("/json/removeattachment.action?pageId=x&fileName=a", headers=NO_CHECK).status_code == 400


def test_attachments_are_below_the_pages_above_theirs(site: Site) -> None:
    top = create(site, "Top")
    page = create(site, "Plan", ancestors=[{"id": top["id"]}])
    attached(site, page, "a.txt", b"x")
    attached(site, top, "b.txt", b"x")
    found = site.get(f"{path_of(top)}/descendant/attachment").json()["results"]
    assert sorted(item["title"] for item in found) == ["a.txt", "b.txt"]
    assert [item["extensions"]["fileSize"] for item in found] == [1, 1]


# ---- searching ---------------------------------------------------------------------------------------------


def test_attachments_are_found(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "quarterly-report.final.pdf", b"x", type="application/pdf")

    def found(cql: str) -> list[str]:
        answer = site.get("/rest/api/content/search?" + str(httpx.QueryParams({"cql": cql})))
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["results"]]

    name = "quarterly-report.final.pdf"
    for cql in (
        "type = attachment",
        f"container = {page['id']}",
        f"type = attachment and container in ({page['id']})",
        f'title = "{name}"',
        f'title ~ "{name}"',
        'title ~ "report"',
        'title ~ "quarter*"',
        'text ~ "final"',
        f"id = {made['id']}",
    ):
        assert found(cql) == [name], cql
    assert name not in found("type = page")
    site.put(path_of(made), json={"type": "attachment", "title": "other.pdf", "version": {"number": 2}})
    assert (found('title ~ "report"'), found('title ~ "other"')) == ([], ["other.pdf"])
    hit = site.get("/rest/api/search?cql=type=attachment&expand=content.container").json()["results"][0]
    assert hit["content"]["extensions"]["mediaType"] == "application/pdf"
    assert hit["resultParentContainer"]["title"] == "Plan"


def test_the_text_of_a_file_of_text(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.md", "größer".encode(), type="text/markdown")
    path = f"{path_of(page)}/child/attachment/{made['id']}/extractedtext"
    assert site.get(path).json() == {"extractedText": "größer"}
    assert site.get(f"{path}?limit=4").json() == {"extractedText": "größ"}
    assert site.get(f"{path}?limit=0").json() == {"extractedText": ""}
    assert site.get(f"{path}?limit=x").status_code == 400
    other = attached(site, page, "b.pdf", b"%PDF", type="application/pdf")
    assert site.get(f"{path_of(page)}/child/attachment/{other['id']}/extractedtext").status_code == 204


# ---- one name, one digest ----------------------------------------------------------------------------------


def test_the_same_bytes_are_kept_once(site: Site) -> None:
    page = create(site, "Plan")
    attached(site, page, "a.txt", b"same")
    attached(site, page, "b.txt", b"same")
    (file,) = files_of(site)
    assert file.name == hashlib.sha256(b"same").hexdigest()
    site.delete(f"{path_of(attached(site, page, 'c.txt', b'same'))}")
    assert data_of(site, site.get(f"{path_of(page)}/child/attachment").json()["results"][0]) == b"same"


def test_bytes_in_a_bucket(site_under: SiteFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with running_s3() as server:
        site = site_under(blob_store=server.url("files"))
        page = create(site, "Plan")
        data = bytes(range(256)) * 4096
        made = attached(site, page, "größe.bin", data)
        assert data_of(site, made) == data
        part = site.get(made["_links"]["download"], headers={"Range": "bytes=255-257"})
        assert (part.status_code, part.content) == (206, b"\xff\x00\x01")
        assert server.keys()[f"files/{hashlib.sha256(data).hexdigest()}"] == len(data)
    assert attach(site, page, "b.bin", b"x").status_code == 503
    assert site.get(made["_links"]["download"]).status_code == 503


def test_a_restored_backup_has_every_file(site: Site, tmp_path: Path) -> None:
    """As docs/operations.md says: the folder, the database, once more the folder; things happen in between."""
    page, blobs = create(site, "Plan"), Path(site.environment.settings.blob_store)
    database, old = site.environment.database, tmp_path / "backup.db"
    copy = tmp_path / "copied"

    def copy_files() -> None:
        shutil.copytree(blobs, copy, ignore=shutil.ignore_patterns("incoming"), dirs_exist_ok=True)

    early = attached(site, page, "early.txt", b"early")
    os.utime(blobs / hashlib.sha256(b"early").hexdigest()[:2] / hashlib.sha256(b"early").hexdigest(), (1, 1))
    copy_files()
    late = attached(site, page, "late.txt", b"late")
    back_up(database, old)
    site.delete(path_of(early))
    site.delete(f"{path_of(early)}?status=trashed")
    assert asyncio.run(unnamed.sweep_once(site.environment.blobs, database, SystemClock().now())) == 1
    copy_files()
    settings = replace(site.environment.settings, database_url=f"sqlite:///{old}", blob_store=str(copy))
    restored = create_app(settings, clock=site.clock)
    bearer = site.request("GET", path_of(page), scope="WRITE").request.headers["authorization"]
    with TestClient(restored, base_url=site.base_url, headers={"Authorization": bearer}) as client:
        for made, data in ((early, b"early"), (late, b"late")):
            assert client.get(made["_links"]["download"]).content == data
        answer = client.post(f"{path_of(page)}/child/attachment", files={"file": ("new.txt", b"x")}, headers=NO_CHECK)
        assert answer.status_code == 200, answer.text
