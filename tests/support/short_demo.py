"""The demo with other libraries, its commands forked as those of other end-to-end tests are.

``short_demo.py FOLDER COUNT demo ...``, a script: the bibliographies are those in
``FOLDER/libraries``, of which each has so many references.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from tests.support import command_server

from bifolio_cli.demo import computers, script, stage
from bifolio_cli.demo.computers import Computer, Ended
from bifolio_cli.environment import Environment
from bifolio_cli.main import main

_TIMEOUT_S = 180.0


def _call(self: Computer, arguments: Sequence[str], *, exits: int, with_stderr: bool) -> Ended:
    """One command to its end, as ``Computer`` has it."""
    begin = monotonic()
    ended = command_server.run(
        arguments,
        environment=Environment.variables_for(home=self.home, device=self.name),
        folder=self.home,
        timeout_s=_TIMEOUT_S,
    )
    assert ended.exit_code == exits, (self.name, arguments, ended)
    printed = ended.stdout + ended.stderr if with_stderr else ended.stdout
    return Ended(ended.exit_code, printed, monotonic() - begin)


if __name__ == "__main__":
    folder, count = Path(sys.argv.pop(1)), int(sys.argv.pop(1))
    stage.files = lambda _: folder  # type: ignore[assignment,attr-defined]
    script.TYPOGRAPHY_REFERENCES = script.PRINTING_HISTORY_REFERENCES = count
    if command_server.is_available():
        computers.Computer._call = _call  # type: ignore[method-assign]
    main()
