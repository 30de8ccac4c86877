"""The tables of ``docs/protocol.md``, printed from the code that they describe.

``python -m bifolio.wire.tables docs/protocol.md`` writes them into the page; a test compares.
May import only the modules of this package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bifolio.wire.connection import RULES, Rule, State
from bifolio.wire.messages import MESSAGE_TYPES, Code, Retry, Welcome, codecs_of


def state_table() -> str:
    """Which side may send what in which state."""
    lines = ["| state | sender | message | leads to |", "|---|---|---|---|"]
    for state, rules in RULES.items():
        lines += [f"| {state} | {rule.sender} | {_message(rule)} |" for rule in rules]
    return "\n".join(lines)


def message_table() -> str:
    """Every message with its number and its fields in order."""
    lines = ["| nr | message | fields |", "|---|---|---|"]
    for message_type in MESSAGE_TYPES:
        described = "; ".join(
            f"`{name}` {codec.describe()}" for name, codec in codecs_of(message_type)
        )
        lines.append(f"| {message_type.NUMBER} | {message_type.NAME} | {described} |")
    return "\n".join(lines)


def word_table() -> str:
    """The words of NACK and BYE."""
    return "\n".join(
        [
            f"- NACK `code`: {', '.join(f'`{word}`' for word in Code)}",
            f"- BYE `retry`: {', '.join(f'`{word}`' for word in Retry)}",
        ]
    )


def with_tables(page: str) -> str:
    """The page with each generated part made anew."""
    parts = {"states": state_table(), "messages": message_table(), "words": word_table()}
    for name, table in parts.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        page = pattern.sub(lambda _, text=f"{begin}\n{table}\n{end}": text, page)  # type: ignore[misc]
    return page


def _message(rule: Rule) -> str:
    leads_to = f"{rule.then}"
    if rule.message is Welcome and rule.then is State.OPEN:
        leads_to = f"{State.OPEN}; after HELLO and without the library: {State.EMPTY}"
    return f"{rule.message.NAME} | {leads_to}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
