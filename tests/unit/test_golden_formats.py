"""What earlier programs wrote is read by this one, to the same state; and golden files stay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import pytest
from tests.support import golden_formats
from tests.support.computer import Computer
from tests.support.golden_formats import DEVICE, GOLDEN, LIBRARY, GoldenSet
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.bundles.file import Bundle
from bifolio.crypto.envelope import parse_envelope, verify_signature
from bifolio.crypto.membership import Membership
from bifolio.crypto.ticket import Ticket
from bifolio.doctor.examination import examine
from bifolio.home import Home
from bifolio.library import backups
from bifolio.results.doctor import CheckVerdict
from bifolio.wire.messages import parse_message

#: How many golden files there were when this was written, and the hash of their lines: golden files
#: are added to, so that these lines stay the first ones for ever.
FROZEN = (16, "fd13fc09fceedd83")

#: Where a set's library names the computer it is on, and what time it is.
_OF_ITS_COMPUTER = ("path", "last_sync", "relay_seen", "heard_from")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A golden set as files of a test's own."""

    golden: GoldenSet
    facts: dict[str, Any]
    folder: Path
    home: Home

    @property
    def library(self) -> Path:
        """The replica's folder."""
        return self.folder / LIBRARY

    def opened(self) -> Library:
        """The library, opened by the device that made it."""
        return Library.open(self.library, home=self.home)


@pytest.fixture(params=golden_formats.golden_sets(), ids=lambda one: f"set-{one.folder.name}")
def unpacked(request: pytest.FixtureRequest, tmp_path: Path) -> Unpacked:
    golden: GoldenSet = request.param
    golden.unpack(tmp_path)
    return Unpacked(golden, golden.facts, tmp_path, Home(tmp_path / "home", device_name=DEVICE))


def titles(library: Library) -> list[str]:
    return sorted(str(one.fields["title"]) for one in library.list())


def test_golden_files_are_only_added_to() -> None:
    lines = golden_formats.read_manifest()
    chain = ""
    for content, chained, name in lines:
        line = golden_formats.manifest_line(GOLDEN / name, chain)
        assert line == f"{content} {chained} {name}", f"{name} was changed"
        chain = chained
    count, last = FROZEN
    assert lines[count - 1][1] == last, "the lines of golden files that were there were changed"
    unlisted = {one.relative_to(GOLDEN).as_posix() for one in golden_formats.golden_files()}
    unlisted -= {name for _, _, name in lines}
    assert not unlisted, "run: python -m tests.support.golden_formats --list"


def test_a_library_is_read_to_the_same_state_and_found_whole(unpacked: Unpacked) -> None:
    with unpacked.opened() as library:
        assert library.status().state == unpacked.facts["state"]
        assert titles(library) == unpacked.facts["references"]
        library.rebuild_index()
        assert titles(library) == unpacked.facts["references"]
    found = examine(unpacked.library, unpacked.home, deep=True, offline=True)
    checked = ("library", "deep", "integrity", "records", "index", "files", "membership")
    bad = [
        one
        for one in found.checks
        if one.check in checked and one.verdict is CheckVerdict.ATTENTION
    ]
    assert bad == []


def test_a_relays_folder_goes_on_and_a_newcomer_gets_all_of_it(
    unpacked: Unpacked, tmp_path: Path
) -> None:
    with RelayProcess(unpacked.folder) as relay, unpacked.opened() as library:
        library.attach(relay.url, backup=False)
        ticket = library.invite()
        with Library.attach_new(
            ticket, tmp_path / "Newcomer", home=Home(tmp_path / "new", device_name="new")
        ) as newcomer:
            assert newcomer.status().state == unpacked.facts["state"]
            assert titles(newcomer) == unpacked.facts["references"]
            (file,) = newcomer.files.list("paper")
            assert file.state == "here"


def test_a_bundle_is_joined_by_with_the_ticket_of_its_time(
    unpacked: Unpacked, tmp_path: Path
) -> None:
    bundle = tmp_path / "all.bifolio-bundle"
    with Bundle.open(bundle) as opened:
        assert opened.check().library.hex() == unpacked.facts["library"]
    with Library.attach_new(
        unpacked.facts["ticket"],
        tmp_path / "Newcomer",
        home=Home(tmp_path / "new", device_name="new"),
        bundle=bundle,
    ) as newcomer:
        assert newcomer.status().state == unpacked.facts["state"]


def test_a_backup_is_restored_to_the_same_state(unpacked: Unpacked, tmp_path: Path) -> None:
    target = tmp_path / "Restored.bifolio"
    backups.restore(tmp_path / "kept.bifolio-backup", target)
    with Library.open(target, home=unpacked.home) as library:
        assert library.status().state == unpacked.facts["state"]
        assert titles(library) == unpacked.facts["references"]


def test_envelopes_members_and_tickets_are_read(unpacked: Unpacked) -> None:
    for raw in unpacked.facts["log"]:
        verify_signature(parse_envelope(bytes.fromhex(raw)))
    members = Membership.from_records([bytes.fromhex(raw) for raw in unpacked.facts["members"]])
    assert members.library_id.hex() == unpacked.facts["library"]
    assert members.needs_newer == ()
    assert Ticket.decode(unpacked.facts["ticket"]).library == members.library_id


def test_every_message_is_read_and_said_as_it_was(unpacked: Unpacked) -> None:
    """A later version adds values at the end of a message; those that were there stay."""
    for name, raw in unpacked.facts["messages"]:
        message = parse_message(bytes.fromhex(raw))
        assert name == message.NAME
        before = msgpack.unpackb(bytes.fromhex(raw), strict_map_key=False)
        now = msgpack.unpackb(message.serialize(), strict_map_key=False)
        assert now[: len(before)] == before


def test_what_commands_print_is_only_added_to(unpacked: Unpacked) -> None:
    computer = Computer(unpacked.home.path, DEVICE, unpacked.library)
    commands = [command for command, _ in unpacked.golden.results]
    documents = computer.run_all(commands)
    for (command, before), now in zip(unpacked.golden.results, documents, strict=True):
        check_kept(before, now, " ".join(command))


def check_kept(before: Any, now: Any, place: str) -> None:
    """All that a document had is in today's, and of equal value but for what is the computer's."""
    if isinstance(before, dict):
        assert isinstance(now, dict), place
        assert before.keys() <= now.keys(), f"{place}: {before.keys() - now.keys()} is gone"
        for name in before.keys() - set(_OF_ITS_COMPUTER):
            check_kept(before[name], now[name], f"{place}.{name}")
    elif isinstance(before, list):
        assert isinstance(now, list), place
        assert len(now) == len(before), place
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            check_kept(one, other, f"{place}[{number}]")
    else:
        assert now == before, place
