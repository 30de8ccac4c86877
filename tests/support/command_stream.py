"""Many commands of ``bifolio`` in one process: argument lists in, outcomes out, both as JSON.

Run as ``python -m tests.support.command_stream``. Each command goes through the same function as
the console script, and opens and closes its library as it does alone.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from bifolio_cli.main import run


def outcome(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr):
        exit_code = run(["--json", *arguments])
    return exit_code, stdout.getvalue(), stderr.getvalue()


def run_all(commands: list[list[str]]) -> int:
    """Run the commands and print their outcomes; a failure among them is theirs."""
    print(json.dumps([outcome(arguments) for arguments in commands]))
    return 0


if __name__ == "__main__":
    sys.exit(run_all(json.load(sys.stdin)))
