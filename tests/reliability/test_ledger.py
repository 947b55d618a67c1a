"""What was answered survives ``kill -9``, and what was used stays used (S104, S112): the client's books decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ledger import Ledger
from tests.support.production import Production

LIVES = 10


@pytest.mark.slow
def test_s104_ten_kills_under_load_lose_nothing_and_revive_nothing(empty_url: str, tmp_path: Path) -> None:
    workers = 1 if empty_url.startswith("sqlite") else 2
    production = Production(empty_url, tmp_path, workers)
    ledger = Ledger.open(production, 800)
    try:
        production.start()
        with ledger.load(clients=6):
            for _ in range(LIVES):
                ledger.wait_for_answers(25)
                production.kill()
                production.start()
            ledger.wait_for_answers(25)
        assert ledger.lost >= LIVES, "the kills came while requests were under way"
        ledger.balance()
        assert production.stop() == 0
    finally:
        production.kill()
