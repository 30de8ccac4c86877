"""What the operating system refuses, as an error of Bifolio's own: one sentence and a next step."""

from __future__ import annotations

import errno
import os

from bifolio.errors import BifolioError

_NEXT_STEPS = {
    errno.ENOENT: "Check the path; nothing was changed.",
    errno.EACCES: "Give yourself the right to it, or name another path; nothing was changed.",
    errno.EPERM: "Give yourself the right to it, or name another path; nothing was changed.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.EROFS: "Name a path on a disk that can be written.",
    errno.ENOSPC: "Free some space and try again.",
}


def system_fault(error: OSError) -> BifolioError:
    """The error to show for one of the operating system's."""
    number = error.errno or 0
    reason = error.strerror or (os.strerror(number) if number else str(error)) or "unknown fault"
    subject = str(error.filename) if error.filename is not None else "The operating system refused"
    return BifolioError(
        f"{subject}: {reason}.",
        next_step=_NEXT_STEPS.get(number, "Put it right and try again; what was saved is safe."),
    )
