"""The page docs/cli.md, made from the command itself, so that it cannot say anything else.

``python -m bifolio_cli.manual > docs/cli.md`` writes it; a test compares.
"""

from __future__ import annotations

import sys

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bifolio_cli.main import HELP_OPTIONS, PROGRAM, VERBS, application

#: What ``--help`` prints on a terminal of 80 columns.
_WIDTH = 78

_BEFORE = """\
# The command line

*Made by `python -m bifolio_cli.manual > docs/cli.md`; do not edit by hand.*

`-L PATH` and `--json` may stand before or after the verb. Without `-L` a command works on the
library that `BIFOLIO_LIBRARY` names, else on `Library.bifolio` under `BIFOLIO_HOME`, else on the
one in the platform's data folder. `Work` stands for `Work.bifolio`.

## Environment

| variable | what it names |
|---|---|
| `BIFOLIO_HOME` | the folder of the device's key, default library, backups and relay data |
| `BIFOLIO_LIBRARY` | the library that commands work on, where `-L` names none |
| `BIFOLIO_DEVICE` | what this device is called in conflicts; else the computer's own name |
| `BIFOLIO_TRACEBACK` | set to anything: a fault of Bifolio itself shows where it happened |

## Outcome

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | could not: one sentence and the next step on stderr |
| 2 | the call itself is wrong |
| 3 | done in part: what was left out is named |
| 130 | interrupted from the keyboard |

With `--json` there is one JSON document on stdout and messages are on stderr; `sync --watch`
prints one document per line and round. A failure, a wrong call too, is
`{"error": SENTENCE, "next": WHAT TO DO}`.

```
init                    {"library", "path"}
import                  {"added", "updated", "updated_keys": [KEY],
                         "cleared": [{"key", "fields"}], "unchanged", "conflicts", "trashed",
                         "trashed_keys": [KEY], "purged", "purged_keys": [KEY],
                         "groups", "files", "missing_files",
                         "skipped": [{"file", "line", "reason"}],
                         "left_out": [{"what", "reason"}]}
export -o FILE          {"exported", "file", "lost": [{"reference": ID, "key", "field", "reason"}]}
export --watch FILE     {"exported", "composed", "file", "lost": NUMBER}, one line for each time
cite                    {"style", "form": "text" | "html", "citation", "bibliography": [ENTRY],
                         "failed": [KEY]}
cite --styles WORD      [NAME]
add edit show resolve   {"id", "key", "type", "fields": {CSL-JSON}, "tags", "groups", "files",
                         "trashed", "conflicts", "same_key": [KEY],
                         "merged_into": ID or null}
list search             [what show gives]
copy                    {"references": [{"id", "copy", "key",
                         "outcome": "copied" | "there already" | "in the trash there"}],
                         "missing": [{"ref", "name"}]}
duplicates              [{"score", "references": [what show gives],
                          "pairs": [{"keys", "score", "reasons"}]}]
duplicates --ignore     [what show gives]
merge                   {"kept": what show gives, "merged": [what show gives],
                         "taken": [{"field", "from"}],
                         "differing": [{"field", "kept", "other", "from"}]}
delete restore          [what show gives]
trash list              [what show gives]
trash list --emptied    [{"id", "key", "title"}]
trash empty             {"removed": [{"id", "key", "title"}]}
history                 [{"change": ID, "at", "by", "what": "added" | "imported" | "edited" |
                          "deleted" | "restored" | "revived" | "purged" | "unpurged" |
                          "begins", "field", "before", "after", "shown",
                          "source": FORMAT or null}]
revert                  {what show gives}
undo                    {"what", "references", "groups", "id": ID or null,
                         "kept": [{"ref", "key", "field": FIELD or null, "reason"}]}
log                     [{"id", "at", "by", "what", "changes", "command", "undone"}]
group list              [{"id", "name", "parent": ID or null, "kind": "manual" | "smart",
                          "count", "path", "colour", "query", "problem"}]
group create rename edit move delete restore
                        {what group list gives for one}
group add remove        [what show gives]
tag list                [{"name", "count"}]
tag add remove          [what show gives]
tag rename              {"name", "renamed"}
file list               [{"ref", "name", "size", "hash", "state", "added_by", "added_at"}]
file add                [what file list gives for each that was added]
file remove             {what file list gives for it}
file open export        {"file"}
file clean              {"removed", "bytes"}
file policy             {"policy": "all" | "on-demand" | "none"}
key pattern             {"pattern"}
key make                {"changed": [{"id", "old", "key"}], "kept": [{"id", "key", "reason"}]}
key pin unpin           [what show gives]
key shared              [{"key", "keeper": ID, "others": [KEY]}]
attach RELAY_URL        {"library", "path", "ticket", "backup", "references"}
attach TICKET PATH      {"library", "path", "references"}
attach TICKET           {"library", "path", "backup", "references", "left_out"}
invite                  {"ticket"}
sync                    {"pushed", "pulled", "files_sent", "files_received", "conflicts", "state"}
status                  {"library": {"id", "name"}, "replica": {"id", "path"}, "references",
                         "trashed", "unsent", "unsent_files", "waiting",
                         "relay": {"url", "reachable", "last_sync"} or null,
                         "refusals": [{"reason", "next"}], "conflicts", "shared_keys", "state"}
backup create verify    {"path", "size", "library", "name", "made_at", "device", "references",
                         "trashed", "state", "files", "contents": "all" | "none" | "trashed",
                         "absent", "damaged": [HASH], "verified", "fault": SENTENCE or null}
backup list             [what backup create gives], the newest first
backup restore          {"path", "library", "replica", "name", "references", "files",
                         "backup": what backup create gives}
autosync on off status  {"running", "pid", "since", "starts_at_login", "log",
                         "service": "systemd" | "launchd" | "process" or null,
                         "libraries": [{"path", "library", "name",
                         "link": "starting" | "connected" | "waiting" | "troubled" | "stopped",
                         "connected_since", "last_sync", "unsent", "reason", "next"}]}
autosync run            {"ran"}, when it ends
doctor                  {"path", "well", "checks": [{"check", "message", "next",
                         "verdict": "well" | "attention" | "unknown"}]}
relay                   {"listening"}, when it is ready
demo                    {"references", "conflicts", "state", "seconds", "bytes",
                         "checks": [{"check", "holds"}], "folder"}
conflicts               [{"ref", "key", "field", "of": "group" for a group, else left out,
                          "kind": "value" | "text" | "list" | "revived",
                          "values": [{"n", "value", "by", "at"}]}]
```

A file that cannot be read at all is skipped at line 0. Fields have CSL-JSON's names and values.

## Assignments

`add` and `edit` take assignments. The field's name is what stands before the first `+=`, `-=` or
`=`.

| written | what it does |
|---|---|
| `title='On Type'` | sets |
| `author='Doe, Jane' author='{Roe Press}'` | sets the whole list |
| `tags+=history` | adds to a list or set; to a text, as a paragraph |
| `tags-=history` | removes from a list or set; of a name, the whole one |
| `note=` | clears |
| `x.shelf=B12` | sets a field of your own |

Where a text had nothing yet, two computers that add to it at the same time write two texts: a
conflict, of which `bifolio resolve REF note --take 1 --take 2` keeps both, as paragraphs.

Names are `Family, Given`, `Family, Given, Suffix` or `{Body}`. Dates are EDTF (`2024`, `2024-05`,
`2024-05/2024-07`, `2024~`); anything else is kept as it is written. `tag` and `keyword` are
`tags`, `key` is `citation-key`.
"""


def manual() -> str:
    """The whole page."""
    parts = [_BEFORE, "## bifolio\n", _block(help_text())]
    for verb in VERBS:
        parts += [f"## bifolio {verb}\n", _block(help_text(verb))]
        parts += [_block(help_text(call)) for call in calls(verb) if call != verb]
    return "\n".join(parts)


def calls(verb: str) -> list[str]:
    """What can be called of a verb: itself, or each of the verbs under it."""
    command = _context(verb).command
    if isinstance(command, TyperGroup):
        return [f"{verb} {under}" for under in command.commands]
    return [verb]


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
