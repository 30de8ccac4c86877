"""The state of a replica, in sentences: status, automatic sync, where files are. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bifolio.results import FileState, Link
from bifolio_cli.text.next_steps import word_of
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import (
        BundleState,
        FileView,
        HeardDevice,
        KnownRelay,
        RelayStatus,
        SharingState,
        Status,
        SyncedLibrary,
    )
    from bifolio_cli.json_documents import AutosyncReport

#: Computers that are named with the time of their newest change; more are counted.
_HEARD_MAX = 5

_FILE_STATES = {
    FileState.HERE: "here",
    FileState.NOT_SENT: "not sent yet",
    FileState.NO_ROOM: "refused by the relay: no room",
    FileState.REFUSED: "refused by the relay: {refusal}",
    FileState.ON_RELAY: "not fetched yet",
    FileState.DAMAGED: "damaged",
    FileState.ON_OTHER_DEVICE: "only on {device}",
    FileState.ON_IMPORTING_DEVICE: "not sent yet by the computer that imported it",
    FileState.MISSING: "missing: no computer is known to have it",
}


def file_state_text(file: FileView) -> str:
    """Where a file's content is, in a few words."""
    return _FILE_STATES[file.state].format(device=file.device, refusal=file.refusal)


def status_lines(report: Status) -> Iterator[str]:
    """A replica's status in sentences."""
    yield f"Library '{report.name}' ({report.library_id[:8]}) at {report.path}."
    trashed = f", {report.trashed:,} in the trash" if report.trashed else ""
    yield f"{count(report.references, 'reference')}{trashed}."
    if report.shown_on:
        deleted = count(report.shown_on, "of them was", "of them were")
        yield f"{deleted} deleted by others, most of the library, and wait for your confirmation."
    yield from _relay_lines(report.relay, report.bundles, report.known_relay)
    yield from _bundle_lines(report.bundles)
    yield from _sharing_lines(report.sharing)
    yield from _queue_lines(report)
    yield from _heard_lines(report.heard)
    if report.conflicts:
        yield f"{count(report.conflicts, 'conflict')}: 'bifolio conflicts' lists them."
    if report.shared_keys:
        yield shared_keys_line(report.shared_keys)
    for refusal in report.refusals:
        yield f"Problem: {refusal.reason}"
        if refusal.next is not None:
            yield f"  {word_of(refusal.next)}"
    for notice in report.advice:
        yield notice.message
        yield f"  {word_of(notice.next)}"
    yield f"State {report.state}"


def shared_keys_line(number: int) -> str:
    """That several references have one citation key."""
    verb = "is" if number == 1 else "are"
    keys = count(number, "citation key")
    return f"{keys} {verb} used by several references: 'bifolio key shared' lists them."


def autosync_lines(report: AutosyncReport) -> Iterator[str]:
    """Automatic sync in sentences."""
    if not report.libraries and report.serving is None:
        yield "Automatic sync is off. 'bifolio autosync on' turns it on for a library."
        return
    if report.running:
        yield f"Automatic sync has been running since {report.since} (process {report.pid})."
        if report.restarts:
            yield (
                f"Something ended it {count(report.restarts, 'time')}, the last time by "
                f"{report.ended_by}; it began again. 'bifolio status' of each library says what "
                "was set aside."
            )
    else:
        yield "Automatic sync is on, but is not running: 'bifolio autosync on' starts it."
    if report.starts_at_login:
        how = "the desktop" if report.service == "process" else report.service
        yield f"It is started at login by {how}."
    else:
        yield "Nothing starts it at login: run 'bifolio autosync on' then."
    for library in report.libraries:
        yield from _synced_library_lines(library)
    if (serving := report.serving) is not None:
        where = f"{serving.path} to other programs, on port {serving.port}"
        yield f"It serves {where}." if not serving.problem else f"It is to serve {where}."
        if serving.problem:
            yield f"  {serving.problem}"


