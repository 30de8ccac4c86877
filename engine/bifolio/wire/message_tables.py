"""The tables of ``docs/protocol.md``, printed from the code that they describe.

``python -m bifolio.wire.message_tables docs/protocol.md`` writes them into the page; a test
compares. May import only the modules of this package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from msgspec import inspect

from bifolio.wire.connection import RULES, Rule, State
from bifolio.wire.messages import MESSAGE_TYPES, Code, Retry, Unknown, Welcome, number_of


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
        declared = inspect.type_info(message_type)
        assert isinstance(declared, inspect.StructType)
        fields = "; ".join(f"`{one.name}` {_description(one.type)}" for one in declared.fields)
        lines.append(f"| {number_of(message_type)} | {message_type.NAME} | {fields} |")
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
    """The page with each generated part made again."""
    parts = {"states": state_table(), "messages": message_table(), "words": word_table()}
    for name, table in parts.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        page = pattern.sub(lambda _, text=f"{begin}\n{table}\n{end}": text, page)  # type: ignore[misc]
    return page


def _message(rule: Rule) -> str:
    leads_to = f"{rule.then}"
    if rule.message is Unknown:
        return f"any that the client does not know | {leads_to}"
    if rule.message is Welcome and rule.then is State.OPEN:
        leads_to = f"{State.OPEN}; after HELLO and without the library: {State.EMPTY}"
    return f"{rule.message.NAME} | {leads_to}"


def _description(declared: inspect.Type) -> str:
    """What a field may hold, in the page's words."""
    match declared:
        case inspect.BytesType(min_length=int(length)):
            return f"{length} bytes"
        case inspect.BytesType(max_length=int(length)):
            return f"at most {length:,} bytes"
        case inspect.StrType(max_length=int(length)):
            return f"text, at most {length} characters"
        case inspect.IntType():
            return "whole number"
        case inspect.BoolType():
            return "true or false"
        case inspect.EnumType():
            return f"one of {', '.join(declared.cls)}"
        case inspect.UnionType():
            one, nothing = declared.types
            assert isinstance(nothing, inspect.NoneType)
            return f"{_description(one)}; or null"
        case inspect.VarTupleType(max_length=int(length)):
            return f"list of at most {length}: {_description(declared.item_type)}"
        case inspect.DictType(max_length=int(length)):
            return f"map of at most {length} names to {_description(declared.value_type)}s"
        case inspect.StructType():
            return f"({', '.join(_description(one.type) for one in declared.fields)})"
        case _:
            raise ValueError(f"{declared} has no bound, or no words for it here")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
