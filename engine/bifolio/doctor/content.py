"""Checks of the library's own file and of its attached files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bifolio.crypto.keys import DeviceKeys
from bifolio.disk import hash_file
from bifolio.doctor import leftovers, repairing
from bifolio.document import canonical, view
from bifolio.document.record import RecordDocument
from bifolio.errors import (
    DamagedLibraryError,
    DocumentError,
    LibraryError,
    Next,
    NextStep,
    next_step,
)
from bifolio.home import Home
from bifolio.library.counting import say_count
from bifolio.repair import mending
from bifolio.replica import folder
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.replica.replica import Replica, Runtime
from bifolio.results import Progress, Stage
from bifolio.results.doctor import CheckVerdict, Finding
from bifolio.storage.database import Database

_REPAIR = NextStep(Next.REPAIR_LIBRARY)
_MODULUS = 1 << 256

#: What newer versions of SQLite say of an index in their own check.
_OF_THE_TEXT_INDEX = "malformed inverted index"


def deep(path: Path, keys: DeviceKeys | None) -> list[Finding]:
    """Every byte of the library's file, compared with what it was made from: on a copy."""
    try:
        damages = mending.inspect(path, keys, Runtime())
    except OSError as error:
        reason = f"The library's file was not checked as a whole: {error.strerror or error}."
        step = NextStep(Next.FREE_DISK_SPACE)
        return [Finding("deep", CheckVerdict.UNKNOWN, reason, step)]
    except LibraryError as error:
        return [Finding("deep", CheckVerdict.ATTENTION, error.message, error.next_step)]
    if not damages.found:
        message = "Every table and index of the library's file is whole."
        return [Finding("deep", CheckVerdict.WELL, message)]
    return [
        Finding(
            "deep",
            CheckVerdict.ATTENTION,
            f"This computer's copy is damaged: {sentence}.",
            NextStep(Next.REPAIR_LIBRARY),
        )
        for sentence in repairing.describe(damages)
    ]


def leftovers_of(path: Path, home: Home) -> list[Finding]:
    """What killed commands left behind."""
    found = leftovers.find(path, home)
    if not found:
        return []
    names = ", ".join(str(one) for one in found[:3])
    verb = "is" if len(found) == 1 else "are"
    return [
        Finding(
            "leftovers",
            CheckVerdict.ATTENTION,
            f"{say_count(len(found), 'unfinished thing')} of commands that were ended {verb} left: "
            f"{names}.",
            NextStep(Next.SWEEP_LEFTOVERS),
        )
    ]


def integrity(replica: Replica) -> Finding:
    """SQLite's own verdict on the file."""
    try:
        verdict = replica.database.integrity()
    except DamagedLibraryError as error:
        verdict = error.reason
    # A full-text index is derived: it is looked at, and mended, as the others are.
    wrong = [one for one in verdict.splitlines() if not one.startswith(_OF_THE_TEXT_INDEX)]
    if wrong in ([], ["ok"]):
        return Finding("integrity", CheckVerdict.WELL, "The library's file is whole.")
    message = f"The library's file is damaged: {wrong[0][:200]}."
    return Finding("integrity", CheckVerdict.ATTENTION, message, _REPAIR)


def records(replica: Replica, progress: Progress | None) -> Finding:
    """Every record can be read, and the state hash is the sum over what they hold."""
    total, references, unreadable = 0, 0, []
    ids = replica.records.all_ids()
    for done, record_id in enumerate(ids, start=1):
        try:
            entries = RecordDocument(replica.records.state(record_id)).entries()
            kind = view.kind_of(entries)
            references += kind == "reference"
            total += canonical.record_share(record_id, kind, entries)
        except DocumentError:
            unreadable.append(record_id)
        if progress is not None and (done % 100 == 0 or done == len(ids)):
            progress(Stage.CHECKING_RECORDS, done, len(ids))
    if unreadable:
        named = ", ".join(one[:12] for one in unreadable[:5])
        return Finding(
            "records",
            CheckVerdict.ATTENTION,
            f"{len(unreadable)} of {len(ids):,} references, groups and settings cannot be read: "
            f"{named}.",
            _REPAIR,
        )
    if total % _MODULUS != replica.meta.state_hash:
        return Finding(
            "records",
            CheckVerdict.ATTENTION,
            "The library's content does not agree with its state hash: another program changed the "
            "file, or Bifolio has a fault.",
            _REPAIR,
        )
    return Finding(
        "records",
        CheckVerdict.WELL,
        f"The library's content agrees with its state hash: {say_count(references, 'reference')}, "
        "those in the trash and those removed with it included.",
    )


