"""What ``autosync status`` says to a person."""

from __future__ import annotations

from typing import Any

from bifolio_cli.commands.autosync import status_lines


def _report(*libraries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    report: dict[str, Any] = {
        "running": True,
        "pid": 4711,
        "since": "2026-11-26T08:00:00Z",
        "service": "systemd",
        "starts_at_login": True,
        "log": "/home/jane/log.txt",
        "libraries": list(libraries),
    }
    return report | changed


def _library(**changed: Any) -> dict[str, Any]:
    library: dict[str, Any] = {
        "path": "/home/jane/Thesis.bifolio",
        "library": "1f" * 16,
        "name": "Thesis",
        "link": "connected",
        "connected_since": "2026-11-26T08:01:00Z",
        "last_sync": "2026-11-26T08:02:00Z",
        "unsent": 0,
        "reason": "",
        "next": "",
    }
    return library | changed


def test_a_connected_library_says_since_when() -> None:
    assert list(status_lines(_report(_library()))) == [
        "Automatic sync runs since 2026-11-26T08:00:00Z (process 4711).",
        "It is started at login by systemd.",
        "Thesis at /home/jane/Thesis.bifolio: connected since 2026-11-26T08:01:00Z, last sync "
        "2026-11-26T08:02:00Z.",
    ]


def test_a_library_that_waits_says_why_what_to_do_and_what_is_not_sent() -> None:
    waiting = _library(
        link="waiting", connected_since=None, last_sync=None, unsent=2, reason="Why.", next="What."
    )
    text = "\n".join(status_lines(_report(waiting, service="process")))
    assert "started at login by the desktop" in text
    assert "waiting, not synced yet, 2 changes not sent yet.\n  Why.\n  What." in text


def test_what_is_off_or_does_not_run_says_how_to_start_it() -> None:
    assert "'bifolio autosync on' turns it on" in "\n".join(status_lines(_report()))
    stopped = _report(
        _library(link="stopped", unsent=None),
        running=False,
        service=None,
        starts_at_login=False,
    )
    text = "\n".join(status_lines(stopped))
    assert "its process does not run: 'bifolio autosync on' starts it" in text
    assert "Nothing starts it at login" in text
