"""How an attack is entered, and what several of them use."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.simulation.hostile_world import World
from tests.support.hostile_relay import Attack, Line, RewrittenLog
from tests.unit.replica.builders import Computer

from bifolio.crypto.envelope import (
    KIND_CHANGES,
    NO_PREVIOUS,
    Envelope,
    Header,
    parse_envelope,
    seal,
)
from bifolio.crypto.keys import new_device_keys
from bifolio.wire.changes import Body

#: ``[number of a message's type that no version knows yet, something]``.
UNKNOWN_MESSAGE = b"\x92\x78\xc3"


@dataclass(frozen=True)
class Case:
    """An attack, and what must be seen of it.

    ``reads`` is a part of what a user reads while it lasts; empty where it is harmless. ``heavy``
    ones are not in the default run.
    """

    make: Callable[[World], Attack]
    reads: str = ""
    heavy: bool = False


ATTACKS: dict[str, Case] = {}


def attack(reads: str = "", *, heavy: bool = False) -> Callable[[Callable[[World], Attack]], None]:
    """Enter an attack under its function's name."""

    def enter(make: Callable[[World], Attack]) -> None:
        ATTACKS[make.__name__.removeprefix("_")] = Case(make, reads, heavy)

    return enter


def stranger_envelope(world: World, number: int = 0) -> Envelope:
    """One of this library, well signed by a device that nobody let in."""
    keys = new_device_keys("stranger", random.Random(number).randbytes)
    header = Header(
        library=world.alice.replica.library_id,
        generation=0,
        device=keys.sign_public,
        chain=number.to_bytes(16),
        seq=1,
        previous=NO_PREVIOUS,
        kind=KIND_CHANGES,
        membership_head=world.mallory.membership_head,
    )
    draw = random.Random(number).randbytes
    return seal(
        header, Body((), ()).serialize(), content_key=b"x" * 32, keys=keys, random_bytes=draw
    )


def is_of(_world: World, envelope: bytes, one: Computer) -> bool:
    return parse_envelope(envelope).header.device == one.keys.sign_public


def new_epoch(change: Callable[[list[bytes], Line], Sequence[bytes]]) -> RewrittenLog:
    """Another log, told as that of a relay that was set up again, so that all of it is read."""
    return RewrittenLog(change, epoch=b"e" * 16)
