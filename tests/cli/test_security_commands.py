"""``watersmeet audit`` and ``watersmeet keys``, with real processes on a real database."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.test_commands import GOOD_SECRET, run


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The settings of a production database in a folder of its own."""
    return {
        "WATERSMEET_SECRET": GOOD_SECRET,
        "WATERSMEET_DATABASE_URL": f"sqlite:///{tmp_path / 'watersmeet.db'}",
    }


def test_the_audit_log_on_the_command_line(tmp_path: Path, env: dict[str, str]) -> None:
    def done(*words: str, stdin: str = "") -> str:
        ran = run(*words, cwd=tmp_path, env=env, stdin=stdin)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    done("user", "add", "carol", "--password-stdin", stdin="correct horse battery\n")
    made = json.loads(
        done("link", "add", "=cmd", "--redirect-uri", "https://app.example/cb", "--scope", "READ", "--json")
    )
    lines = [json.loads(line) for line in done("audit", "--json").splitlines()]
    assert [line["event"] for line in lines] == ["link.created", "user.created"]
    assert {line["actor"] for line in lines} == {"the command line"}
    assert lines[1]["user"] == "carol"
    [record] = csv.DictReader(io.StringIO(done("audit", "--csv", "--client", made["client_id"])))
    assert (record["event"], record["client"]) == ("link.created", "'=cmd")
    table = done("audit", "--user", "carol", "--since", "1h", "--limit", "5").splitlines()
    assert table[0].split() == ["TIME", "(UTC)", "EVENT", "BY", "USER", "APPLICATION", "ADDRESS", "DETAIL"]
    assert len(table) == 2
    assert made["client_secret"] not in done("audit", "--json")
    refused = run("audit", "--since", "soon", cwd=tmp_path, env=env)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "A time looks like" in refused.stderr
    assert run("audit", "--json", "--csv", cwd=tmp_path, env=env).returncode == 2
