"""The page docs/cli.md, made from the command itself, so that it cannot say anything else.

``python -m bifolio_cli.text.manual > docs/cli.md`` writes it; a test compares.
"""

from __future__ import annotations

import sys
import textwrap

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bifolio.results.schema import outlines
from bifolio_cli.application import HELP_OPTIONS, PROGRAM, VERBS, application
from bifolio_cli.json_documents import COMMANDS
from bifolio_cli.json_failures import Failure

#: What ``--help`` prints on a terminal of 80 columns.
_WIDTH = 78

#: The lines of the page itself.
_LINE = 100

_BEFORE = """\
# The command line

*Made by `python -m bifolio_cli.text.manual > docs/cli.md`; do not edit by hand.*

`-L PATH` and `--json` go before or after the verb. Without `-L` a command works on the library
that `BIFOLIO_LIBRARY` names, otherwise on `Library.bifolio` in `BIFOLIO_HOME` or in the platform's
data folder. `Work` means `Work.bifolio`.

## Environment

| variable | what it names |
|---|---|
| `BIFOLIO_HOME` | the folder of the device's key, default library, backups and relay data |
| `BIFOLIO_LIBRARY` | the library that commands work on, unless `-L` names one |
| `BIFOLIO_DEVICE` | the name of this device in conflicts (default: the computer's name) |
| `BIFOLIO_RELAY_TOKEN` | the token for a new library on a relay, unless `--token` gives one |
| `BIFOLIO_TRACEBACK` | if set to anything, a fault of Bifolio shows where it happened |

## Outcome

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | could not: one sentence and the next step on stderr |
| 2 | the call itself is wrong |
| 3 | done in part: what was left out is named |
| 130 | interrupted from the keyboard |

With `--json` there is one JSON document on stdout and messages are on stderr; `export --watch` and
`sync --watch` print one document per line and round. A failure, a wrong call too, is a `Failure`:
`error.code` stays the same for programs, `error.message` is a sentence, and `error.next` is what to
do about it, as a code with its facts and in words. `docs/results.schema.json` is the JSON Schema of
the library's results. A field without a type is text.

```
@DOCUMENTS@
```

The results in them:

```
@RESULTS@
```

A file that cannot be read at all is skipped at line 0. Fields have CSL-JSON's names and values.

## Assignments

`add` and `edit` take assignments. The field's name is what comes before the first `+=`, `-=` or
`=`.

| written | what it does |
|---|---|
| `title='On Type'` | sets |
| `author='Doe, Jane' author='{Roe Press}'` | sets the whole list |
| `tags+=history` | adds to a list or set; to a text, as a paragraph |
| `tags-=history` | removes from a list or set; a name is given whole |
| `note=` | clears |
| `x.shelf=B12` | sets a field of your own |

If a text was empty, two computers that add to it at the same time write two texts: a conflict.
`bifolio resolve REF note --take 1 --take 2` keeps both, as paragraphs.

Names are `Family, Given`, `Family, Given, Suffix` or `{Organization}`. Dates are EDTF (`2024`,
`2024-05`, `2024-05/2024-07`, `2024~`); anything else is kept as it is written. `tag` and `keyword`
are `tags`, `key` is `citation-key`.
"""


def manual() -> str:
    """The whole page."""
    documents, results = _outlines()
    before = _BEFORE.replace("@DOCUMENTS@", documents).replace("@RESULTS@", results)
    parts = [before, "## bifolio\n", _block(help_text())]
    for verb in VERBS:
        parts += [f"## bifolio {verb}\n", _block(help_text(verb))]
        parts += [_block(help_text(call)) for call in calls(verb) if call != verb]
    return "\n".join(parts)


def _outlines() -> tuple[str, str]:
    """What each command prints, and the fields of each result."""
    kinds = {"a failure": Failure, **COMMANDS}
    shapes, results = outlines(list(kinds.values()))
    lines: dict[str, list[str]] = {}
    for call, shape in zip(kinds, shapes, strict=True):
        lines.setdefault(shape, []).append(call)
    documents = [f"{', '.join(named)}: {shape}" for shape, named in lines.items()]
    fields = [f"{name}: {shape}" for name, shape in results.items()]
    return "\n".join(map(_folded, documents)), "\n".join(map(_folded, fields))


def _folded(line: str) -> str:
    return textwrap.fill(
        line, _LINE, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def calls(verb: str) -> list[str]:
    """What can be called of a verb: itself, or each of the verbs under it."""
    command = _context(verb).command
    if not isinstance(command, TyperGroup):
        return [verb]
    under = [call for name in command.commands for call in calls(f"{verb} {name}")]
    return [verb, *under] if command.invoke_without_command else under


def help_text(call: str = "") -> str:
    """What ``--help`` prints for a verb (``show``, ``group add``), or for the whole command."""
    context = _context(call)
    return context.command.get_help(context)


def _context(call: str) -> typer.Context:
    """The context in which the command of a call would be run."""
    names = call.split()
    context = typer.Context(
        get_command(application(names[:1])),
        info_name=PROGRAM,
        terminal_width=_WIDTH,
        help_option_names=HELP_OPTIONS,
    )
    for name in names:
        above = context.command
        command = above.get_command(context, name) if isinstance(above, TyperGroup) else None
        if command is None:
            raise ValueError(f"no such verb: {call}")
        context = typer.Context(command, parent=context, info_name=name)
    return context


def _block(text: str) -> str:
    return f"```\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(manual())