def index(replica: Replica) -> Finding:
    """What lists and searches read is what a rebuild would give: tried on a copy."""
    with tempfile.TemporaryDirectory(prefix="bifolio-") as temporary:
        path = Path(temporary) / folder.FILE
        with replica.snapshot():
            replica.database.back_up(path)
        database = Database.open(path)
        try:
            reason = _index_fault(replica, database)
        finally:
            database.close()
    if reason is None:
        message = "Lists and searches show what is in the library."
        return Finding("index", CheckVerdict.WELL, message)
    return Finding(
        "index",
        CheckVerdict.ATTENTION,
        f"Lists and searches do not show what is in the library: {reason}.",
        NextStep(Next.REBUILD_INDEX),
    )


def _index_fault(replica: Replica, database: Database) -> str | None:
    copy = Replica(Path(database.path.parent), database, lambda: replica.keys, replica.runtime)
    try:
        copy.references.check_text_index()
    except DamagedLibraryError:
        return "the full-text index is out of step"
    before = _derived_rows(copy)
    with database.transaction():
        rebuild_lists(database)
    after = _derived_rows(copy)
    wrong = len(set(before) ^ set(after))
    return f"a rebuild differs in {say_count(wrong, 'row')}" if before != after else None


def _derived_rows(replica: Replica) -> list[object]:
    rows = [*replica.references.all_rows(), *replica.groups.all()]
    return [repr(row) for row in rows]


def files(replica: Replica, progress: Progress | None) -> Finding:
    """Every attached file on this computer is what its hash says.

    One that another process drops or sets aside meanwhile is left out.
    """
    contents = [replica.contents.path(one) for one in sorted(replica.contents.hashes())]
    total = sum(map(_size_of, contents))
    done = 0

    def tell(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(Stage.CHECKING_FILES, done, max(done, total))

    read, damaged = 0, []
    for path in contents:
        try:
            whole = hash_file(path, tell) == path.name
        except FileNotFoundError:
            continue
        read += 1
        if not whole:
            damaged.append(path)
    if not damaged:
        message = f"Every attached file here is whole ({say_count(read, 'file')})."
        return Finding("files", CheckVerdict.WELL, message)
    named = ", ".join(_names_of(replica, path.name) for path in damaged[:5])
    return Finding(
        "files",
        CheckVerdict.ATTENTION,
        f"{len(damaged)} of {say_count(read, 'attached file')} here "
        f"{'is' if len(damaged) == 1 else 'are'} damaged: {named}.",
        next_step(Next.REPLACE_FILE, path=str(damaged[0])),
    )


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def files_not_read(replica: Replica) -> Finding:
    """Without reading them: how many attached files are not on this computer."""
    named = [hash for hash, _ in replica.references.attachments.contents()]
    absent = sum(not replica.contents.has(one) for one in named)
    verb = "is" if absent == 1 else "are"
    if absent and not replica.meta.relay_url:
        return Finding(
            "files",
            CheckVerdict.ATTENTION,
            f"{absent} of {say_count(len(named), 'attached file')} {verb} not on this computer, "
            "and the library is not attached to a relay.",
            NextStep(Next.LIST_BACKUPS),
        )
    elsewhere = f"; {absent} of them {verb} not on this computer" if absent else ""
    return Finding(
        "files",
        CheckVerdict.UNKNOWN if named else CheckVerdict.WELL,
        f"The attached files ({len(named):,}) were not read{elsewhere}."
        if named
        else "There are no attached files.",
        NextStep(Next.CHECK_FILES) if named else None,
    )


def _names_of(replica: Replica, hash: str) -> str:
    names = sorted({row.name for row in replica.references.attachments.with_content(hash)})
    return f"'{names[0]}' ({hash[:12]})" if names else hash[:12]