def _synced_library_lines(library: SyncedLibrary) -> Iterator[str]:
    last = f"last sync {library.last_sync}" if library.last_sync else "not synced yet"
    if library.link is Link.CONNECTED:
        how = f"connected since {library.connected_since}, {last}"
    else:
        how = f"{library.link}, {last}"
    unsent = f", {count(library.unsent, 'change')} not sent yet" if library.unsent else ""
    yield f"{library.name} at {library.path}: {how}{unsent}."
    if library.reason:
        yield f"  {library.reason}"
        yield f"  {word_of(library.next)}"


def known_relay_line(known: KnownRelay, *, is_attached: bool) -> str:
    """Where the library is, on a computer that is not there."""
    where = f"{known.by} said that the library is on {known.url} now"
    if is_attached:
        return f"{where}: this computer follows with its next sync."
    return f"{where}: 'bifolio attach {shlex.quote(known.url)}' brings this computer there."


def _relay_lines(
    relay: RelayStatus | None, bundles: BundleState | None, known: KnownRelay | None
) -> Iterator[str]:
    if relay is None and known is not None:
        yield f"Not attached to a relay. {known_relay_line(known, is_attached=False)}"
        return
    if relay is None:
        if bundles is None:
            yield "On this computer only: not attached to a relay, and never bundled."
        else:
            yield "Not attached to a relay: it is shared by bundles."
        return
    last = f"last sync {relay.last_sync}" if relay.last_sync else "not synced yet"
    reached = "reached" if relay.reachable else "not reached"
    found = f"{reached} at the last attempt" if relay.was_asked else "not asked yet"
    yield f"Relay {relay.url}: {found}; {last}."
    if relay.moved is not None:
        moved = relay.moved
        yield f"  It was on {moved.url} until {moved.by} moved it, which reached here {moved.at}."
    if known is not None:
        yield f"  {known_relay_line(known, is_attached=True)}"


def _bundle_lines(bundles: BundleState | None) -> Iterator[str]:
    if bundles is None:
        return
    taken = f"; one was last taken in {bundles.imported_at}" if bundles.imported_at else ""
    if bundles.exported_at is None:
        yield f"No bundle was exported here yet{taken}."
    else:
        yield f"Last bundle exported {bundles.exported_at}{taken}."
    if bundles.not_bundled:
        changes = count(bundles.not_bundled, "change")
        yield f"{changes} of this computer in no bundle yet: 'bifolio bundle export FILE'."
    elif bundles.exported_at is not None:
        yield "All changes of this computer are in a bundle."


def _heard_lines(heard: Sequence[HeardDevice]) -> Iterator[str]:
    for one in heard[:_HEARD_MAX]:
        yield f"Last heard from {one.device}: a change of {one.at or 'an unknown time'}."
    if len(heard) > _HEARD_MAX:
        yield f"And from {count(len(heard) - _HEARD_MAX, 'other computer')}, longer ago."


def _sharing_lines(sharing: SharingState | None) -> Iterator[str]:
    if sharing is None or sharing.members < 2:
        return
    if sharing.role is None:
        yield "This computer is no member of the library."
        return
    role = {"owner": "owns", "editor": "may edit", "reader": "may only read"}[sharing.role]
    yield (
        f"This computer {role} the library; {count(sharing.members, 'member')}, "
        f"{count(sharing.owners, 'owner')}: 'bifolio members' lists them."
    )


def _queue_lines(report: Status) -> Iterator[str]:
    if report.relay is not None:
        unsent = f"{count(report.unsent, 'change')} of this computer not sent yet."
        yield unsent if report.unsent else "All changes of this computer are sent."
        if report.unsent_files:
            files = count(report.unsent_files, "file")
            yield f"{files} here that the relay does not have: 'bifolio file list' lists them."
    if report.waiting:
        yield f"{count(report.waiting, 'received change')} waiting for earlier ones."
