"""What the relay tells of itself to a plain GET: whether it runs, whether it is ready, and numbers.

``/healthz`` is well while the process and its store answer; ``/readyz`` only where changes can be
taken as well: there is room for the logs, and nothing is damaged that could not be mended.
``/metrics`` is the text that Prometheus reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from bifolio import __version__
from bifolio_relay.care import CareCounts
from bifolio_relay.log_service import LogService

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
METRICS_PATH = "/metrics"
PATHS = (HEALTH_PATH, READY_PATH, METRICS_PATH)

Facts = dict[str, str | int]


async def gather(service: LogService, care: CareCounts, counts: dict[str, int]) -> Facts:
    """All that is told.

    Raises:
        RelayStorageError: the store failed.
    """
    room = await service.room()
    damage = f"damaged: {care.open}" if care.open else ""
    full = "" if room.has_for_logs else "the disk is full: no changes can be taken"
    files = "" if room.has_for_files else "no room for files: what is left is kept for changes"
    return {
        "status": "ok",
        "version": __version__,
        "ready": damage or full or "ok",
        "files": files or "ok",
        "libraries": await service.count_libraries(),
        **counts,
        "free_bytes": room.free_bytes,
        "reserve_bytes": room.reserve_bytes,
        "checks": care.checked,
        "damage_found": care.found,
        "damage_mended": care.mended,
        "damage_open": int(bool(care.open)),
    }


#: What is the same whichever process is asked.
_OF_THE_STORE = frozenset({"libraries", "free_bytes", "reserve_bytes"})


def add_up(of_each: Sequence[Facts]) -> Facts:
    """What several processes on one store tell together: counts added up, the first complaint."""
    told: Facts = {"processes": len(of_each)}
    for facts in of_each:
        for name, value in facts.items():
            before = told.get(name)
            if isinstance(value, int) and isinstance(before, int) and name not in _OF_THE_STORE:
                told[name] = before + value
            elif before is None or before == "ok":
                told[name] = value
    return told


def answer(path: str, facts: Facts) -> tuple[HTTPStatus, str, str]:
    """The status, the body and its type."""
    if path == METRICS_PATH:
        lines = [
            f"bifolio_relay_{name} {value}"
            for name, value in facts.items()
            if isinstance(value, int)
        ]
        lines.append(f"bifolio_relay_ready {int(facts['ready'] == 'ok')}")
        return HTTPStatus.OK, "\n".join(lines) + "\n", "text/plain; version=0.0.4"
    is_well = path == HEALTH_PATH or facts["ready"] == "ok"
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return status, json.dumps(facts) + "\n", "application/json"
