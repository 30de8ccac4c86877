"""A reference derived again of which only plain fields changed: most edits change one.

Plain are fields of one text in a register of their own, and the long texts. All else of what lists
and searches are given of a reference follows from the rest of its record: of that a hash is kept,
the *basis*, and where it is the same, so is what was made of it. It is kept only of references that
are neither in the trash nor in conflict, of which the plain fields say nothing else.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from bifolio.document import texts
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import STRING_FIELDS, TEXT_FIELDS
from bifolio.ids import SEPARATOR
from bifolio.records.canonical import exact_json, read_json
from bifolio.storage.derived import STORED, StoredBefore, StoredReference, with_plain_fields

#: What says more than itself: which reference keeps a key, and into which one it was merged.
_SAYING_MORE = ("citation-key", "merged-into")

_PLAIN: Final = STRING_FIELDS.difference(_SAYING_MORE)
_TEXTS: Final = TEXT_FIELDS

#: The columns of a row that are fields of other names there, by the field.
_COLUMNS: Final = {"type": "type", "title": "title", "abstract": "abstract", "note": "note"}
_FIELDS: Final = STORED.index("fields")

#: How the registers begin that say who edited a text.
_MODIFIED: Final = texts.MODIFIED + SEPARATOR

_BASIS_BYTES: Final = 16


def basis_of(visible: Entries) -> bytes | None:
    """The basis of a reference, its superseded imports left out; None where several values are
    live in a plain field."""
    rest: dict[str, object] = {}
    for name, lives in visible.registers.items():
        if name in _PLAIN or name in _TEXTS:
            if len(lives) > 1:
                return None
        # Who edited which text is asked where one is in conflict.
        elif name != texts.MODIFIED and not name.startswith(_MODIFIED):
            rest[name] = lives
    for key, content in visible.texts.items():
        if key.partition(SEPARATOR)[0] not in _TEXTS:
            rest[key] = content
    rest.update(visible.unknown)
    return hashlib.blake2b(
        exact_json(rest).encode(errors="surrogatepass"), digest_size=_BASIS_BYTES
    ).digest()


def rederive(visible: Entries, before: StoredBefore | None) -> StoredReference | None:
    """What is stored of a reference whose record changed in plain fields only; None where more
    changed, or that is not known.

    Args:
        visible: what the record holds, its superseded imports left out.
        before: what is stored of it; None where nothing is.
    """
    if before is None or before.basis is None or before.basis != basis_of(visible):
        return None
    earlier: dict[str, Any] = read_json(str(before.row[_FIELDS]))
    fields = {
        name: value for name, value in earlier.items() if name not in _PLAIN and name not in _TEXTS
    }
    columns: dict[str, str | None] = dict.fromkeys(_COLUMNS)
    registers = visible.registers
    for name in registers.keys() & _PLAIN:
        value = registers[name][0].value
        if name in columns:
            columns[name] = value
        elif value is not None:
            fields[name] = value
    for name in registers.keys() & _TEXTS:
        standing = texts.values(visible, name)
        if len(standing) > 1:
            return None
        value = standing[0].content if standing else None
        if name in columns:
            columns[name] = value
        elif value is not None:
            fields[name] = value
    columns["container"] = fields.get("container-title")
    return with_plain_fields(before, columns, dict(sorted(fields.items())), earlier)
