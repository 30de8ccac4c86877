"""What a relay does for a line that is slow or cut: fragments, what is wanted, what is known."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary
from tests.unit.relay.test_session import Service, Shell, commit, live, opened

from bifolio import limits
from bifolio.ids import content_hash
from bifolio.wire import fragments
from bifolio.wire.messages import (
    Ack,
    Bye,
    ChainPlace,
    Envelopes,
    Flow,
    Fragment,
    Locate,
    Located,
    Partial,
    Pull,
    Push,
    Receipt,
    Welcome,
    parse_message,
)
from bifolio_relay.partials import Partials
from bifolio_relay.session import Session


def noise(size: int) -> bytes:
    """What no compression makes smaller."""
    return random.Random(size).randbytes(size)


WANTED = limits.FLOW_BYTES_MIN


@pytest.fixture
def library() -> SharedLibrary:
    return SharedLibrary()


@pytest.fixture
def service(tmp_path: Path) -> object:
    made = Service(tmp_path)
    yield made
    made.close()


def test_a_pull_brings_no_more_than_is_wanted(service: Service, library: SharedLibrary) -> None:
    shell = opened(service, library)
    author = library.author()
    envelopes = [author.envelope(noise(1500)) for _ in range(6)]
    shell.pushes(*envelopes)
    commit(service, shell)
    assert shell.says(Flow(WANTED)) == []
    (part,) = shell.says(Pull(0))
    assert isinstance(part, Envelopes)
    assert part.envelopes == (envelopes[0].raw, envelopes[1].raw)
    (part,) = shell.says(Pull(2, 1))
    assert isinstance(part, Envelopes)
    assert part.envelopes == (envelopes[2].raw,)


def test_a_large_message_goes_in_fragments_from_what_the_client_holds_on(
    service: Service, library: SharedLibrary
) -> None:
    shell = opened(service, library)
    large = Envelopes(0, (bytes(50_000),), 1).serialize()
    assert shell.session.fragments(large) == (large,)  # it may not know of fragments
    shell.says(Flow(WANTED))
    parts = [parse_message(one) for one in shell.session.fragments(large)]
    assert [one.offset for one in parts if isinstance(one, Fragment)][:2] == [0, WANTED]
    shell.says(Flow(WANTED, Partial(content_hash(large), 40_000)))
    first = parse_message(shell.session.fragments(large)[0])
    assert isinstance(first, Fragment)
    assert first.offset == 40_000


def test_more_than_is_wanted_is_not_told_unasked(service: Service, library: SharedLibrary) -> None:
    writer, reader = live(service, library), live(service, library)
    reader.says(Flow(WANTED))
    writer.pushes(library.author().envelope(noise(10_000)))
    _, told = commit(service, writer, reader)
    assert told == []
    (notice,) = reader.carry_out(reader.session.resume())
    assert notice == Envelopes(1, (), 1)
    (part,) = reader.says(Pull(0))
    assert isinstance(part, Envelopes)
    assert len(part.envelopes) == 1
    assert reader.session.is_live


def test_a_push_in_fragments_over_two_connections_is_taken(
    service: Service, library: SharedLibrary
) -> None:
    partials = Partials()
    envelope = library.author().envelope(noise(20_000))
    raw = Push((envelope.raw,)).serialize()
    first = opened(service, library)
    first.session._partials = partials
    for part in list(fragments.split(raw, WANTED))[:3]:
        assert first.says(part) == []
    second = Shell(service, library, library.owner)
    second.session._partials = partials
    welcome = second.hello()
    assert isinstance(welcome, Welcome)
    assert "fragment_bytes" in welcome.limits
    assert welcome.partials == (Partial(content_hash(raw), 3 * WANTED),)
    for part in fragments.split(raw, WANTED, held_bytes=3 * WANTED):
        assert second.says(part) == []
    ((ack,),) = commit(service, second)
    assert ack == Ack((Receipt(envelope.hash, 1),))
    assert partials.held_bytes == 0


@pytest.mark.parametrize("case", ["stranger", "gap", "nested"])
def test_a_fragment_that_cannot_be_ends_the_connection(
    service: Service, library: SharedLibrary, case: str
) -> None:
    opened(service, library)
    keys = library.owner if case != "stranger" else SharedLibrary(2).owner
    shell = Shell(service, library, keys)
    shell.hello()
    inner = Fragment(bytes(32), 10, 0, b"x").serialize()
    part = next(fragments.split(inner, 100))
    if case == "gap":
        part = Fragment(bytes(32), 100, 50, b"x")
    (bye,) = shell.says(part)
    assert isinstance(bye, Bye)
    assert shell.session.is_closed


def test_what_was_on_its_way_at_a_cut_is_located(service: Service, library: SharedLibrary) -> None:
    shell = opened(service, library)
    author = library.author()
    there, not_there = author.envelope(), author.envelope()
    shell.pushes(there)
    commit(service, shell)
    asked = Locate(
        tuple(ChainPlace(one.header.author_chain, one.header.seq) for one in (not_there, there))
    )
    assert shell.says(asked) == [Located((Receipt(there.hash, 1),))]


def test_nobody_but_a_member_locates_anything(service: Service, library: SharedLibrary) -> None:
    opened(service, library)
    stranger = Shell(service, library, SharedLibrary(2).owner)
    stranger.hello()
    (nack,) = stranger.says(Locate((ChainPlace(b"c" * 16, 1),)))
    assert getattr(nack, "code", None) == "forbidden"
    assert Session(nonce=bytes(32)).is_member is False
