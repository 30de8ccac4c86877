"""How a replica stands, as a person reads it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from tests.support.cases import each

from bifolio.errors import Next, NextStep, next_step
from bifolio.results import FileState, FileView, Link, Refusal, RelayStatus, Status, SyncedLibrary
from bifolio_cli.json_documents import AutosyncReport
from bifolio_cli.text.status_text import autosync_lines, file_state_text, status_lines

STATUS = Status(
    library_id="cd" * 16,
    name="Type",
    replica_id="ef" * 16,
    path=Path("Type.bifolio"),
    references=5735,
    trashed=0,
    shown_on=0,
    unsent=0,
    unsent_files=0,
    waiting=0,
    relay=None,
    bundles=None,
    heard=(),
    refusals=(),
    sharing=None,
    advice=(),
    conflicts=0,
    shared_keys=0,
    state="00ff",
)
SYNCED = SyncedLibrary(
    path=Path("Thesis.bifolio"),
    library="1f" * 16,
    name="Thesis",
    link=Link.CONNECTED,
    connected_since="2026-11-26T08:01:00Z",
    last_sync="2026-11-26T08:02:00Z",
    unsent=0,
    reason="",
    next=None,
)
AUTOSYNC = AutosyncReport(
    running=True,
    pid=4711,
    since="2026-11-26T08:00:00Z",
    restarts=0,
    ended_by="",
    log=Path("log.txt"),
    libraries=(SYNCED,),
    serving=None,
    service="systemd",
    starts_at_login=True,
)
FILE = FileView(
    ref="ab" * 16,
    key="doe2024",
    name="paper.pdf",
    label="paper.pdf",
    size=5,
    hash="cd" * 32,
    state=FileState.HERE,
    device=None,
    refusal=None,
    added_by="desk",
    added_at=None,
)


def test_the_status_of_a_library_of_one_computer_says_so() -> None:
    assert list(status_lines(STATUS)) == [
        "Library 'Type' (cdcdcdcd) at Type.bifolio.",
        "5,735 references.",
        "On this computer only: not attached to a relay, and never bundled.",
        "State 00ff",
    ]


def test_the_status_names_what_waits_and_what_was_refused() -> None:
    status = msgspec.structs.replace(
        STATUS,
        unsent=2,
        waiting=1,
        conflicts=1,
        trashed=3,
        relay=RelayStatus("ws://relay", False, "2024-05-01T10:00:00Z"),
        refusals=(Refusal("A note is too long.", NextStep(Next.SHORTEN_TEXT)),),
    )
    text = "\n".join(status_lines(status))
    assert "5,735 references, 3 in the trash." in text
    assert "ws://relay: not reached at the last attempt; last sync 2024-05-01T10:00:00Z." in text
    assert "2 changes of this computer not sent yet." in text
    assert "1 received change waiting for earlier ones." in text
    assert "1 conflict: 'bifolio conflicts' lists them." in text
    assert "Problem: A note is too long.\n  Shorten the text" in text


def test_a_connected_library_says_since_when() -> None:
    assert list(autosync_lines(AUTOSYNC)) == [
        "Automatic sync has been running since 2026-11-26T08:00:00Z (process 4711).",
        "It is started at login by systemd.",
        "Thesis at Thesis.bifolio: connected since 2026-11-26T08:01:00Z, last sync "
        "2026-11-26T08:02:00Z.",
    ]


def test_a_library_that_waits_says_why_what_to_do_and_what_is_not_sent() -> None:
    waiting = msgspec.structs.replace(
        SYNCED,
        link=Link.WAITING,
        connected_since=None,
        last_sync=None,
        unsent=2,
        reason="Why.",
        next=next_step(Next.ADVICE, text="What."),
    )
    report = msgspec.structs.replace(AUTOSYNC, libraries=(waiting,), service="process")
    text = "\n".join(autosync_lines(report))
    assert "started at login by the desktop" in text
    assert "waiting, not synced yet, 2 changes not sent yet.\n  Why.\n  What." in text


def test_what_is_off_or_does_not_run_says_how_to_start_it() -> None:
    off = msgspec.structs.replace(AUTOSYNC, libraries=())
    assert "'bifolio autosync on' turns it on" in "\n".join(autosync_lines(off))
    stopped = msgspec.structs.replace(
        AUTOSYNC,
        libraries=(msgspec.structs.replace(SYNCED, link=Link.STOPPED, unsent=None),),
        running=False,
        service=None,
        starts_at_login=False,
    )
    text = "\n".join(autosync_lines(stopped))
    assert "is not running: 'bifolio autosync on' starts it" in text
    assert "Nothing starts it at login" in text


@each("state", FileState)
def test_every_state_of_a_file_has_words(state: FileState) -> None:
    file = msgspec.structs.replace(FILE, state=state, device="desk", refusal="too-big")
    assert file_state_text(file)
    assert ("desk" in file_state_text(file)) == (state is FileState.ON_OTHER_DEVICE)
    assert ("too-big" in file_state_text(file)) == (state is FileState.REFUSED)
