"""What the operating system refuses, and what else ends a command, as errors of Bifolio's own."""

from __future__ import annotations

import errno
import os

from bifolio.errors import BifolioError, UsageError

_NEXT_STEPS = {
    errno.ENOENT: "Check the path; nothing was changed.",
    errno.EACCES: "Give yourself the right to it, or name another path; nothing was changed.",
    errno.EPERM: "Give yourself the right to it, or name another path; nothing was changed.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.EROFS: "Name a path on a disk that can be written.",
    errno.ENOSPC: "Free some space and try again.",
}


class OsRefusalError(BifolioError):
    """The operating system refused."""

    code = "os-refusal"


class InternalError(BifolioError):
    """A fault of Bifolio's own."""

    code = "internal-fault"

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"Bifolio has a fault ({type(error).__name__}: {error}).",
            next_step="What was saved before is safe. Set BIFOLIO_TRACEBACK=1 and run it again to "
            "see where, and report it.",
        )


class WrongCallError(UsageError):
    """The words of the call are not those of a command."""

    code = "wrong-call"


def explain_os_error(error: OSError) -> OsRefusalError:
    """The error to show for one of the operating system's."""
    number = error.errno or 0
    reason = error.strerror or (os.strerror(number) if number else str(error)) or "unknown fault"
    subject = str(error.filename) if error.filename is not None else "The operating system refused"
    return OsRefusalError(
        f"{subject}: {reason}.",
        next_step=_NEXT_STEPS.get(
            number, "Correct this and try again; what was saved before is safe."
        ),
    )
