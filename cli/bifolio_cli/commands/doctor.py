"""``bifolio doctor``: whether the library and what it needs on this computer are in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.invocation import DONE_IN_PART, Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.next_steps import word
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results.doctor import Diagnosis


def doctor(
    context: typer.Context,
    files: Annotated[
        bool, typer.Option("--files", help="Also read every attached file and compare its hash.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not connect to the relay.")
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="First rebuild what lists and searches read."),
    ] = False,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Also check every byte of the library's file, and every attached file."
        ),
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="First mend what is damaged, and try again what was set aside."
        ),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Check the library's place, file, keys, clock and relay, and what is not sent yet.

    Each thing that needs attention comes with the next step, and the exit code is then 3. Nothing
    is changed; --rebuild changes no reference. --repair mends damaged tables, indexes and files
    from what is whole, here or on the relay, and keeps what was damaged in the library's folder
    'damaged'; it also merges what others wrote and an earlier version kept out.
    """
    from bifolio.doctor.examination import examine

    call = invocation(context, library=library, json=json)
    if repair:
        _repair(call, offline=offline)
    if rebuild:
        _rebuild(call)
    with ProgressBars() as progress:
        found = examine(
            call.library_path,
            call.environment.device_home(),
            files=files,
            deep=deep,
            offline=offline,
            progress=progress,
        )
    if call.output.json:
        call.output.document(found)
    else:
        for one in found.checks:
            call.output.say(f"{one.verdict:<9}  {one.check}: {one.message}")
            if one.next:
                call.output.say(f"           {word(one.next)}")
        call.output.say(_summary(found))
    if not found.well:
        raise typer.Exit(DONE_IN_PART)


def _summary(found: Diagnosis) -> str:
    from bifolio.results.doctor import CheckVerdict

    if not found.well:
        return "Something needs your attention."
    unknown = any(one.verdict is CheckVerdict.UNKNOWN for one in found.checks)
    return "Everything that was checked is well." if unknown else "Everything is well."


def _rebuild(call: Invocation) -> None:
    with call.open_library() as opened:
        references = opened.rebuild_index()
    call.output.remark(
        f"Rebuilt what lists and searches read of {count(references, 'reference')}, the trash "
        "included."
    )


def _repair(call: Invocation, *, offline: bool) -> None:
    from bifolio.doctor.repairing import repair

    with ProgressBars() as progress:
        done = repair(
            call.library_path,
            call.environment.device_home(),
            offline=offline,
            progress=progress,
        )
    for sentence in done.mended:
        call.output.remark(f"{sentence[:1].upper()}{sentence[1:]}.")
    if done.kept is not None:
        call.output.remark(f"The damaged file is kept as {done.kept}.")
    if done.files:
        call.output.remark(
            f"Set {count(done.files, 'damaged file')} aside, to be fetched again where others have "
            "it."
        )
    if done.waits is not None:
        call.output.remark(f"What only the relay has is still missing: {done.waits}")
    if done.merged:
        call.output.remark(f"Merged {count(done.merged, 'change')} that had been set aside.")
    if not (done.mended or done.files or done.merged):
        call.output.remark("Nothing was damaged, and nothing was set aside.")
