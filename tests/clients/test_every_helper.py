"""Every helper of atlassian-python-api, in two of its major versions, with a Bearer token from a real code flow."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import installed, token_of
from tests.support.server import RunningServer

_SCRIPT = Path(__file__).with_name("every_helper.py")

# Helpers that the original of our version cannot answer either, or that this server refuses (docs/coverage.md).
_REFUSED = re.compile(
    "|".join(
        (
            r".*(plugin|license|jira_metadata|synchrony|collaborative_editing|calendar|cache|reindex|health).*",
            r".*(whiteboard|_cloud|accountid|space_ids).*",  # of Cloud
            r".*(json_rpc|restricted_page|restricts|add_user|change_(my|user)_password).*",  # by JSON-RPC
            r".*(export|pdf|word|avatar|mobile|share_with|audit).*",
            r"(add|remove|get)_space_permissions?",  # at space/{key}/permission
            r"(get|remove)_trashed_contents_by_space",  # at space/{key}/content/trash
            r"get_all_draft_pages_from_space_through_cql",  # of a query that is none
            r"remove_content_history_in_cloud",
            # Addresses in no reference: content/{id}/ancestor and …/download, label, user and template without a name,
            # space/search, space/{key}/settings, metadata, JSON posted as an attachment.
            r"(get_content_ancestors|download_attachment|get_labels|get_users|get_templates|search_spaces)",
            r"(get_space_settings|get_metadata|create_attachment|create_comment)",
            # content/{id}/version: 404 in the original, whose list is at /rest/experimental.
            r"(get_all_page_versions|iter_page_versions|get_page_version_contributors)",
            # Not requests at all.
            r"(request|raise_for_status|get_page_id_by_url|content_types|data|get_data|get_link)",
        )
    )
)
_BROKEN = {
    "5": {
        "get_content_history_by_version_number": "asks at content/{id}/version",
        "add_user_to_group": "posts to group/{name}/member",
        "remove_user_from_group": "deletes group/{name}/member/{username}",
    },
    "4": {
        "remove_page_history_keep_version": "deletes version 1 again and again, as if versions were numbered anew",
    },
    "both": {"remove_permissions_from_user_for_space": "sends its operations nowhere"},
}


@pytest.fixture(scope="module")
def token(dev_server: RunningServer) -> str:
    return token_of(dev_server, user="admin", scope="SYSTEM_ADMIN")


def _run(python: str, server: RunningServer, token: str, key: str, folder: Path) -> dict[str, Any]:
    command = [python, str(_SCRIPT), server.base_url, token, key, str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _check(found: dict[str, Any], version: str, at_least: int) -> None:
    outcomes, broken = found["outcomes"], _BROKEN[version] | _BROKEN["both"]
    wrong = {name: outcome for name, outcome in outcomes.items() if outcome is not True and name not in broken}
    assert wrong == {}
    assert sum(outcome is True for outcome in outcomes.values()) >= at_least
    left = [name for name in found["not called"] if not _REFUSED.fullmatch(name) and name not in broken]
    assert left == [], "helpers that are neither called nor known to be refused"


def test_version_5(dev_server: RunningServer, token: str, tmp_path: Path) -> None:
    _check(_run(sys.executable, dev_server, token, "HELPERFIVE", tmp_path), "5", 158)


def test_version_4(dev_server: RunningServer, token: str, tmp_path: Path) -> None:
    python = str(installed(tmp_path / "venv", "atlassian-python-api==4.0.7", "lxml") / "python")
    _check(_run(python, dev_server, token, "HELPERFOUR", tmp_path), "4", 103)
