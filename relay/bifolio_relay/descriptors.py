"""How many connections the system lets this process have: its limit of open files, raised first."""

from __future__ import annotations

import contextlib
import sys

from bifolio import limits

if sys.platform != "win32":
    import resource


def connections_max(wanted: int) -> int:
    """As many connections as are wanted and there are open files for; raises the process's limit.

    Some are kept for the store, for the files that are read and written, and for whoever is turned
    away.
    """
    if sys.platform == "win32":
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + limits.RELAY_DESCRIPTORS_RESERVED
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = raised
    # A process with hardly any still serves somebody.
    return max(min(wanted, soft - limits.RELAY_DESCRIPTORS_RESERVED), soft // 2, 1)
