"""The command ``bifolio``: the one place where errors end, and the exit codes.

==== ==============================================================
0    done
1    could not: one sentence and the next step on stderr
2    the call itself is wrong
3    done in part: what was left out is named
130  interrupted from the keyboard
==== ==============================================================

With --json a failure is ``{"error": {"code", "message", "next"}}`` on stdout.
"""

from __future__ import annotations

import atexit
import errno
import os
import sys
import threading

from bifolio.errors import BifolioError

# The first of them loads msgspec, before everything that defines a struct.
from bifolio_cli import (
    lean_msgspec,  # noqa: F401
    plain_calls,
)
from bifolio_cli.call import COULD_NOT, INTERRUPTED
from bifolio_cli.environment import Environment
from bifolio_cli.os_errors import InternalError, explain_os_error
from bifolio_cli.output import Output, prepare_streams


def main() -> None:
    """The console script."""
    code = run(sys.argv[1:])
    if "bifolio_cli.application" not in sys.modules:
        _end_at_once(code)
    sys.exit(code)


def _end_at_once(code: int) -> None:
    """End the process of a plain call, whose library is closed, without taking apart what it
    loaded: that takes a tenth of its time. Returns where there is more to do at the end."""
    if threading.active_count() > 1:
        return
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # the interpreter's own end says what it says of that
    os._exit(code)


def run(arguments: list[str]) -> int:
    """One call of the command; the exit code."""
    prepare_streams()
    # Where parsing fails no verb has said how to speak, so the arguments are asked.
    output = Output(json="--json" in arguments)
    try:
        return _invoke(arguments, output)
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        # Not even the failure found room on stdout, so a program's reader is told on stderr.
        Output(json=False).failure(explain_os_error(error))
        return _reader_gone()


def _invoke(arguments: list[str], output: Output) -> int:
    try:
        plain = plain_calls.read(arguments)
        if plain is None:
            from bifolio_cli.application import invoke

            return invoke(arguments, output)
        plain()
    except BifolioError as error:
        output.failure(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise BrokenPipeError from error
        output.failure(explain_os_error(error))
        return COULD_NOT
    except Exception as error:
        # The very top: nobody is shown a traceback unasked.
        if Environment.of_process().traceback:
            raise
        output.failure(InternalError(error))
        return COULD_NOT
    return 0


def _reader_gone() -> int:
    """Whoever read our output has seen enough: end quietly, the interpreter's flush too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return COULD_NOT


if __name__ == "__main__":
    main()
