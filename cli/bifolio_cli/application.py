"""The command as Typer reads it: its verbs, its help, and what is wrong with a call.

A verb's module is loaded when its verb is called, or for the help of all. Typer itself takes a
quarter of the time of a command that only reads; ``plain_calls`` goes without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from bifolio import __version__
from bifolio.lazy import pattern
from bifolio_cli.call import INTERRUPTED, WRONG_USAGE, Invocation
from bifolio_cli.environment import Environment
from bifolio_cli.invocation import JsonOption, LibraryOption
from bifolio_cli.json_failures import Version
from bifolio_cli.os_errors import WrongCallError
from bifolio_cli.output import Output

PROGRAM = "bifolio"
HELP_OPTIONS = ["-h", "--help"]

#: Verb to module, in the order in which a newcomer needs them, which is that of the help.
VERBS = {
    "init": "init",
    "import": "import_",
    "export": "export",
    "cite": "cite",
    "add": "add",
    "edit": "edit",
    "show": "show",
    "list": "list_",
    "search": "search",
    "copy": "copy",
    "group": "group",
    "note": "note",
    "annotation": "annotation",
    "tag": "tag",
    "file": "file",
    "key": "key",
    "duplicates": "duplicates",
    "merge": "merge",
    "delete": "delete",
    "restore": "restore",
    "trash": "trash",
    "history": "history",
    "revert": "revert",
    "undo": "undo",
    "log": "log",
    "attach": "attach",
    "invite": "invite",
    "invites": "invites",
    "members": "members",
    "member": "member",
    "device": "device",
    "leave": "leave",
    "detach": "detach",
    "libraries": "libraries",
    "recovery": "recovery",
    "draft": "draft",
    "sync": "sync",
    "bundle": "bundle",
    "status": "status",
    "conflicts": "conflicts",
    "resolve": "resolve",
    "backup": "backup",
    "autosync": "autosync",
    "serve": "serve",
    "mcp": "mcp",
    "doctor": "doctor",
    "compact": "compact",
    "relay": "relay",
    "demo": "demo",
    "bench": "bench",
}


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command with the verbs that the arguments name, or with all where they name none.

    Loading and describing all verbs would take as long as showing a reference.
    """
    app = typer.Typer(
        name=PROGRAM,
        add_completion=False,
        # rich would be loaded for these.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": HELP_OPTIONS},
    )
    app.callback(invoke_without_command=True)(bifolio)
    named = [verb for verb in VERBS if verb in arguments]
    for verb in named or ([] if "--version" in arguments else VERBS):
        module = import_module(f"bifolio_cli.commands.{VERBS[verb]}")
        found = getattr(module, VERBS[verb])
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb, cls=getattr(module, "COMMAND_CLASS", None))(found)
    return app


def bifolio(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """One reference library on every computer that holds it.

    -L and --json go before or after the command. Without -L a command works on the library that
    BIFOLIO_LIBRARY names, otherwise on the default one.
    """
    output = Output(json=json)
    context.obj = Invocation(environment=Environment.of_process(), library=library, output=output)
    if version:
        if json:
            output.document(Version(__version__))
        else:
            output.line(f"{PROGRAM} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        if json:
            output.failure(
                WrongCallError(
                    "No command was given.", next_step=f"Run '{PROGRAM} --help' to see them all."
                )
            )
        else:
            output.remark(*context.get_help().split("\n"))
        raise typer.Exit(WRONG_USAGE)


def invoke(arguments: list[str], output: Output) -> int:
    """One call; the exit code.

    Args:
        output: how to say that the call itself is wrong.
    """
    try:
        code = application(arguments)(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        return _wrong_usage(error, output)
    except typer.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


#: What a verb may be given that nobody but the user may see: tickets, codes, tokens.
_SECRET = pattern(r"bifolio:\S*|[A-Za-z0-9_-]{24,}")
#: Verbs after which anything may be a part of a ticket or a code that was not quoted.
_SECRETIVE = ("attach", "recovery")
#: Not a short word behind two hyphens: that is a mistyped option, no part of a ticket or a code.
_REPEATED = pattern(
    r"(unexpected extra arguments?|No such option(?!: --[a-z-]{1,16}(?![\w-]))|Invalid value[^:]*)"
    r":? ?.*"
)


def _without_secrets(message: str, path: str) -> str:
    """A message of Typer's, which repeats what it does not understand, without what could be a
    ticket, or a part of one."""
    if any(verb in path.split() for verb in _SECRETIVE):
        return _REPEATED.sub(r"\1", message)
    return _SECRET.sub("...", message)


def _wrong_usage(error: typer.TyperException, output: Output) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    message = _without_secrets(" ".join(error.format_message().split()), path)
    sentence = message if message.endswith((".", "?", "!")) else message + "."
    advice = f"Run '{path} --help' to see how it is used."
    if sentence.startswith("No such option"):
        advice += " A word that begins with - and is not an option goes after -- at the end."
    output.failure(WrongCallError(sentence, next_step=advice))
    return WRONG_USAGE
