"""Everything that Bifolio writes for later, as this program writes it: frozen, and only added to.

``python -m tests.support.golden_formats`` makes one more set, ``tests/golden/formats/N``, and adds
its files to ``tests/golden/MANIFEST``; a set that is there is never written again, because
libraries of its formats are in use. ``tests/unit/test_golden_formats.py`` reads every set with
today's program.

A set is a library with a bit of everything, as files: the replica's folder, the device's key, the
relay's folder, a bundle, a backup (all compressed), the log and the members as the relay has them,
every message of the protocol, and what commands print with ``--json``.
"""

from __future__ import annotations

import io
import json
import lzma
import random
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess
from tests.unit.wire.test_messages import EXAMPLES

from bifolio import Library
from bifolio.home import Home
from bifolio.ids import content_hash
from bifolio.records.edits import Act, Edit

GOLDEN = Path(__file__).parents[1] / "golden"
SETS = GOLDEN / "formats"
MANIFEST = GOLDEN / "MANIFEST"

LIBRARY = "Thesis.bifolio"
DEVICE = "office"

#: Commands that read: their documents are kept with each set.
READING: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("list", "--trash"),
    ("show", "ink"),
    ("search", "paper"),
    ("conflicts",),
    ("tag", "list"),
    ("group", "list"),
    ("file", "list"),
    ("duplicates",),
    ("history", "ink"),
    ("log",),
    ("note", "list", "ink"),
    ("annotation", "list", "ink"),
    ("status",),
)


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """One set: where it is, and what it is said to hold."""

    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        """The state hash, the titles, the ticket, the members and the log, the messages."""
        found: dict[str, Any] = json.loads((self.folder / "facts.json").read_text("utf-8"))
        return found

    @property
    def results(self) -> list[tuple[list[str], Any]]:
        """What each reading command printed."""
        found: list[tuple[list[str], Any]] = json.loads(
            (self.folder / "results.json").read_text("utf-8")
        )
        return found

    def unpack(self, target: Path) -> None:
        """The folders and files of the set: ``home``, the library, ``relay``, bundle, backup."""
        raw = lzma.decompress((self.folder / "files.tar.xz").read_bytes())
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            archive.extractall(target, filter="data")
        (target / "home").chmod(0o700)
        (target / "home" / "device.key").chmod(0o600)


def golden_sets() -> list[GoldenSet]:
    """All sets, the oldest first."""
    return [GoldenSet(one) for one in sorted(SETS.iterdir(), key=lambda path: int(path.name))]


def manifest_line(path: Path, before: str) -> str:
    """A file's line: its hash, a hash of all lines up to this one, and its name."""
    name = path.relative_to(GOLDEN).as_posix()
    content = content_hash(path.read_bytes()).hex()[:32]
    chained = content_hash(f"{before} {content} {name}".encode()).hex()[:16]
    return f"{content} {chained} {name}"


def read_manifest() -> list[tuple[str, str, str]]:
    """The lines of the manifest: content hash, chain hash, name."""
    lines = MANIFEST.read_text("utf-8").splitlines() if MANIFEST.exists() else []
    return [(content, chain, name) for content, chain, name in map(str.split, lines)]


def add_to_manifest() -> list[str]:
    """Add what is not listed yet; the names of it."""
    listed = read_manifest()
    chain = listed[-1][1] if listed else ""
    names = {name for _, _, name in listed}
    added = []
    with MANIFEST.open("a", encoding="utf-8") as file:
        for path in sorted(golden_files(), key=lambda one: one.relative_to(GOLDEN).as_posix()):
            name = path.relative_to(GOLDEN).as_posix()
            if name not in names:
                line = manifest_line(path, chain)
                chain = line.split()[1]
                file.write(line + "\n")
                added.append(name)
    return added


def golden_files() -> list[Path]:
    """Every frozen file."""
    return [path for path in GOLDEN.rglob("*") if path.is_file() and path != MANIFEST]


