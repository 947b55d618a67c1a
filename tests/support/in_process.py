"""The application on a real port, in a thread of this process, so that its clock can be set by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.http.conftest import SECRET, HandClock
from watersmeet import demo
from watersmeet.app import create_app, create_environment, open_database
from watersmeet.cli.server import bind
from watersmeet.database.properties import Purpose, prepare
from watersmeet.settings import Settings

_SECONDS = 30


@contextmanager
def running_in_process(folder: Path, **changes: Any) -> Iterator[tuple[str, HandClock]]:
    """A demo that accepts connections, with these settings: its base URL, and its clock."""
    listener, clock = bind("127.0.0.1", 0), HandClock()
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(
        base_url=base_url,
        database_url=f"sqlite:///{folder}/in-process.db",
        blob_store=str(folder / "blobs"),
        secret=SECRET,
        **changes,
    )
    database = open_database(settings)
    environment = create_environment(settings, database, clock)
    prepare(database, Purpose.DEVELOPMENT, environment.keys.fingerprint)
    database.write_now(lambda tx: demo.add_demo(tx, environment, clock.now()))
    app = create_app(settings, database=database, clock=clock)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    try:
        deadline = time.monotonic() + _SECONDS
        while not server.started and serving.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        yield base_url, clock
    finally:
        server.should_exit = True
        serving.join(_SECONDS)
        database.close()
    assert not serving.is_alive()
