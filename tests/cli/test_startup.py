"""Start-up: what a server has imported when it is ready, and that the garbage collector is at work again (0004, 0074).

Modules are counted instead of seconds: they are the same on every machine.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.test_commands import GOOD_SECRET, free_port
from watersmeet.cli import collector, main

# Nothing of the server is replaced but what it says when it is ready.
_ANNOUNCING = """
import gc, json, os, signal, sys
from watersmeet.cli import dev, main, serve
def announce(*_, **__):
    print(json.dumps([gc.isenabled(), gc.get_freeze_count(), sorted(sys.modules)]), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
dev._announce = serve.say = announce
main(sys.argv[1:])
"""

# Own modules only, because those of others differ from release to release. Whoever needs more of them before the first
# request should think of importing them with it (web.route.Later), before this is raised.
BUDGET = {"dev": 190, "serve": 150}

# By the first request for them, if there is one: the content API, and all pages.
LATER = (
    "watersmeet.content.http.", "watersmeet.content.search", "watersmeet.content.copy", "watersmeet.content.body",
    "watersmeet.links.http", "watersmeet.links.page", "watersmeet.links.register", "watersmeet.audit.",
    "watersmeet.authorize.", "watersmeet.users.http_account", "watersmeet.users.http_personal_token",
    "watersmeet.confluence.cql", "watersmeet.confluence.wiki_markup", "watersmeet.database.search.",
    "watersmeet.database.migrations", "watersmeet.dev.explanation", "watersmeet.dev.http.", "watersmeet.testing",
)  # fmt: skip
ALIEN = {"alembic", "babel", "jinja2", "lxml", "nh3", "PIL", "obstore", "psycopg", "rich", "tomllib", "httpx"}


@dataclass(frozen=True)
class Ready:
    """A server at the moment at which it says that it is ready."""

    command: str
    collects: bool
    frozen: int
    modules: list[str]

    @property
    def own(self) -> list[str]:
        return [name for name in self.modules if name.split(".")[0] == "watersmeet"]


@pytest.fixture(scope="module", params=["dev", "serve"])
def ready(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    folder = tmp_path_factory.mktemp("startup")
    settings = {
        "WATERSMEET_SECRET": GOOD_SECRET,
        "WATERSMEET_DATABASE_URL": f"sqlite:///{folder}/w.db",
        "WATERSMEET_BLOB_STORE": str(folder / "blobs"),
    }
    port = ["--port", "0" if request.param == "dev" else str(free_port())]
    done = subprocess.run(
        [sys.executable, "-c", _ANNOUNCING, request.param, *port],
        check=False, capture_output=True, text=True, cwd=folder, timeout=120, env=os.environ | settings,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Ready(request.param, *json.loads(done.stdout))


def test_a_server_is_ready_with_few_of_its_modules(ready: Ready) -> None:
    assert len(ready.own) <= BUDGET[ready.command], ready.own


def test_what_can_wait_for_its_first_request_does(ready: Ready) -> None:
    assert not [name for name in ready.modules if name.startswith(LATER)]
    assert not ALIEN & {name.split(".")[0] for name in ready.modules}
    assert not [name for name in ready.modules if name.startswith("sqlalchemy.dialects.postgresql")]


@pytest.mark.parametrize("ready", ["serve"], indirect=True)  # dev makes its content before
def test_serve_is_ready_without_the_content_slice(ready: Ready) -> None:
    needed = {name for name in ready.own if name.startswith("watersmeet.content.")}
    assert needed == {f"watersmeet.content.{name}" for name in ("http", "long_task", "unnamed")}
    assert not [name for name in ready.own if name.startswith("watersmeet.confluence.storage_format")]


def test_the_collector_is_at_work_and_leaves_alone_what_start_up_made(ready: Ready) -> None:
    assert ready.collects
    assert ready.frozen > 10_000


# ---- the collector ----------------------------------------------------------------------------------------


def test_it_rests_while_a_server_starts_and_no_longer() -> None:
    with collector.resting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_at_work_again_after_a_failure() -> None:
    with pytest.raises(ValueError, match="wrong"), collector.resting():
        raise ValueError("wrong")
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with collector.resting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("words", [["serve"], ["dev", "--ready-file", "no/such/folder"]])
def test_a_command_that_does_not_start_leaves_it_at_work(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, words).exit_code in (1, 2)
    assert gc.isenabled()
