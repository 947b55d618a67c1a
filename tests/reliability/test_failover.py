"""The primary dies under load and a standby takes its place: nothing answered is lost, and nobody restarts us."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.ledger import Ledger
from tests.support.production import Production
from tests.support.replication import replicated_postgresql

RESUMES_WITHIN = 10  # seconds after the promotion


@pytest.mark.slow
@pytest.mark.usefixtures("postgresql_server")  # so that a machine without PostgreSQL says so once
def test_a_promoted_standby_is_found_and_nothing_answered_is_lost(tmp_path: Path) -> None:
    with replicated_postgresql() as servers:
        production = Production(servers.url, tmp_path, workers=2)
        ledger = Ledger.open(production, 600)
        try:
            production.start()
            with ledger.load(clients=6):
                ledger.wait_for_answers(60)
                servers.fail_over()
                promoted = time.monotonic()
                ledger.wait_for_answers(1)
                resumed = ledger.last_answer
                ledger.wait_for_answers(60)
            assert resumed - promoted < RESUMES_WITHIN
            assert ledger.busy, "while there was no primary, the answer was 503"
            ledger.balance()
            assert production.stop() == 0
        finally:
            production.kill()
