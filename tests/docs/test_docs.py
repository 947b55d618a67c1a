"""The documentation is complete, and its commands work."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from starlette.routing import Mount, Route

from tests.support.server import RunningServer
from watersmeet.app import create_app
from watersmeet.cli import main
from watersmeet.oauth2 import errors
from watersmeet.settings import Settings, all_settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *ROOT.glob("docs/**/*.md")]


def _text(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


@pytest.mark.parametrize("setting", list(all_settings()), ids=lambda setting: setting.name)
def test_every_setting_is_documented_as_it_is(setting: object) -> None:
    name, variable, default, text = (
        getattr(setting, field) for field in ("name", "environment_variable", "default", "help")
    )
    shown = str(default).lower() if isinstance(default, bool) else default
    line = f"| `{name}` | `{variable}` | {f'`{shown}`' if shown != '' else '(none)'} | {text} |"
    assert line in _text("settings.md")


def test_every_cause_of_an_error_is_documented() -> None:
    groups = (errors.OAuthError, errors.UntrustedRequest, errors.BearerRefused)
    leaves = [
        (name, leaf)
        for name, leaf in vars(errors).items()
        if inspect.isclass(leaf) and issubclass(leaf, errors.OAuthError) and leaf not in groups
    ]
    text = _text("errors.md")
    assert leaves
    for name, leaf in leaves:
        row = re.search(rf"^\| `{name}` \| `{leaf.code}` \| .+ \| .+ \|$", text, re.MULTILINE)
        assert row, f"{name}: meaning and what to do"


def _commands(command: click.Command, path: str = "") -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    found = []
    with click.Context(command) as context:
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            found += _commands(child, f"{path} {name}".strip())
    return found


def test_every_command_and_option_is_documented() -> None:
    text = _text("cli.md")
    for path, command in _commands(main):
        group, *name = path.split()
        section = text.split(f"\n## {group}\n")[1].split("\n## ")[0]
        assert all(f"`{word}" in section for word in name)
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert option in section or (option == "--config" and "--config FILE" in text), (path, option)


def test_every_route_is_documented(tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/x.db", secret="s" * 32))
    text = _text("wire-compatibility.md") + _text("rest-api.md")
    for route in app.routes:
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route)
        path = route.path.replace("/1.0/", "/latest/").removesuffix("{rest:path}")  # "and all below it"
        path = path.replace("/plugins/servlet/applinks/incoming/{client_id}", "/{client_id}")
        assert f"`{path}`" in text, path
        for method in (route.methods or set()) - {"HEAD"}:
            # The pages below an incoming link share the row of their parent.
            row = next(line for line in text.splitlines() if f"`{path}`" in line)
            assert method in row, (path, method)


def test_links_and_pictures_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), (document.name, target)


def test_the_readme_s_marked_commands_run(dev_server: RunningServer, tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- run -->\s*```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:  # in the order of the page, one after the other in one folder
        command = block.replace("watersmeet ", f"{sys.executable} -m watersmeet ", 1)
        if " authorize " in command:
            command = command.replace(" authorize ", f" authorize --url {dev_server.base_url} ", 1)
        done = subprocess.run(
            shlex.split(command), check=False, capture_output=True, text=True, cwd=tmp_path, env={**os.environ}
        )
        assert done.returncode == 0, done.stderr