def make_set() -> GoldenSet:
    """One more set, of the formats of this program."""
    number = 1 + max((int(one.name) for one in SETS.iterdir()), default=0) if SETS.exists() else 1
    target = SETS / str(number)
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        work = Path(folder)
        with RelayProcess(work) as relay:
            facts = _fill(work, relay)
            relay.stop()
            relay.start()
        _settle(work / LIBRARY / "library.sqlite", work / "relay" / "relay.sqlite")
        facts |= _relay_log(work / "relay" / "relay.sqlite")
        results = _printed(work)
        target.mkdir(parents=True)
        (target / "files.tar.xz").write_bytes(_packed(work))
        (target / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        (target / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    return GoldenSet(target)


def _fill(work: Path, relay: RelayProcess) -> dict[str, Any]:
    """A library with a bit of everything, made by three devices over the relay."""
    paper = work / "paper.pdf"
    paper.write_bytes(b"%PDF-1.4 " + random.Random(1).randbytes(3_000))
    homes = [Home(work / name, device_name=name) for name in ("home", "laptop", "gone")]
    homes[0] = Home(work / "home", device_name=DEVICE)
    with Library.create(work / LIBRARY, home=homes[0], name="Thesis") as office:
        office.import_files([GOLDEN / "small.bib", GOLDEN / "small.ris"])
        for key, title in (("paper", "On Paper"), ("ink", "On Ink"), ("glue", "On Glue")):
            office.add({"type": "book", "title": title, "citation-key": key, "tags": ["craft"]})
        office.groups.create("Reading")
        office.groups.create("Smart", query="craft")
        office.groups.add("Reading", ["ink", "paper"])
        office.files.add("paper", [paper])
        office.files.add("ink", [paper])
        office.notes.add("ink", "Of the office.", tags=["craft"])
        marked = {"text": "black", "comment": "or blue?", "page": "3", "colour": "#ffd400"}
        office.annotations.add("ink", marked | {"file": office.files.find("ink", "paper.pdf").hash})
        office.attach(relay.url)
        ticket = office.invite(uses=None, lasts_s=None)
        with (
            Library.attach_new(ticket, work / "Laptop.bifolio", home=homes[1]) as laptop,
            Library.attach_new(ticket, work / "Gone.bifolio", home=homes[2]) as gone,
        ):
            gone.edit("glue", [Edit("note", Act.SET, ("By one who went.",))])
            gone.sync()
            laptop.sync()
            laptop.edit("ink", [Edit("title", Act.SET, ("On Black Ink",))])
            laptop.notes.add("ink", "Of the laptop.")
            laptop.notes.edit("ink", 1, append="And of the laptop.")
            laptop.edit("ink", [Edit("abstract", Act.SET, ("First. " * 40,))])
            office.edit("ink", [Edit("title", Act.SET, ("On Blue Ink",))])
            office.delete(["glue"])
            laptop.sync()
            office.sync()
            laptop.sync()
        office.add({"type": "book", "title": "On Thread", "citation-key": "thread"})
        office.delete(["thread"])
        office.trash.empty()
        office.delete(["paper"])
        office.sync()
        office.backups.create(work / "kept.bifolio-backup")
        office.bundles.export(work / "all.bifolio-bundle", with_files=True)
        status = office.status()
        return {
            "state": status.state,
            "library": status.library_id,
            "references": sorted(str(one.fields["title"]) for one in office.list()),
            "ticket": ticket,
            "messages": [[one.NAME, one.serialize().hex()] for one in EXAMPLES],
        }


def _settle(*files: Path) -> None:
    for file in files:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _relay_log(file: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(file)) as connection:
        log = connection.execute("SELECT envelope FROM entry ORDER BY position").fetchall()
        members = connection.execute("SELECT record FROM member ORDER BY number").fetchall()
    return {"log": [raw.hex() for (raw,) in log], "members": [raw.hex() for (raw,) in members]}


def _printed(work: Path) -> list[tuple[list[str], Any]]:
    computer = Computer(work / "home", DEVICE, work / LIBRARY)
    documents = computer.run_all(READING)
    documents[-1].pop("path")
    return [(list(one), document) for one, document in zip(READING, documents, strict=True)]


def _packed(work: Path) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        names = ("home", LIBRARY, "relay", "kept.bifolio-backup", "all.bifolio-bundle")
        for name in names:
            archive.add(work / name, name, filter=_anonymous)
    return lzma.compress(raw.getvalue(), preset=9)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(entry.name).suffix in (".lock", ".log") or entry.name.endswith(("-wal", "-shm")):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    """Make one more set, or (``--list``) add files that were put there by other commands."""
    if "--list" not in sys.argv:
        print(f"wrote {make_set().folder}")
    for name in add_to_manifest():
        print(f"listed {name}")


if __name__ == "__main__":
    main()
