"""atlassian-python-api, two of its major versions: reading and writing a page and its files with a Bearer token."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.client import installed, token_of
from tests.support.server import RunningServer

# Run by an interpreter that has the wanted version; nothing of the library is patched.
_SCRIPT = """
import json, sys
from atlassian import Confluence

base_url, token = sys.argv[1:]
confluence = Confluence(url=base_url, token=token, cloud=False)
space = confluence.get_space("DEMO")
title = "Written by " + sys.version.split()[0] + " and " + __import__("importlib.metadata").metadata.version(
    "atlassian-python-api")
made = confluence.create_page("DEMO", title, "<p>first</p>")
again = confluence.get_page_by_id(made["id"], expand="body.storage,version,space")
changed = confluence.update_page(made["id"], title, "<p>second</p>")
found = confluence.get_page_by_title("DEMO", title, expand="body.storage,version")
found = found["results"][0] if "results" in found else found  # version 5 hands on the list, 4 its first item
confluence.remove_page(made["id"])
print(json.dumps({
    "space": space["key"], "first": again["body"]["storage"]["value"], "version": changed["version"]["number"],
    "second": found["body"]["storage"]["value"], "gone": not confluence.page_exists("DEMO", title),
}))
"""
_FILES = """
import json, os, sys, tempfile
from atlassian import Confluence

base_url, token = sys.argv[1:]
confluence = Confluence(url=base_url, token=token, cloud=False)
title = "Files of " + __import__("importlib.metadata").metadata.version("atlassian-python-api")
page = confluence.create_page("DEMO", title, "<p>files</p>")["id"]
name = "gr\u00f6\u00dfe 100% a+b.txt"
folder = tempfile.mkdtemp()
path = os.path.join(folder, name)

def write(data):
    with open(path, "wb") as file:
        file.write(data)

def first(answer):
    return answer["results"][0] if "results" in answer else answer

def names():
    return [item["title"] for item in confluence.get_attachments_from_content(page)["results"]]

write(b"one")
made = first(confluence.attach_file(path, page_id=page, comment="first"))
write(b"two")
again = first(confluence.attach_file(path, page_id=page, comment="second"))
content = first(confluence.attach_content(b"<b>", "b.html", "text/html", page_id=page))
kept = confluence.download_attachments_from_page(page, to_memory=True)
saved = os.path.join(folder, "saved")
os.mkdir(saved)
confluence.download_attachments_from_page(page, path=saved)
history = [version["number"] for version in confluence.get_attachment_history(made["id"])]
filtered = confluence.get_attachments_from_content(page, filename="b.html", media_type="text/html")["results"]
confluence.remove_page_attachment_keep_version(page, name, 1)
left = [version["number"] for version in confluence.get_attachment_history(made["id"])]
before = names()
confluence.remove_content(content["id"])
confluence.delete_attachment(page, filename=name)
print(json.dumps({
    "same": made["id"] == again["id"], "comment": again["metadata"]["comment"], "history": history, "left": left,
    "kept": {key: file.getvalue().decode() for key, file in kept.items()},
    "saved": sorted(os.listdir(saved)), "filtered": [item["title"] for item in filtered],
    "before": before, "after": names(),
}))
"""
_NAME = "größe 100% a+b.txt"
_FILES_EXPECTED = {
    "same": True,
    "comment": "second",
    "history": [2, 1],
    "left": [2],
    "kept": {_NAME: "two", "b.html": "<b>"},
    "saved": ["b.html", _NAME],
    "filtered": ["b.html"],
    "before": [_NAME, "b.html"],
    "after": [],
}
_EXPECTED = {"space": "DEMO", "first": "<p>first</p>", "version": 2, "second": "<p>second</p>", "gone": True}


@pytest.fixture(scope="module")
def token(dev_server: RunningServer) -> str:
    return token_of(dev_server)


def _run(python: str, server: RunningServer, token: str, script: str = _SCRIPT) -> object:
    done = subprocess.run([python, "-c", script, server.base_url, token], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_version_5(dev_server: RunningServer, token: str) -> None:
    assert _run(sys.executable, dev_server, token) == _EXPECTED
    assert _run(sys.executable, dev_server, token, _FILES) == _FILES_EXPECTED


def test_version_5_with_a_personal_access_token(dev_server: RunningServer) -> None:
    """As its own documentation has it: ``Confluence(url=…, token=…)`` with a token that a script made by password."""
    made = httpx.post(
        f"{dev_server.base_url}/rest/pat/latest/tokens", auth=("alice", "alice"), json={"name": "a client's test"}
    )
    assert made.status_code == 201
    assert _run(sys.executable, dev_server, made.json()["rawToken"]) == _EXPECTED


def test_version_4(dev_server: RunningServer, token: str, tmp_path: Path) -> None:
    python = str(installed(tmp_path / "venv", "atlassian-python-api==4.0.7") / "python")
    assert _run(python, dev_server, token) == _EXPECTED
    assert _run(python, dev_server, token, _FILES) == _FILES_EXPECTED
