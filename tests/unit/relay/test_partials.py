"""What a relay keeps of unfinished messages: bounded, and of nobody at another's cost."""

from __future__ import annotations

import random

import pytest

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.wire import fragments
from bifolio.wire.messages import Push
from bifolio_relay.partials import Partials

LIBRARY, OTHER = b"l" * 16, b"o" * 16
DESK, LAPTOP = b"d" * 32, b"p" * 32


def message(seed: int, size: int = 10_000) -> bytes:
    return Push((random.Random(seed).randbytes(size),)).serialize()


def begin(partials: Partials, library: bytes, device: bytes, raw: bytes, size: int = 4000) -> None:
    assert partials.add(library, device, next(fragments.split(raw, size))) is None


def test_a_message_is_whole_over_two_connections() -> None:
    partials, raw = Partials(), message(1)
    begin(partials, LIBRARY, DESK, raw)
    (held,) = partials.of_device(LIBRARY, DESK)
    assert held.held == 4000
    assert partials.of_device(LIBRARY, LAPTOP) == partials.of_device(OTHER, DESK) == ()
    parts = fragments.split(raw, 4000, held_bytes=held.held)
    assert [partials.add(LIBRARY, DESK, part) for part in parts][-1] == raw
    assert partials.held_bytes == 0


def test_a_device_has_a_few_and_the_oldest_goes() -> None:
    partials = Partials()
    for seed in range(limits.PARTIALS_OF_DEVICE_MAX + 2):
        begin(partials, LIBRARY, DESK, message(seed))
    assert len(partials.of_device(LIBRARY, DESK)) == limits.PARTIALS_OF_DEVICE_MAX
    second = next(fragments.split(message(0), 4000, held_bytes=4000))
    with pytest.raises(ProtocolError, match="missing"):
        partials.add(LIBRARY, DESK, second)


def test_a_crowd_at_one_library_takes_nothing_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "RELAY_PARTIALS_BYTES_MAX", 50_000)
    monkeypatch.setattr(limits, "RELAY_LIBRARY_PARTIALS_BYTES_MAX", 30_000)
    partials = Partials()
    begin(partials, OTHER, DESK, message(100))
    for seed in range(40):
        begin(partials, LIBRARY, seed.to_bytes(32), message(seed))
        assert partials.held_bytes <= 50_000
    assert len(partials.of_device(OTHER, DESK)) == 1
    crowds = [bytes([65 + number]) * 16 for number in range(5)]
    for library in crowds:
        for seed in range(10):
            begin(partials, library, seed.to_bytes(32), message(seed))
            assert partials.held_bytes <= 50_000
    assert len(partials.of_device(OTHER, DESK)) == 1
