"""The story of the demo, act by act: one library on two computers, edited apart, merged, settled.

Each act tells what happens, has it done by the real command, and notes what must hold
afterwards; what is typed is in ``script``.
"""

from __future__ import annotations

from time import monotonic

from bifolio_cli.demo import script
from bifolio_cli.demo.computers import Computer, Ended
from bifolio_cli.demo.order import check_order, order_apart, put_in_order
from bifolio_cli.demo.reading import (
    author_names,
    check_deletions,
    check_title_conflict,
    fields_of,
    merged_rows,
    number_of,
)
from bifolio_cli.demo.stage import Stage
from bifolio_cli.demo.summary import check_secrecy, summarize
from bifolio_cli.text.reference_text import count

_MERGED_HEADINGS = ("field", "the office wrote", "the laptop wrote", "both have now")
_FIELDS = (script.OFFICE_PUBLISHER, script.LAPTOP_PLACE)
_OFFICE_NOTE = f"{script.NOTE_FIRST_LATER}\n\n{script.NOTE_SECOND}"
_LAPTOP_NOTE = f"{script.NOTE_FIRST}\n\n{script.NOTE_SECOND_LATER}"
_MERGED_NOTE = f"{script.NOTE_FIRST_LATER}\n\n{script.NOTE_SECOND_LATER}"
_OFFICE_EDITS = (
    f"title={script.OFFICE_TITLE}",
    f"publisher={script.OFFICE_PUBLISHER}",
    f"author+={script.OFFICE_AUTHOR}",
)
_LAPTOP_EDITS = (
    f"title={script.LAPTOP_TITLE}",
    f"publisher-place={script.LAPTOP_PLACE}",
    f"author+={script.LAPTOP_AUTHOR}",
)


def tell(stage: Stage, *, keep: bool) -> None:
    """Play the whole story."""
    begin = monotonic()
    stage.narrator.say(
        "Two computers, each with a library of references of its own, and a relay between them "
        "that cannot read what it carries. Every command below is the real one, run as a process "
        f"of its own; all of it happens in {stage.folder}."
    )
    two_libraries(stage)
    one_library(stage)
    apart(stage)
    together(stage)
    settle(stage)
    stage.relay.stop()
    stage.outcome.bytes["relay_at_the_end"] = stage.relay.stored_bytes()
    check_secrecy(stage)
    stage.outcome.seconds["whole_demo"] = monotonic() - begin
    summarize(stage, keep=keep)


def two_libraries(stage: Stage) -> None:
    """Each computer imports a bibliography of its own."""
    stage.narrator.chapter("1. Two libraries on two computers")
    stage.narrator.say(
        "The office imports the literature of digital typography, the laptop that of the history "
        "of printing."
    )
    stage.narrator.space()
    expected = (script.TYPOGRAPHY_REFERENCES, script.PRINTING_HISTORY_REFERENCES)
    files = (script.TYPOGRAPHY, script.PRINTING_HISTORY)
    outcome = stage.outcome
    for computer, file, number in zip(stage.computers, files, expected, strict=True):
        computer.run("init", "--name", f"{computer.name.capitalize()} library")
        imported = computer.run("import", file, label=f"importing {number:,} references ...")
        outcome.seconds[f"import_{computer.name}"] = imported.seconds
        counted = outcome.references[f"{computer.name}_alone"] = references(computer)
        outcome.bytes[f"file_{computer.name}"] = (computer.home / file).stat().st_size
        outcome.check(
            f"every one of the {number:,} references of {file} is in the {computer.name}'s library",
            counted == number,
        )


