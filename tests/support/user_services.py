"""``systemctl --user`` where no systemd runs: starts and stops what a unit file says.

Run as a script by the tests of docs/operations.md, which is about units of the user's. Of a unit it
knows ``ExecStart`` with ``%h``; it refuses what it does not know.
"""

from __future__ import annotations

import configparser
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_END_S = 10.0


def unit_path(name: str) -> Path:
    """The file of a unit."""
    return Path(os.environ["HOME"]) / ".config/systemd/user" / f"{name}.service"


def command_of(name: str) -> list[str]:
    """What the unit starts."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(unit_path(name).read_text("utf-8"))
    assert unit["Install"]["WantedBy"] == "default.target"
    return shlex.split(unit["Service"]["ExecStart"].replace("%h", os.environ["HOME"]))


def start(name: str) -> None:
    """Start it, and wait until it says that it is ready, which systemd would not."""
    log = unit_path(name).with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command_of(name), stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    unit_path(name).with_suffix(".pid").write_text(str(process.pid))
    deadline = time.monotonic() + _END_S
    while "listening on" not in log.read_text("utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{name} does not start: {log.read_text('utf-8')}")
        time.sleep(0.02)


def stop(name: str) -> None:
    """End it with SIGTERM."""
    file = unit_path(name).with_suffix(".pid")
    if not file.exists():
        return
    pid = int(file.read_text())
    file.unlink()
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_S
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.02)
        sys.exit(f"{name} does not end")


def main(arguments: list[str]) -> None:
    """One call of ``systemctl``."""
    match arguments:
        case ["--user", "daemon-reload"]:
            return
        case ["--user", "enable", "--now", name] | ["--user", "start", name]:
            start(name)
        case ["--user", "disable", "--now", name] | ["--user", "stop", name]:
            stop(name)
        case _:
            sys.exit(f"not known: systemctl {shlex.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1:])
