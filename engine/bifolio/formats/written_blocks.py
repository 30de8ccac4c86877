"""What stands between the records of a file, on its way out: macros, preambles, loose text.

Blocks of one's own go out as they came, as far as they do no harm to an entry; those of somebody
else's file are checked, since programs of TeX run what they define.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bifolio.formats.bibtex.foreign import checked_block, undamaged_block
from bifolio.formats.bibtex.macros import macro_definition
from bifolio.formats.read_back import is_outside
from bifolio.formats.registry import BIBTEX, Family
from bifolio.records.reference import ImportedBlocks

#: Blocks of BibTeX without which an entry may say something else.
_NEEDED: Final = re.compile(r"\s*@\s*(?:string|preamble)\b", re.IGNORECASE)

#: So much of a block that was left out is named.
_NAMED_CHARACTERS: Final = 60


def merge_blocks(family: Family, blocks: Mapping[str, ImportedBlocks]) -> ImportedBlocks | None:
    """All blocks of one format as one; of two definitions of a macro the first stays.

    References of the file whose definition goes get the text in place of the macro: its value
    differs from what the merged blocks give, so it is written again.
    """
    texts: dict[str, None] = {}
    defined: dict[str, int] = {}
    for number, one in enumerate(blocks.values()):
        if one.format != family.name:
            continue
        for text in one.blocks:
            definition = macro_definition(text) if family is BIBTEX else None
            if definition is None or defined.setdefault(definition[0], number) == number:
                texts[text] = None
    free = [text for text in texts if not text.lstrip().startswith("@")]
    whole = [text for text in texts if text.lstrip().startswith("@")]
    if free:
        whole.append("\n\n".join(free))
    return ImportedBlocks(family.name, tuple(whole)) if whole else None


def check_blocks(blocks: ImportedBlocks) -> tuple[ImportedBlocks, list[tuple[str, str]]]:
    """The blocks of somebody else's file that may be written, and each other one with the reason.

    Of a macro its definition is written again; text between records stays where no reader takes
    it for a record.
    """
    kept: list[str] = []
    refused: list[tuple[str, str]] = []
    for text in blocks.blocks:
        if blocks.format == BIBTEX.name:
            checked, reason = checked_block(text)
        else:
            whole = is_outside(blocks.format, text)
            checked, reason = (text, "") if whole else ("", "a reader would take it for a record")
        if reason:
            refused.append((" ".join(text.split())[:_NAMED_CHARACTERS], reason))
        else:
            kept.append(checked)
    return ImportedBlocks(blocks.format, tuple(kept)), refused


def without_loose_text(blocks: ImportedBlocks) -> ImportedBlocks:
    """What of a file's blocks its references need: the macros and the preamble. What else is in it
    is of the file, and of none of its references."""
    needed = tuple(text for text in blocks.blocks if _NEEDED.match(text))
    return ImportedBlocks(blocks.format, needed if blocks.format == BIBTEX.name else ())


def without_damage(blocks: ImportedBlocks) -> tuple[ImportedBlocks, list[tuple[str, str]]]:
    """A user's own blocks without what would damage an entry, and each such text with the
    reason."""
    if blocks.format != BIBTEX.name:
        return blocks, []
    kept: list[str] = []
    refused: list[tuple[str, str]] = []
    for text in blocks.blocks:
        whole, reason = undamaged_block(text)
        if reason:
            refused.append((" ".join(text.split())[:_NAMED_CHARACTERS], reason))
        else:
            kept.append(whole)
    return ImportedBlocks(blocks.format, tuple(kept)), refused
