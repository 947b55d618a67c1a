"""Programs that publish a folder of Markdown: pages and pictures are made the first time, unchanged the second time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.client import installed, token_of
from tests.support.server import RunningServer
from tests.support.tls import tls_before

PICTURE = "\n![A boat](<boat on a lake.png>)\n"


def draw(file: Path, colour: str) -> None:
    Image.new("RGB", (40, 30), colour).save(file)


@pytest.fixture(scope="module")
def token(dev_server: RunningServer) -> str:
    return token_of(dev_server)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pages, one of which refers to the other, and both to a picture."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    draw(folder / "boat on a lake.png", "red")
    (folder / "handbook.md").write_text("# Handbook\n\nHello **world**, see [the other one](routines.md).\n" + PICTURE)
    (folder / "routines.md").write_text('# Routines\n\n```python\nprint("every day")\n```\n')
    return folder


def versions(server: RunningServer, token: str, *titles: str) -> dict[str, int]:
    """The numbers of the versions of pages in the space DEMO, by title."""
    numbers: dict[str, int] = {}
    for title in titles:
        query = {"spaceKey": "DEMO", "title": title, "expand": "version"}
        answer = httpx.get(
            f"{server.base_url}/rest/api/content", params=query, headers={"Authorization": f"Bearer {token}"}
        )
        numbers |= {page["title"]: page["version"]["number"] for page in answer.json()["results"]}
    return numbers


def pictures(server: RunningServer, token: str, title: str) -> dict[str, tuple[int, bytes]]:
    """The attachments of a page by their names: the numbers of their versions, and their bytes."""
    with httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {token}"}) as client:
        query = {"spaceKey": "DEMO", "title": title, "expand": "children.attachment.version,body.storage"}
        (page,) = client.get("/rest/api/content", params=query).json()["results"]
        found = page["children"]["attachment"]["results"]
        assert all(f'ri:filename="{item["title"]}"' in page["body"]["storage"]["value"] for item in found)
        return {
            item["title"]: (item["version"]["number"], client.get(item["_links"]["download"]).content) for item in found
        }


def test_md2cf(dev_server: RunningServer, token: str, folder: Path, tmp_path: Path) -> None:
    md2cf = str(installed(tmp_path / "md2cf", "md2cf==2.3.0") / "md2cf")
    command = [md2cf, "--host", f"{dev_server.base_url}/rest/api", "--token", token, "--space", "DEMO"]

    def publish() -> str:
        done = subprocess.run([*command, "--only-changed", str(folder)], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert publish().count("Created") == 3  # two pages and a picture
    assert publish().count("No change") == 3
    assert versions(dev_server, token, "Handbook", "Routines") == {"Handbook": 1, "Routines": 1}
    boat = (folder / "boat on a lake.png").read_bytes()
    assert pictures(dev_server, token, "Handbook") == {"boat on a lake.png": (1, boat)}
    (folder / "routines.md").write_text("# Routines\n\nNone.\n")
    third = publish()
    assert (third.count("Updated"), third.count("No change")) == (1, 2)
    assert versions(dev_server, token, "Handbook", "Routines") == {"Handbook": 1, "Routines": 2}
    draw(folder / "boat on a lake.png", "blue")
    publish()
    boat = (folder / "boat on a lake.png").read_bytes()
    assert pictures(dev_server, token, "Handbook") == {"boat on a lake.png": (2, boat)}


def test_md2conf(dev_server: RunningServer, token: str, folder: Path, tmp_path: Path) -> None:
    (folder / "handbook.md").write_text("# Guide\n\nHello **world**, see [the other one](routines.md).\n" + PICTURE)
    (folder / "routines.md").write_text('# Chores\n\n```python\nprint("every day")\n```\n')
    md2conf = str(installed(tmp_path / "md2conf", "markdown-to-confluence==0.6.5") / "md2conf")
    with tls_before(int(dev_server.base_url.rpartition(":")[2]), tmp_path) as front:
        where = ["--domain", front.address, "--path", "/", "--api-version", "v1", "--space", "DEMO"]

        def publish() -> None:
            done = subprocess.run(
                [md2conf, *where, "--api-key", token, str(folder)],
                check=False,
                capture_output=True,
                text=True,
                env={**os.environ, "SSL_CERT_FILE": str(front.certificate)},
            )
            assert done.returncode == 0, done.stderr

        publish()
        made = versions(dev_server, token, "Guide", "Chores")
        assert made.keys() == {"Guide", "Chores"}
        shown = pictures(dev_server, token, "Guide")
        boat = (folder / "boat on a lake.png").read_bytes()
        assert [data for _, data in shown.values()] == [boat]
        publish()
        assert versions(dev_server, token, "Guide", "Chores") == made
        assert pictures(dev_server, token, "Guide") == shown
