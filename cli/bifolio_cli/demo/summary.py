"""The end of the demo: what the relay could have read, the figures, and the list of checks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bifolio_cli.demo import script
from bifolio_cli.demo.computers import folder_bytes
from bifolio_cli.demo.stage import Stage
from bifolio_cli.text.reference_text import count

#: Of the references every tenth is searched for, in well under a second.
_REFERENCES_EACH = 10

#: Shorter titles ("Errata") and keys could occur in random bytes by accident.
_BYTES_MIN = 16

_MIB = 1024 * 1024
_KIB = 1024


def check_secrecy(stage: Stage) -> None:
    """Search all that the relay stored and logged for words of the library; it must be stopped."""
    listed = stage.office.ask("list")[::_REFERENCES_EACH]
    titles = [one["fields"].get("title", "") for one in listed]
    planted = {word.encode() for word in script.PLANTED_WORDS}
    keys = _long(one["key"] for one in listed)
    words = planted | keys | _long(titles)
    stored = _contents(stage.relay.data) + stage.relay.log.read_bytes()
    own = _contents(stage.laptop.library)
    stage.outcome.check(
        f"none of {count(len(words), 'title, key and word', 'titles, keys, names and words')} of "
        "the library is in the relay's files or log",
        not any(word in stored for word in words),
    )
    # Otherwise the search could not find anything anywhere. A library keeps citation keys as they
    # are, but what tells apart those that several references have, and compresses what it lists.
    stage.outcome.check(
        "the same search finds most citation keys in the laptop's own library",
        sum(key in own for key in keys) > len(keys) / 2,
    )


def _long(texts: Iterable[str]) -> set[bytes]:
    return {one.encode() for one in texts if len(one.encode()) >= _BYTES_MIN}


def summarize(stage: Stage, *, keep: bool) -> None:
    """Tell what came out: figures, then every check."""
    narrator, outcome = stage.narrator, stage.outcome
    for computer in stage.computers:
        outcome.bytes[f"library_{computer.name}"] = folder_bytes(computer.library)
    narrator.chapter("6. What came out")
    narrator.table(*_counts(stage), numbers_from=1)
    narrator.table(*_times(stage), numbers_from=1)
    narrator.table(*_sizes(stage), numbers_from=1)
    narrator.say(f"State of both libraries: {outcome.state}")
    narrator.say("What was checked:")
    narrator.space()
    for check in outcome.checks:
        narrator.check(check.sentence, holds=check.holds)
    narrator.say(
        f"{sum(check.holds for check in outcome.checks)} of {len(outcome.checks)} checks hold, "
        f"{outcome.seconds['whole_demo']:.0f} seconds."
    )
    if keep:
        narrator.say(f"Everything is kept in {stage.folder}; look at a library with")
        narrator.typed(f"BIFOLIO_HOME={shlex.quote(str(stage.office.home))} bifolio list")


def _counts(stage: Stage) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    numbers, conflicts = stage.outcome.references, stage.outcome.conflicts
    shared, end = numbers["shared_library"], numbers["at_the_end"]
    from_files, after = conflicts["from_the_two_files"], conflicts["after_the_edits"]
    rows: list[tuple[Any, ...]] = [
        ("each alone", numbers["office_alone"], numbers["laptop_alone"], 0, 0),
        ("one library", shared, shared, 0, from_files),
        ("after the edits", end, end, numbers["in_the_trash"], after),
        ("settled", end, end, numbers["in_the_trash"], conflicts["at_the_end"]),
    ]
    return ("references", "office", "laptop", "trash", "conflicts"), [
        (name, *(f"{number:,}" for number in row)) for name, *row in rows
    ]


def _times(stage: Stage) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    seconds = stage.outcome.seconds
    return ("time of whole commands", "seconds"), [
        ("import of 5,735 references", f"{seconds['import_office']:.1f}"),
        ("attach, join and first sync, three commands", f"{seconds['first_sync']:.1f}"),
        ("slowest edit without a network", f"{seconds['slowest_edit_offline']:.2f}"),
        ("sync of the edits, three commands", f"{seconds['sync_of_the_edits']:.1f}"),
    ]


def _sizes(stage: Stage) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    sizes = stage.outcome.bytes
    later = sizes["relay_at_the_end"] - sizes["relay_after_first_sync"]
    return ("on disk", "size"), [
        ("the two .bib files", _mib(sizes["file_office"] + sizes["file_laptop"])),
        ("the library on the office", _mib(sizes["library_office"])),
        ("the library on the laptop", _mib(sizes["library_laptop"])),
        ("the relay after the first sync", _mib(sizes["relay_after_first_sync"])),
        ("added to the relay by all edits", f"{later / _KIB:,.0f} KiB"),
    ]


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:.1f} MiB"


def _contents(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
