"""docs/testing.md and docs/developer-pages.md: complete, and their examples run."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
from starlette.applications import Starlette

from watersmeet.app import create_environment, open_database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.dev import http
from watersmeet.dev.clock import VirtualClock
from watersmeet.dev.fault import Deed, Fault
from watersmeet.dev.workshop import Workshop
from watersmeet.settings import Settings
from watersmeet.testing import Server

ROOT = Path(__file__).parents[2]
TESTING = (ROOT / "docs" / "testing.md").read_text()
PAGES = (ROOT / "docs" / "developer-pages.md").read_text()


def test_the_pytest_examples_run_as_they_stand(tmp_path: Path) -> None:
    examples = re.findall(r"<!-- pytest -->\n```python\n(.*?)```", TESTING, re.DOTALL)
    assert len(examples) == TESTING.count("```python")
    for number, example in enumerate(examples):
        (tmp_path / f"test_{number}.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert f"{TESTING.count('def test_')} passed" in done.stdout, done.stdout


def test_the_curl_lines_run(watersmeet_server: Server) -> None:
    here = {**os.environ, "BASE": watersmeet_server.base_url}
    [block] = re.findall(r"<!-- run -->\n```sh\n(.*?)```", TESTING, re.DOTALL)
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=block, check=False, capture_output=True, text=True, env=here,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "503\n" in done.stdout
    assert watersmeet_server.request("GET", "/_dev/clock").json()["offset_seconds"] == 0


def test_every_deed_and_field_of_a_fault_is_documented() -> None:
    for deed in Deed:
        assert re.search(rf"^\| `{deed}` \| .+ \|", TESTING, re.MULTILINE), deed
    for field in msgspec.structs.fields(Fault):
        assert f"`{field.name}`" in TESTING, field.name


def test_every_method_of_the_test_server_is_documented() -> None:
    for name, _ in inspect.getmembers(
        Server, lambda member: inspect.isfunction(member) or isinstance(member, property)
    ):
        if not name.startswith("_"):
            assert re.search(rf"`{name}[(`]", TESTING), name


def test_every_address_of_dev_is_documented(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/x.db", secret="s" * 32)
    database, clock = open_database(settings), VirtualClock()
    environment = create_environment(settings, database, clock)
    prepare(database, Purpose.DEVELOPMENT, environment.keys.fingerprint)
    app = Starlette(routes=http.routes(Workshop.open(environment, clock)))
    database.close()
    for route in app.routes:
        path = getattr(route, "path").replace(":int", "")  # noqa: B009 - Starlette's routes have different classes
        if not path.startswith("/_dev/playground/") and path not in ("/_dev", "/_dev/faults/clear"):
            assert path in TESTING + PAGES, path
