"""Targets with faults, by which the driver is tried itself."""

from __future__ import annotations

import ctypes
import time

from tests.fuzz.judging import Target
from tests.fuzz.mutations import mutate_bytes

_SOUND = b"a sound input"


def _refuse(raw: bytes) -> None:
    if raw != _SOUND:
        raise ValueError("refused as documented")


def _fail(raw: bytes) -> None:
    if len(raw) > len(_SOUND):
        raise KeyError(raw)


def _crash(raw: bytes) -> None:
    if raw != _SOUND:
        ctypes.string_at(1)


def _sleep(raw: bytes) -> None:
    while raw != _SOUND:
        time.sleep(1)


def _work(raw: bytes) -> None:
    begun = time.process_time()
    while raw != _SOUND and time.process_time() < begun + 0.03:
        pass


def _fill_memory(raw: bytes) -> None:
    if raw != _SOUND:
        bytearray(b"x") * (48 * 1024 * 1024)


def _target(name: str, run: object) -> Target:
    assert callable(run)
    return Target(
        name,
        lambda: [_SOUND],
        run,
        (ValueError,),
        mutate_bytes,
        seconds_max=0.02 if name == "slow" else 2.0,
        memory_max=32 * 1024 * 1024,
        short=5,
    )


TARGETS = {
    name: _target(name, run)
    for name, run in {
        "sound": _refuse,
        "failing": _fail,
        "crashing": _crash,
        "stuck": _sleep,
        "slow": _work,
        "greedy": _fill_memory,
    }.items()
}
