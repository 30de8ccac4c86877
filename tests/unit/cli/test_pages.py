"""The pages name commands that there are: each call in them is one that the command takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.cases import each
from typer import BadParameter, TyperException
from typer.main import get_command

from bifolio_cli.application import PROGRAM, application

ROOT = Path(__file__).parents[3]

#: ``cli.md`` is made from the command itself.
PAGES = [ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - {ROOT / "docs/cli.md"})]

_FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:\.venv/bin/)?bifolio [^`]+)`")
#: What a page writes about a call and no shell is given: alternatives, ellipses, remarks.
_REMARK = re.compile(r"\s{2,}.*$|\s#.*$")
_NOTATION = str.maketrans("", "", "[]…")


def written_calls(page: str) -> Iterator[str]:
    """Every call of the command in a page."""
    for block in _FENCED.findall(page):
        for line in block.replace("\\\n", " ").splitlines():
            start = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if start.startswith(f"{PROGRAM} "):
                yield _REMARK.sub("", start)
    for call in _INLINE.findall(_FENCED.sub("", page)):
        yield " ".join(call.split()).removeprefix(".venv/bin/")


def _each(call: str) -> Iterator[list[str]]:
    """The calls that one with ``on|off`` stands for, as words."""
    words = shlex.split(call.translate(_NOTATION).replace("...", ""))
    most = max(word.count("|") for word in words) + 1
    for number in range(most):
        yield [word.split("|")[min(number, word.count("|"))] for word in words]


_command = cache(lambda: get_command(application()))


def fault(words: list[str]) -> str | None:
    """What the command says against a call; None where it takes it. Nothing is run."""
    arguments = [word for word in words[1:] if word != "--help"]
    command = _command()
    context = command.make_context(PROGRAM, list(arguments), resilient_parsing=True)
    rest = [*context._protected_args, *context.args]
    while (subcommands := getattr(command, "commands", None)) is not None:
        if not rest:
            return None  # the page speaks of a verb and all that is under it
        if rest[0].startswith("-") and getattr(command, "invoke_without_command", False):
            break  # the verb itself, which has options of its own
        name = rest.pop(0)
        if name not in subcommands:
            return f"there is no '{name}'"
        command = subcommands[name]
        context = type(context)(command, info_name=name, parent=context)
    try:
        command.parse_args(context, rest)
    except BadParameter:
        return None  # a page may leave out what a call needs, and write NAME for a number
    except TyperException as error:
        message = error.format_message()
        return None if message.endswith("requires an argument.") else message
    return None


@each("page", PAGES, ids=lambda page: page.name)
def test_every_call_in_a_page_is_one_that_the_command_takes(page: Path) -> None:
    faults = [
        f"{call}: {found}"
        for call in written_calls(page.read_text(encoding="utf-8"))
        for words in _each(call)
        if (found := fault(words)) is not None
    ]
    assert faults == []


def test_the_pages_do_name_calls() -> None:
    named = [call for page in PAGES for call in written_calls(page.read_text(encoding="utf-8"))]
    assert len(named) > 60


@each(
    ("call", "found"),
    [
        ("bifolio frobnicate", "there is no 'frobnicate'"),
        ("bifolio group frobnicate NAME", "there is no 'frobnicate'"),
        ("bifolio import --dryrun x.bib", "No such option: --dryrun (Possible options: --dry-run)"),
        ("bifolio import --dry-run x.bib", None),
        ("bifolio autosync on|off", None),
    ],
)
def test_a_call_that_the_command_does_not_take_is_found(call: str, found: str | None) -> None:
    assert {fault(words) for words in _each(call)} == {found}
