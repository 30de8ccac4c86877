"""A library served from the process of automatic sync, so that it is there after login.

The setting is a file that comes, changes or goes while the process runs. What stands in the way (a
port that another program has, a library that cannot be opened) is noted and tried again: syncing
goes on meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from bifolio import limits
from bifolio.autosync.registry import Registry, ServedLibrary
from bifolio.autosync.state import note_serving
from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.serve.server import Server

_LOOK_S: Final = 1.0


def serve_beside(home: Home, stopping: threading.Event, log: Callable[[str], None]) -> None:
    """Serve what is to be served, until ``stopping``."""
    registry = Registry(home)
    said = ""
    while not stopping.is_set():
        wanted = registry.served()
        if wanted is None:
            note_serving(registry, None)
            stopping.wait(_LOOK_S)
            continue
        kind, problem = _serve(home, registry, wanted, stopping, log)
        note_serving(registry, problem)
        if problem:
            if kind != said:
                log(f"not serving: {kind}")  # without the words, which may name a path
            _pause(registry, wanted, stopping)
        said = kind
    note_serving(registry, None)


def _serve(
    home: Home,
    registry: Registry,
    wanted: ServedLibrary,
    stopping: threading.Event,
    log: Callable[[str], None],
) -> tuple[str, str]:
    """Serve one library for as long as the setting says so; what stood in the way, by its code and
    in a sentence, or nothing."""
    others = [one for one in registry.paths() if one != wanted.path and one.is_dir()]
    server = Server(wanted.path, home, port=wanted.port, others=others)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_S):
            if stopping.is_set() or registry.served() != wanted:
                server.stop()

    def tell(port: int) -> None:
        note_serving(registry, "")
        log(f"serving on port {port}")

    watching = threading.Thread(target=watch, name="bifolio-serve-watch")
    watching.start()
    try:
        server.run(tell)
    except BifolioError as error:
        return error.code, error.message
    except OSError as error:
        return "system", f"The system does not allow it: {error.strerror or error}."
    finally:
        done.set()
        watching.join()
    return "", ""


def _pause(registry: Registry, wanted: ServedLibrary, stopping: threading.Event) -> None:
    """Wait before it is tried again, or until something else is wanted."""
    waited = 0.0
    while waited < limits.SERVE_RETRY_S and registry.served() == wanted:
        if stopping.wait(_LOOK_S):
            return
        waited += _LOOK_S
