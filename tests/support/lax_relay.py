"""A hostile relay as a process of its own: it lets every member's envelope pass, whatever its role.

The command ``bifolio-relay`` in all else: ``python -m tests.support.lax_relay --data DIR``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bifolio.crypto.membership import Membership, Permission
from bifolio_relay import server


@contextmanager
def running(data: Path, *, port: int) -> Iterator[str]:
    """One on this data and port; its address."""
    command = [sys.executable, "-m", __name__, "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    Membership.permits = lambda *_: Permission.PERMITTED  # type: ignore[method-assign]
    sys.exit(server.main(sys.argv[1:]))
