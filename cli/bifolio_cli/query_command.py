"""A verb whose arguments are a query: a word that begins with - leaves something out there.

The parser of options would take ``-author:knuth`` for ``-a -u -t -h ...``, so such words are
covered before it sees them and uncovered behind it: the verb is given what was typed.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

#: Stands for the - of a word; no text of a shell holds it by accident.
_COVER = "\ue00d"


class QueryCommand(TyperCommand):
    """A command that takes ``-WORD`` as an argument; its own short options come alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, with each word that is none of the command's options covered."""
        own: set[str] = set()
        takes_value: set[str] = set()
        for parameter in self.get_params(ctx):
            own.update(parameter.opts)
            if not getattr(parameter, "is_flag", True):
                takes_value.update(parameter.opts)
        covered: list[str] = []
        for argument in args:
            is_value = bool(covered) and covered[-1] in takes_value
            is_word = len(argument) > 1 and argument[0] == "-" and argument[1] != "-"
            leaves_out = is_word and not is_value and argument not in own
            covered.append(_COVER + argument[1:] if leaves_out else argument)
        left = super().parse_args(ctx, covered)
        for name, value in ctx.params.items():
            if isinstance(value, list | tuple):
                ctx.params[name] = type(value)(map(_uncover, value))
        return left


def _uncover(word: Any) -> Any:
    """The word as it was typed."""
    if isinstance(word, str) and word.startswith(_COVER):
        return "-" + word.removeprefix(_COVER)
    return word