def one_library(stage: Stage) -> None:
    """The office brings its library to the relay, and the laptop's joins it."""
    narrator, outcome, office, laptop = stage.narrator, stage.outcome, stage.office, stage.laptop
    narrator.chapter("2. One library")
    narrator.say(
        "A relay starts, the office attaches its library to it and gets a ticket: one line that "
        "lets another computer in. With it the laptop's library joins. Each makes a backup before."
    )
    narrator.space()
    stage.relay.start()
    ids = {one["id"] for computer in stage.computers for one in computer.ask("list")}
    attached = office.run("attach", stage.relay.url, label="sending the library ...")
    ticket = attached.line_that_begins("bifolio:")
    joined = laptop.run("attach", ticket, "--join", label="joining ...")
    met = office.run("sync", label="receiving the laptop's references ...")
    outcome.seconds["first_sync"] = attached.seconds + joined.seconds + met.seconds
    before = [reference_count(stage, "office_alone"), reference_count(stage, "laptop_alone")]
    shared = sum(before) - len(ids)
    outcome.references |= {"in_both_files": shared, "shared_library": references(office)}
    outcome.conflicts["from_the_two_files"] = len(office.ask("conflicts"))
    outcome.check(
        "both computers hold every reference of both libraries, each once",
        all({one["id"] for one in computer.ask("list")} == ids for computer in stage.computers),
    )
    disputed = outcome.conflicts["from_the_two_files"]
    narrator.say(
        f"{count(shared, 'work')} in both libraries: one reference each now. In {disputed} of them "
        "the two files say different things about one field; both values are kept and "
        "listed as a conflict, and nothing was asked."
    )
    narrator.say("Before the two part, the office writes a note of two paragraphs.")
    narrator.space()
    note = f"note={script.NOTE_FIRST}\n\n{script.NOTE_SECOND}"
    office.run("edit", script.EDITED_TWICE, note, shows=0)
    put_in_order(stage)
    sync_in_order(office, laptop)


def apart(stage: Stage) -> None:
    """The relay is gone; both go on working."""
    narrator, outcome, office, laptop = stage.narrator, stage.outcome, stage.office, stage.laptop
    stage.relay.stop()
    outcome.bytes["relay_after_first_sync"] = stage.relay.stored_bytes()
    narrator.chapter("3. Apart, without a network")
    narrator.say(
        "The relay is stopped. Both edit the same reference (different fields, the same field, an "
        "author each, a paragraph each of one note), one deletes what the other edits, and both "
        "add something new."
    )
    narrator.space()
    edits = [
        office.run("edit", script.EDITED_TWICE, *_OFFICE_EDITS, shows=0),
        office.run("edit", script.EDITED_TWICE, f"note={_OFFICE_NOTE}", shows=0),
        office.run("delete", script.DELETED_AND_EDITED),
        office.run("add", *script.OFFICE_ADDED, shows=1),
        laptop.run("edit", script.EDITED_TWICE, *_LAPTOP_EDITS, shows=0),
        laptop.run("edit", script.EDITED_TWICE, f"note={_LAPTOP_NOTE}", shows=0),
        laptop.run(
            "edit",
            script.DELETED_AND_EDITED,
            f"note={script.UNSEEN_NOTE}",
            f"tags+={script.UNSEEN_TAG}",
            shows=0,
        ),
        laptop.run("delete", script.DELETED),
        laptop.run("add", *script.LAPTOP_ADDED, shows=1),
    ]
    outcome.seconds["slowest_edit_offline"] = max(edit.seconds for edit in edits)
    order_apart(stage)
    narrator.say("The relay does not answer; what was edited is safe on its computer and waits.")
    narrator.space()
    office.run("sync", exits=1)
    unsent = [computer.ask("status")["unsent"] for computer in stage.computers]
    outcome.check("without a relay every edit is kept and waits to be sent", unsent == [5, 8])


