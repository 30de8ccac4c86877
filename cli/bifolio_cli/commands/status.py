"""``bifolio status``: what this replica holds and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.rendering import count


def status(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Show what is here, what is not sent yet, and what needs you. Opens no connection."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        report = opened.status().to_json()
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say("\n".join(status_lines(report)))


def status_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The status object in sentences."""
    library, replica = report["library"], report["replica"]
    yield f"Library '{library['name']}' ({library['id'][:8]}) at {replica['path']}."
    trashed = f", {report['trashed']:,} in the trash" if report["trashed"] else ""
    yield f"{count(report['references'], 'reference')}{trashed}."
    yield from _relay_lines(report["relay"])
    yield from _queue_lines(report)
    if report["conflicts"]:
        yield f"{count(report['conflicts'], 'conflict')}: 'bifolio conflicts' lists them."
    if report["shared_keys"]:
        yield shared_keys_line(report["shared_keys"])
    for refusal in report["refusals"]:
        yield f"Refused: {refusal['reason']}"
        yield f"  {refusal['next']}"
    yield f"State {report['state']}"


def shared_keys_line(number: int) -> str:
    """That several references have one citation key."""
    verb = "is" if number == 1 else "are"
    keys = count(number, "citation key")
    return f"{keys} {verb} used by several references: 'bifolio key shared' lists them."


def _relay_lines(relay: Mapping[str, Any] | None) -> Iterator[str]:
    if relay is None:
        yield "On this computer only: not attached to a relay."
        return
    last = f"last sync {relay['last_sync']}" if relay["last_sync"] else "never synced"
    if relay["reachable"] is None:
        yield f"Relay {relay['url']}: not tried yet."
    elif relay["reachable"]:
        yield f"Relay {relay['url']}: reached at the last attempt; {last}."
    else:
        yield f"Relay {relay['url']}: not reached at the last attempt; {last}."


def _queue_lines(report: Mapping[str, Any]) -> Iterator[str]:
    if report["relay"] is not None:
        sent = "All of your changes are sent."
        unsent = f"{count(report['unsent'], 'change')} of yours not sent yet."
        yield unsent if report["unsent"] else sent
        if report["unsent_files"]:
            files = count(report["unsent_files"], "file")
            yield f"{files} here that the relay does not have: 'bifolio file list'."
    if report["waiting"]:
        yield f"{count(report['waiting'], 'received change')} waiting for earlier ones."
