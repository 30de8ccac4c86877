"""``bifolio doctor``: whether the library and what it needs on this computer are in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.invocation import DONE_IN_PART, Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.progress import ProgressBars
from bifolio_cli.rendering import count

if TYPE_CHECKING:
    from bifolio.results.doctor import Diagnosis


def doctor(
    context: typer.Context,
    files: Annotated[
        bool, typer.Option("--files", help="Read every attached file and compare its hash.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the relay alone.")] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="First derive anew what lists and searches read."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Check where the library lies, its file, keys, clock, relay and the work that waits.

    Each thing that needs attention comes with the next step, and the exit code is then 3. Nothing
    is changed; --rebuild changes no reference.
    """
    from bifolio.doctor.examination import examine

    call = invocation(context, library=library, json=json)
    if rebuild:
        _rebuild(call)
    with ProgressBars() as progress:
        found = examine(
            call.library_path,
            call.environment.device_home(),
            files=files,
            offline=offline,
            progress=progress,
        )
    if call.output.json:
        call.output.document(found.to_json())
    else:
        for one in found.findings:
            call.output.say(f"{one.verdict:<9}  {one.check}: {one.message}")
            if one.next:
                call.output.say(f"           {one.next}")
        call.output.say(_summary(found))
    if not found.is_well:
        raise typer.Exit(DONE_IN_PART)


def _summary(found: Diagnosis) -> str:
    from bifolio.results.doctor import Verdict

    if not found.is_well:
        return "Some of it needs your attention."
    unknown = any(one.verdict is Verdict.UNKNOWN for one in found.findings)
    return "All that was looked at is well." if unknown else "All is well."


def _rebuild(call: Invocation) -> None:
    with call.open_library() as opened:
        references = opened.rebuild_index()
    call.output.remark(
        f"Derived anew: what lists read of {count(references, 'reference')}, the trash included."
    )