def together(stage: Stage) -> None:
    """The relay is back: both sync, and hold the same library again."""
    narrator, outcome = stage.narrator, stage.outcome
    narrator.chapter("4. Together again")
    narrator.say(
        "The relay comes back, on its old address and with its old files. Nobody is asked."
    )
    narrator.space()
    stage.relay.start()
    outcome.seconds["sync_of_the_edits"] = sum(
        ended.seconds for ended in sync_in_order(stage.office, stage.laptop, stage.office)
    )
    shown = [computer.ask("show", script.EDITED_TWICE) for computer in stage.computers]
    conflicts = [computer.ask("conflicts") for computer in stage.computers]
    outcome.conflicts["after_the_edits"] = len(conflicts[0])
    narrator.table(_MERGED_HEADINGS, merged_rows(shown[0]))
    outcome.check(
        "edits of different fields are both there",
        all(fields_of(one, "publisher", "publisher-place") == _FIELDS for one in shown),
    )
    authors = ("Knuth, Donald E.", script.OFFICE_AUTHOR, script.LAPTOP_AUTHOR)
    outcome.check(
        "both added authors are there, after the one who was",
        all(author_names(one) in (authors, (authors[0], *authors[:0:-1])) for one in shown),
    )
    outcome.check(
        "both edited paragraphs of the note are there",
        all(one["fields"].get("note") == _MERGED_NOTE for one in shown),
    )
    check_order(stage)
    check_title_conflict(stage, shown, conflicts)
    check_deletions(stage, conflicts)
    outcome.check(
        "nothing else is in conflict",
        len(conflicts[0]) == outcome.conflicts["from_the_two_files"] + 2,
    )


def settle(stage: Stage) -> None:
    """One value of a conflict is taken on one computer, and reaches the other."""
    narrator, outcome, office, laptop = stage.narrator, stage.outcome, stage.office, stage.laptop
    narrator.chapter("5. Settling what was edited twice")
    narrator.say(
        "The office lists the conflicts and takes its own title. The laptop keeps the reference "
        "that the office had deleted: 'restore' says so."
    )
    narrator.space()
    office.run("conflicts")
    choice = number_of(office.ask("conflicts"), script.OFFICE_TITLE)
    office.run("resolve", script.EDITED_TWICE, "title", "--take", str(choice), shows=2)
    laptop.run("restore", script.DELETED_AND_EDITED)
    sync_in_order(office, laptop, office)
    conflicts = [computer.ask("conflicts") for computer in stage.computers]
    shown = [computer.ask("show", script.EDITED_TWICE) for computer in stage.computers]
    outcome.conflicts["at_the_end"] = len(conflicts[0])
    outcome.check(
        "the title taken at the office is on the laptop too, and the conflict is gone on both",
        all(one["fields"].get("title") == script.OFFICE_TITLE for one in shown)
        and not any(one["conflicts"] for one in shown),
    )
    outcome.check(
        "the reference that came back is settled on both",
        not any(one["field"] == "deleted" for listed in conflicts for one in listed),
    )
    again = [computer.ask("sync") for computer in stage.computers]
    outcome.check(
        "syncing once more sends and receives nothing",
        all(one["pushed"] == one["pulled"] == 0 for one in again),
    )
    status = [computer.ask("status") for computer in stage.computers]
    outcome.references |= {
        "at_the_end": status[0]["references"],
        "in_the_trash": status[0]["trashed"],
    }
    outcome.state = status[0]["state"]
    outcome.check(
        "the state hashes of both libraries are equal", status[0]["state"] == status[1]["state"]
    )
    added, deleted = 2, 1
    expected = reference_count(stage, "shared_library") + added - deleted
    outcome.check(
        f"both count {expected:,} references and {deleted} in the trash",
        all((one["references"], one["trashed"]) == (expected, deleted) for one in status),
    )
    listed = [computer.ask("list") for computer in stage.computers]
    outcome.check(
        "both list the same references, field by field, in the same order", listed[0] == listed[1]
    )
    titles = {script.OFFICE_ADDED_TITLE, script.LAPTOP_ADDED_TITLE}
    outcome.check(
        "what each of them added is on both",
        titles <= {one["fields"].get("title") for one in listed[1]} and listed[0] == listed[1],
    )


def sync_in_order(*order: Computer) -> list[Ended]:
    """Each computer in turn sends what it has and receives what the others sent."""
    return [computer.run("sync", label="exchanging changes ...") for computer in order]


def references(computer: Computer) -> int:
    """How many references the library of a computer counts."""
    number: int = computer.ask("status")["references"]
    return number


def reference_count(stage: Stage, moment: str) -> int:
    """How many references there were at an earlier moment of the story."""
    return stage.outcome.references[moment]
