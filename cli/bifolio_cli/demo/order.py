"""What the demo does with groups, tags and a PDF: put in order together, apart, and checked."""

from __future__ import annotations

from pathlib import Path

from bifolio_cli.demo import script
from bifolio_cli.demo.paper import pdf_of
from bifolio_cli.demo.stage import Stage


def put_in_order(stage: Stage) -> None:
    """The office makes a group, tags a reference and attaches a PDF to it."""
    office = stage.office
    stage.narrator.say(
        "The office also puts things in order: a group with two references in it, a tag, and the "
        "scan of an article, which goes to the relay sealed, like everything else."
    )
    stage.narrator.space()
    (office.home / script.PDF).write_bytes(pdf_of(script.PDF_TEXT))
    office.run("group", "create", script.GROUP)
    office.run("group", "add", script.GROUP, *script.GROUPED, shows=0)
    office.run("tag", "add", script.TAG, script.EDITED_TWICE, shows=0)
    office.run("file", "add", script.EDITED_TWICE, script.PDF)


def order_apart(stage: Stage) -> None:
    """One renames the group, the other moves it and puts a third reference into it."""
    stage.narrator.say(
        "They also order the same group: the office renames it, the laptop moves it under a new "
        "one and puts a third reference in."
    )
    stage.narrator.space()
    stage.office.run("group", "rename", script.GROUP, script.GROUP_LATER)
    stage.laptop.run("group", "create", script.GROUP_ABOVE)
    stage.laptop.run("group", "move", script.GROUP, "--parent", script.GROUP_ABOVE)
    stage.laptop.run("group", "add", script.GROUP, script.GROUPED_LATER, shows=0)


def check_order(stage: Stage) -> None:
    """Name, place and members are merged; the tag and the PDF are on both."""
    narrator, outcome, laptop = stage.narrator, stage.outcome, stage.laptop
    narrator.say("The group has its new name, its new place and all three references:")
    narrator.space()
    laptop.run("group", "list")
    path = f"{script.GROUP_ABOVE}/{script.GROUP_LATER}"
    listed = [computer.ask("group", "list") for computer in stage.computers]
    members = [
        {one["key"] for one in computer.ask("list", "--group", path)}
        for computer in stage.computers
    ]
    outcome.check(
        "the group that one renamed and the other moved and filled is the same on both",
        listed[0] == listed[1]
        and path in {one["path"] for one in listed[0]}
        and members == [{*script.GROUPED, script.GROUPED_LATER}] * 2,
    )
    tags = [computer.ask("show", script.EDITED_TWICE)["tags"] for computer in stage.computers]
    outcome.check("the tag is on both", all(script.TAG in one for one in tags))
    narrator.say("The laptop looks at the scan that came with the office's library:")
    narrator.space()
    laptop.run("file", "list", script.EDITED_TWICE)
    laptop.run("file", "export", script.EDITED_TWICE, script.PDF, "-o", "copy.pdf")
    sent, came = (
        Path(home / name).read_bytes()
        for home, name in ((stage.office.home, script.PDF), (laptop.home, "copy.pdf"))
    )
    outcome.check("the PDF that the office attached is on the laptop, byte for byte", sent == came)
