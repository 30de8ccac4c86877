"""A library that is served in this process, by a thread of its own, on any free port."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from bifolio.home import Home
from bifolio.serve.running import HOST
from bifolio.serve.served_library import ServedLibrary
from bifolio.serve.server import PORT, PortTakenError, Server, listen

#: How long another test may have the port.
_WAIT_S = 90


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers by their names in small letters, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a JSON document."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass(frozen=True)
class Serving:
    """A server that runs."""

    server: Server
    port: int

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        asking = http.client.HTTPConnection(HOST, self.port, timeout=20)
        try:
            asking.request(method, path, body=body, headers=dict(headers or {}))
            answer = asking.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            asking.close()

    def get(self, path: str, **headers: str) -> Answer:
        """A request for a path of the user's library: ``get("items/top?limit=1")``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("GET", f"/api/users/0/{path}", headers=named)

    @property
    def library(self) -> ServedLibrary:
        """The user's library, of which something was asked before."""
        libraries = self.server._libraries
        assert libraries is not None
        served = libraries.main._served
        assert served is not None
        return served

    def wait_for_work(self) -> None:
        """Wait until the server has done what it does between requests."""
        until = time.monotonic() + 20
        while self.library.has_work:
            assert time.monotonic() < until
            time.sleep(0.01)

    def connect(self) -> socket.socket:
        """A connection of which nothing is sent yet."""
        return socket.create_connection((HOST, self.port), timeout=20)


@contextmanager
def serving(path: Path, home: Home, **options: Any) -> Iterator[Serving]:
    """Serve a library for as long as this lasts."""
    server = Server(path, home, **{"port": 0, **options})
    ready = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            server.run(lambda _: ready.set())
        except BaseException as error:
            failed.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=run, name="serving")
    thread.start()
    try:
        assert ready.wait(30)
        assert not failed, failed
        yield Serving(server, server.bound)
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def on_zotero_s_port(path: Path, home: Home) -> Iterator[Serving]:
    """Serve a library where programs look that know no other port: one test at a time."""
    with FileLock(Path(tempfile.gettempdir()) / "bifolio-test-port.lock").acquire(timeout=_WAIT_S):
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                listen(PORT).close()
                break
            except PortTakenError:
                assert time.monotonic() < deadline, "another program has Zotero's port"
                time.sleep(0.5)
        with serving(path, home, port=PORT) as running:
            yield running
