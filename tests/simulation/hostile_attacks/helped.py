"""Attacks for which the host of the relay is a member, and signs what it likes."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.hostile_attacks.cases import (
    attack,
    is_of,
    new_epoch,
    stranger_envelope,
)
from tests.simulation.hostile_world import World
from tests.support.hostile_relay import Attack, Line

from bifolio.crypto.envelope import (
    Envelope,
    open_envelope,
    parse_envelope,
)
from bifolio.ids import content_hash
from bifolio.wire.changes import Attested, Body
from bifolio.wire.position import LogPosition

# --- with a member's help ------------------------------------------------------------------------


@attack("refused|not sent|wrote")
def _helped_claims_to_replace(world: World) -> Attack:
    """The host says that its envelope replaces Alice's, which it withholds from Bob."""
    mallory = world.mallory

    def change(log: list[bytes], _: Line) -> Sequence[bytes]:
        alice = [raw for raw in log if is_of(world, raw, world.alice)]
        claim = mallory.says(replaces=tuple(map(content_hash, alice)))
        return [claim.raw, *(raw for raw in log if raw not in alice)]

    return new_epoch(change)


@attack(heavy=True)
def _helped_carries_in_another_order(world: World) -> Attack:
    """What Alice wrote lies inside the host's envelopes, backwards."""
    mallory = world.mallory

    def change(log: list[bytes], _: Line) -> Sequence[bytes]:
        alice = [raw for raw in log if is_of(world, raw, world.alice)]
        others = [raw for raw in log if raw not in alice]
        return [*others, *(mallory.says(carried=(raw,)).raw for raw in alice[::-1])]

    return new_epoch(change)


@attack("refused|named")
def _helped_carries_forgeries(world: World) -> Attack:
    mallory = world.mallory

    def change(log: list[bytes], _: Line) -> Sequence[bytes]:
        forged = tuple(raw[:-1] + bytes([raw[-1] ^ 1]) for raw in log)
        strange = tuple(stranger_envelope(world, n).raw for n in range(3))
        return [*log, mallory.says(carried=(*forged, *strange, b"no envelope")).raw]

    return new_epoch(change)


@attack("under a name that is not its author's")
def _helped_writes_as_another(world: World) -> Attack:
    """The host signs what Alice wrote as its own."""
    mallory = world.mallory

    def change(log: list[bytes], _: Line) -> Sequence[bytes]:
        stolen = []
        for raw in log:
            envelope = parse_envelope(raw)
            if is_of(world, raw, world.alice):
                stolen.append(mallory.says(*_opened(world, envelope).changes).raw)
        return [*stolen, *(raw for raw in log if not is_of(world, raw, world.alice))]

    return new_epoch(change)


@attack("refused", heavy=True)
def _helped_signs_rubbish(world: World) -> Attack:
    mallory = world.mallory
    rubbish = [mallory.seals(bytes([number]) * 50).raw for number in range(30)]
    return new_epoch(lambda log, _: [*rubbish, *log])


@attack()
def _helped_forks_its_chain(world: World) -> Attack:
    """Each of the two honest ones gets another envelope for one place of the host's chain."""
    mallory = world.mallory
    first = mallory.seals(Body((), ()).serialize(), moves=False)
    second = mallory.seals(Body((), ()).serialize())

    def change(log: list[bytes], line: Line) -> Sequence[bytes]:
        is_alice = line.hello is not None and line.hello.device == world.alice.keys.sign_public
        return [*log, (first if is_alice else second).raw]

    return new_epoch(change)


@attack(heavy=True)
def _helped_attests_another_log(world: World) -> Attack:
    mallory = world.mallory
    lie = Attested.at(LogPosition(b"e" * 16, 1, b"?" * 32))
    made = mallory.says(attested=lie)
    return new_epoch(lambda log, _: [*log, made.raw])


def _opened(world: World, envelope: Envelope) -> Body:
    key = world.host.member_log.key(envelope.header.generation)
    assert key is not None
    return Body.parse(open_envelope(envelope, key))
