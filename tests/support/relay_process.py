"""A relay of a test: the real command ``bifolio relay`` as a process that can die and come back.

It is forked where commands are (``command_server``): a relay that begins costs a test as much as
ten commands otherwise.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support import command_server
from tests.support.computer import BIFOLIO

_END_TIMEOUT_S = 20.0


class RelayProcess:
    """A relay on a free port, which it keeps when it is started again on the same data."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data = folder / "relay"
        self.log = folder / "relay.log"
        self.options = options
        self.port = 0
        self._process: subprocess.Popen[str] | command_server.Started | None = None

    def __enter__(self) -> RelayProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it again, and wait until it is ready."""
        assert self._process is None, "the relay runs already"
        typed = ["relay", "--port", str(self.port), "--data", str(self.data), *self.options]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.data.parent)}
        if command_server.is_available():
            self._process = command_server.start(
                typed,
                environment=environment,
                folder=self.data.parent,
                out=self.log.with_suffix(".out"),
                log=self.log,
            )
            ready = self._process.first_line()
        else:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [BIFOLIO, *typed],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    encoding="utf-8",
                )
            assert self._process.stdout is not None
            ready = self._process.stdout.readline()
        assert ready.startswith("listening on ws://127.0.0.1:"), self.log.read_text()
        self.port = int(ready.rstrip().rpartition(":")[2])

    def stop(self) -> None:
        """End it as a service is ended: with SIGTERM, and a clean exit."""
        assert self._end(signal.SIGTERM) == 0, self.log.read_text()
        assert "Traceback" not in self.log.read_text()

    def kill(self) -> None:
        """End it as a power cut does: ``kill -9``."""
        assert self._end(signal.SIGKILL) == -signal.SIGKILL

    def wipe(self) -> None:
        """Remove everything that it stored; only while it does not run."""
        assert self._process is None, "the relay still runs"
        shutil.rmtree(self.data)

    def stored_bytes(self) -> bytes:
        """Everything in its data folder and its log, one after the other."""
        files = sorted(path for path in self.data.rglob("*") if path.is_file())
        return b"\0".join(path.read_bytes() for path in [*files, self.log])

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        assert process is not None, "the relay does not run"
        self._process = None
        if isinstance(process, command_server.Started):
            return process.end(number, within_s=_END_TIMEOUT_S)
        process.send_signal(number)
        process.communicate(timeout=_END_TIMEOUT_S)
        return process.returncode
