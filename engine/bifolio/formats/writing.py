"""References to a file: the source's own text where nothing changed, new text where it did.

An export to the format that a reference came from walks its source: a tag whose fields all still
have the value that the source gives is written as it was read; the others give way to new tags in
their place; new fields follow. Any other export writes all fields again. What was composed is read
back before it is written: a value that would not return goes into a round-trip field
(``roundtrip_fields``), and what not even that brings back is reported as lost.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import BinaryIO, Final

from msgspec.structs import replace

from bifolio.errors import DATA_FAULTS, Next, UsageError, next_step
from bifolio.formats.bibtex import crossref, library_fields
from bifolio.formats.bibtex.crowded import FIELDS_MAX, within_limit
from bifolio.formats.bibtex.entries import bibtex_key, harmless, is_readable_key
from bifolio.formats.bibtex.foreign import is_powerful
from bifolio.formats.bibtex.macros import macros_of
from bifolio.formats.bibtex.names import is_readable_field, is_readable_type
from bifolio.formats.bibtex.values import COMMENT_TAG, is_inherited, name_of
from bifolio.formats.joined_notes import join_notes
from bifolio.formats.library_tags import is_said, with_library_tags
from bifolio.formats.mapping.fields import FIELD_ORDER
from bifolio.formats.read_back import is_one_record, written_key
from bifolio.formats.registry import BIBTEX, ENW, EXPORT_FORMATS, RIS, Family, Tags, Traced
from bifolio.formats.written_blocks import merge_blocks
from bifolio.records.canonical import canonical_json, nfc
from bifolio.records.citation_keys import make_key
from bifolio.records.fields import FORMS, Form, is_extra
from bifolio.records.reference import (
    ExportedReference,
    ExportReport,
    ImportedBlocks,
    LostValue,
    Source,
    Values,
    value_to_json,
)

Progress = Callable[[int, int], None]

#: The name under which a reference is reported that could not be written at all.
WHOLE: Final = "reference"

_POWERFUL: Final = "it holds a TeX command that reads, writes or runs something"

#: What ends a key, or an entry, in one of the programs that read BibTeX.
_TWICE: Final = "another entry of this export has the key '{}'; programs read one of the two"
_OTHER_KEY: Final = "the format cannot hold it; it is written as '{}'"

#: Formats whose files are text to every program, as long as no control character is in them.
_PLAIN_TEXT: Final = (BIBTEX, RIS, ENW)
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")
#: So few of them, of all characters of a record, leave its file a text to our reader too: what came
#: out of a text may go back as it was.
_CONTROLS_SHARE_MAX: Final = 1 / 400
_CROWDED: Final = (
    f"an entry has at most {FIELDS_MAX} fields, or Biber reads nothing of the file; it is a comment"
)
_CONTROLS_LOST: Final = "it holds control characters, which make a file a binary one"

#: The type of an entry that means no more than one of an unknown type.
_UNKNOWN_ENTRY: Final = "misc"

#: What belongs to the library and not to a reference's description.
_LIBRARY_FIELDS: Final = {
    "groups": "groups stay in the library; this format has none",
    "files": "attached files are not part of this format's export",
}


def write(
    out: BinaryIO,
    references: Iterable[ExportedReference],
    *,
    format: str,
    blocks: Mapping[str, ImportedBlocks],
    keys: Collection[str] | None = None,
    names_keys: bool = False,
    groups: Sequence[tuple[int, str]] | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write references in a format, one after the other.

    Args:
        out: where the UTF-8 text goes.
        references: what to write, in this order.
        format: one of ``EXPORT_FORMATS``.
        blocks: the blocks that the references' sources name, by record id; those of this format
            are written first, once.
        keys: the citation keys of all references, in small letters: a BibTeX entry whose parent
            is not among them is written with what it inherits. Found in a sequence of
            references; without it every entry is.
        names_keys: whether keys that programs would not find are reported: one that is written
            twice, or otherwise than the reference shows it.
        groups: the library's groups, (level, name) each, those above first: BibTeX gets them as
            JabRef's tree, in the place of any that an imported file had.
        progress: called with (references written, 0) after each; their number is not known here.

    Returns:
        How many were written, and every value that the format could not carry.

    Raises:
        UsageError: no such format.
    """
    keys = _keys(references) if keys is None else keys
    composer = Composer(format, blocks, keys=keys, groups=groups)
    report = ExportReport()
    out.write(composer.opening)
    for reference in references:
        text, lost = composer.compose(reference)
        report.lost += lost
        if text is None:
            continue
        if names_keys:
            key = str(reference.values.get("citation-key", ""))
            report.lost += composer.note_key(reference.id, text, key)
        out.write(composer.between(report.exported) + text.encode())
        report.exported += 1
        if progress is not None:
            progress(report.exported, 0)
    out.write(composer.closing)
    return report


class Composer:
    """One export's references as text, each by itself; ``opening`` and ``closing`` go round all.

    Raises:
        UsageError: no such format.
    """

    def __init__(
        self,
        format: str,
        blocks: Mapping[str, ImportedBlocks],
        *,
        keys: Collection[str] = frozenset(),
        groups: Sequence[tuple[int, str]] | None = None,
    ) -> None:
        if format not in EXPORT_FORMATS:
            raise UsageError(
                f"There is no export format '{format}'.",
                next_step=next_step(Next.CHOOSE_FORMAT, formats=tuple(EXPORT_FORMATS)),
            )
        self._dialect = format
        self._family = EXPORT_FORMATS[format]
        self._blocks = merge_blocks(self._family, blocks)
        if groups is not None and self._blocks is not None:
            kept = (one for one in self._blocks.blocks if not library_fields.is_group_block(one))
            self._blocks = replace(self._blocks, blocks=tuple(kept))
        self._keys = keys
        self._written: set[str] = set()
        opening = self._family.opening
        if self._blocks is not None:
            opening += "\n\n".join(self._blocks.blocks) + "\n\n"
        self.opening = opening.encode()
        closing = self._family.closing
        if groups and self._family is BIBTEX:
            closing += library_fields.written_tree(groups) + "\n"
        self.closing = closing.encode()

    def between(self, exported: int) -> bytes:
        """What comes before the next reference, where so many were written."""
        return self._family.separator.encode() if exported else b""

    def note_key(self, record_id: str, text: str, shown: str) -> list[LostValue]:
        """A loss where a reference that was written before has the same key (programs read one of
        the two, and BibTeX tells no capitals from small letters), or where it is not the one that
        is shown."""
        key = written_key(self._family.name, text)
        if not key:
            return []
        reasons = []
        if self._family is BIBTEX and key != shown and key == bibtex_key(shown):
            reasons.append(_OTHER_KEY.format(key))
        told = key.lower() if self._family is BIBTEX else key
        if told in self._written:
            reasons.append(_TWICE.format(key))
        self._written.add(told)
        return [LostValue(record_id, "citation-key", reason) for reason in reasons]

    def parents(self, reference: ExportedReference) -> frozenset[str]:
        """The keys whose presence decides how a reference is written, in small letters."""
        if self._family is not BIBTEX or reference.source is None:
            return frozenset()
        return crossref.find_needed_parents(reference.source)

    def compose(self, reference: ExportedReference) -> tuple[str | None, list[LostValue]]:
        """A reference's text, and the values that the format could not carry.

        What its source says is another member's word: where it would not be one record, or fails,
        the reference is written from its values alone. None where not even that can be written:
        it is named, and the others go on.
        """
        if reference.unaltered is not None:
            if (unread := self._compose_unaltered(reference)) is not None:
                return unread, []
            reference = reference.unaltered()
        reason = ""
        for one in (reference, replace(reference, source=None)):
            try:
                text, lost = self._compose(one)
                plain = self._is_plain(text, one)
                if plain and is_one_record(self._family.name, text, whole=reference.foreign):
                    return text, lost
                reason = f"it would not be one record of {self._family.shown}"
            except DATA_FAULTS as error:
                reason = f"it cannot be written ({type(error).__name__})"
        return None, [LostValue(reference.id, WHOLE, reason)]

    def _compose_unaltered(self, reference: ExportedReference) -> str | None:
        """The text of a source that this device read as one record, and that means what it meant;
        None where it is not to be written as it is."""
        assert reference.source is not None
        try:
            source = with_library_tags(reference.source, reference, self._family)
            text = self._family.render(without_harm(source))
        except DATA_FAULTS:
            return None
        return None if self._family in _PLAIN_TEXT and _CONTROLS.search(text) else text

    def _is_plain(self, text: str, reference: ExportedReference) -> bool:
        """Whether a record's text leaves its file a text to every program, or was one before."""
        if self._family not in _PLAIN_TEXT or not (found := len(_CONTROLS.findall(text))):
            return True
        own = reference.source is not None and not reference.foreign and "\x00" not in text
        return own and found <= len(text) * _CONTROLS_SHARE_MAX

    def _compose(self, reference: ExportedReference) -> tuple[str, list[LostValue]]:
        bibtex = self._family is BIBTEX
        if bibtex and reference.source is not None:
            source = crossref.resolve_inheritance(reference.source, self._keys)
            source = without_unreadable(source, macros_of(self._blocks))
            if reference.foreign:
                source = _without_powerful(source)
            reference = replace(reference, source=source)
        source, lost = compose(reference, self._family, dialect=self._dialect, blocks=self._blocks)
        written_here = reference.source is not None and not reference.foreign
        if bibtex and not written_here and (harmless := _without_powerful(source)) is not source:
            feeds = self._family.trace(source, self._blocks).feeds
            fields = {
                field
                for (_, raw), fed in zip(source.tags, feeds, strict=True)
                if is_powerful(raw)
                for field in fed
            }
            source = harmless
            lost = lost + [LostValue(reference.id, one, _POWERFUL) for one in sorted(fields)]
        source = with_library_tags(source, reference, self._family)
        fitting = within_limit(source) if bibtex else source
        if fitting is not source:
            lost = lost + [
                LostValue(reference.id, one, _CROWDED) for one in self._unsaid(source, fitting)
            ]
        source = without_harm(fitting)
        if self._is_plain(text := self._family.render(source), reference):
            return text, lost
        source, unsaid = self._without_controls(source)
        lost = lost + [LostValue(reference.id, one, _CONTROLS_LOST) for one in unsaid]
        return self._family.render(source), lost

    def _without_controls(self, source: Source) -> tuple[Source, list[str]]:
        """The source without what would make its file a binary one, and the fields that it then
        says otherwise; JSON and XML have their own ways."""
        if self._family not in _PLAIN_TEXT or not any(
            _CONTROLS.search(raw) for _, raw in source.tags
        ):
            return source, []
        cleaned = replace(
            source, tags=tuple((tag, _CONTROLS.sub("\ufffd", raw)) for tag, raw in source.tags)
        )
        return cleaned, self._unsaid(source, cleaned)

    def _unsaid(self, source: Source, written: Source) -> list[str]:
        """The fields that another source says otherwise."""
        before, after = (self._family.trace(one, self._blocks).values for one in (source, written))
        return sorted(differences(before, after))


def without_harm(source: Source) -> Source:
    """The source as it is written: of a BibTeX entry, with no value that damages another."""
    if source.format != BIBTEX.name:
        return source
    source = within_limit(source)
    tags = tuple((tag, harmless(tag, raw)) for tag, raw in source.tags)
    return source if tags == source.tags else replace(source, tags=tags)


def without_unreadable(source: Source, macros: Mapping[str, str]) -> Source:
    """The source without fields that a program does not read, and then nothing of the entry or of
    the file: they are written again. So is a type that is none to a program.

    Args:
        macros: the texts of those of the export.
    """
    if not is_readable_type(source.type):
        source = replace(source, type=_UNKNOWN_ENTRY)
    kept = tuple(
        pair
        for pair in source.tags
        if pair[0] == COMMENT_TAG or is_readable_field(name_of(pair[0]), pair[1], macros)
    )
    return source if len(kept) == len(source.tags) else replace(source, tags=kept)


def _without_powerful(source: Source) -> Source:
    """The source without the TeX that would do more than set type: its fields are written again."""
    kept = tuple(pair for pair in source.tags if not is_powerful(pair[1]))
    return source if len(kept) == len(source.tags) else replace(source, tags=kept)


def _keys(references: Iterable[ExportedReference]) -> frozenset[str]:
    if not isinstance(references, Sequence):
        return frozenset()
    return frozenset(str(one.values.get("citation-key", "")).lower() for one in references)


class _Traces:
    """What a reader of the format makes of the sources of one reference: of each once, since
    reading is most of what an export takes."""

    def __init__(self, family: Family, blocks: ImportedBlocks | None) -> None:
        self._family = family
        self._blocks = blocks
        self._read: list[tuple[Source, Traced]] = []

    def __call__(self, source: Source) -> Traced:
        for known, found in self._read:
            if known is source or known == source:
                return found
        found = self._family.trace(source, self._blocks)
        self._read.append((source, found))
        return found


def compose(
    reference: ExportedReference,
    family: Family,
    *,
    dialect: str,
    blocks: ImportedBlocks | None,
) -> tuple[Source, list[LostValue]]:
    """The source to be written for a reference, and what it does not say."""
    trace = _Traces(family, blocks)
    joined, said = join_notes(reference.values)
    values = {field: value for field, value in joined.items() if _has_content(value)}
    lost = [LostValue(reference.id, field, reason) for field, reason in said]
    lost += [
        LostValue(reference.id, field, reason)
        for field, reason in _LIBRARY_FIELDS.items()
        if values.pop(field, None) and not is_said(field, reference, family)
    ]
    old = reference.source if reference.source and reference.source.format == family.name else None
    if old is not None and family.is_own_shape is not None and not family.is_own_shape(old):
        old = None
    if old is not None and family.own_id is None:
        values = _without_made_key(values, trace(old).values)
    start = _start(reference, old, values, family, dialect, trace)
    mapped = trace(start)
    changed = differences(values, mapped.values)
    if not changed:
        return start, lost
    tags = _replace_changed(start, mapped.feeds, changed, values, family, dialect, keep_names=True)
    if old is None and family is BIBTEX:
        tags = crossref.unlink(tags)
    written = replace(start, tags=tuple(tags))
    if old is not None and differences(values, trace(written).values):
        tags = _replace_changed(
            start, mapped.feeds, changed, values, family, dialect, keep_names=False
        )
        written = replace(start, tags=tuple(tags))
    return _verify(reference, written, values, family, trace, lost)


def _without_made_key(values: Values, given: Values) -> Values:
    """The values without the citation key, if the import made it and nobody has changed it.

    Written down it would be an identity that the source never had: the record would come back as
    another reference. The next import makes the same key.
    """
    made = make_key(given, taken=lambda _: False)
    if "citation-key" in given or values.get("citation-key") != made:
        return values
    return {field: value for field, value in values.items() if field != "citation-key"}


def _start(
    reference: ExportedReference,
    old: Source | None,
    values: Values,
    family: Family,
    dialect: str,
    trace: _Traces,
) -> Source:
    """The source to begin from: the reference's own with today's type and key, or an empty one."""
    if old is None:
        own_id = family.own_id(values, reference.id) if family.own_id else ""
        return Source(family.name, family.written_type(values, dialect), own_id, ())
    before = trace(old).values
    kind, own_id = old.type, old.id
    if values.get("type") != before.get("type"):
        kind = family.written_type(values, dialect)
    if family.own_id and values.get("citation-key") != before.get("citation-key"):
        own_id = family.own_id(values, reference.id)
    return replace(old, type=kind, id=own_id)


def _has_content(value: object) -> bool:
    return value not in ("", (), {}, None)


def differences(values: Values, others: Values) -> set[str]:
    """Fields that are not the same in both.

    Texts are compared composed (NFC), sets without their order: a library shows them in its own.
    """
    fields = values.keys() | others.keys()
    return {
        field
        for field in fields
        if (one := values.get(field)) != (other := others.get(field))
        and (
            one is None
            or other is None
            or _comparable_text(values, field) != _comparable_text(others, field)
        )
    }


def _comparable_text(values: Values, field: str) -> str:
    value = values.get(field)
    if value is None:
        return ""
    stored = value_to_json(value)
    if FORMS.get(field) is Form.STRINGS:
        stored = sorted(nfc(element) for element in stored)
    return nfc(canonical_json(stored))


def _replace_changed(
    source: Source,
    feeds: tuple[frozenset[str], ...],
    changed: set[str],
    values: Values,
    family: Family,
    dialect: str,
    *,
    keep_names: bool,
) -> Tags:
    """The source's tags with those of changed fields replaced, and new fields at the end.

    Args:
        keep_names: a field under another name than we would write keeps it. One that a parent
            gives always does: only its own name says it in place of the parent.
    """
    renewed = _closure(feeds, changed) - {"type"}
    done: set[str] = set()
    tags: Tags = []

    def renew(fields: Iterable[str], name: str = "") -> None:
        for field in sorted(fields, key=lambda one: (FIELD_ORDER.get(one, 999), one)):
            if field in values and field not in done:
                tags.extend(_rename(name, family.emit(field, values, dialect, source.type)))
            done.add(field)

    for (tag, raw), fed in zip(source.tags, feeds, strict=True):
        if not fed & renewed:
            tags.append((tag, raw))
            continue
        inherited = family is BIBTEX and is_inherited(tag)
        name = name_of(tag) if inherited else tag if keep_names else ""
        renew(fed & renewed, name if len(fed) == 1 else "")
    renew(renewed - done)
    return crossref.inherit_again(tags, source) if family is BIBTEX else tags


def _rename(name: str, tags: Tags) -> Tags:
    """The tags of one field under the name that the source has for it, if they share one."""
    if not name or len({tag for tag, _ in tags}) != 1:
        return tags
    return [(name, raw) for _, raw in tags]


def _closure(feeds: tuple[frozenset[str], ...], changed: set[str]) -> set[str]:
    """The changed fields and those whose tags go with theirs."""
    renewed = set(changed)
    while True:
        more = {field for fed in feeds if fed & renewed for field in fed} - renewed
        if not more:
            return renewed
        renewed |= more


def _verify(
    reference: ExportedReference,
    written: Source,
    values: Values,
    family: Family,
    trace: _Traces,
    lost: list[LostValue],
) -> tuple[Source, list[LostValue]]:
    """The source as its reader will see it, with round-trip fields for what it would not say."""
    written = _without_strays(written, values, family, trace)
    missing = differences(values, trace(written).values)
    if not missing:
        return written, lost
    tags = _without_halves(written, missing, trace)
    for field in sorted(missing, key=lambda one: (FIELD_ORDER.get(one, 999), one)):
        if not field.startswith("x.") or field in values:
            tags += family.carry(field, values.get(field))
    carried = replace(written, tags=tuple(tags))
    for field in sorted(differences(values, trace(carried).values)):
        if field in values:
            lost.append(LostValue(reference.id, field, f"{family.shown} cannot say it exactly"))
    return carried, lost


def _without_halves(written: Source, missing: set[str], trace: _Traces) -> Tags:
    """The tags without those that say only a part of an extra field, whose round-trip fields say
    the whole."""
    carried = {field for field in missing if is_extra(field)}
    feeds = trace(written).feeds
    return [
        pair for pair, fed in zip(written.tags, feeds, strict=True) if not (fed and fed <= carried)
    ]


def _without_strays(written: Source, values: Values, family: Family, trace: _Traces) -> Source:
    """Without the tags that a reader would take for fields which the reference does not have.

    They are new ones whose name means something else in this type; a round-trip field says their
    value.
    """
    feeds = trace(written).feeds
    kept = [
        pair
        for pair, fed in zip(written.tags, feeds, strict=True)
        if (
            family is BIBTEX and is_inherited(pair[0])
        )  # it is not written, so it cannot be left out
        or (
            (not fed or any(field in values for field in fed))
            and all(field in values or not is_extra(field) for field in fed)
        )
    ]
    return written if len(kept) == len(feeds) else replace(written, tags=tuple(kept))


def with_readable_key(source: Source) -> Source:
    """A source whose key every program that reads BibTeX takes for one."""
    if source.format != BIBTEX.name or is_readable_key(source.id):
        return source
    return replace(source, id=bibtex_key(source.id))


def is_as_written(source: Source, other: Source, blocks: ImportedBlocks | None) -> bool:
    """Whether another source, which means the same, is spelled as an export spells this one.

    Args:
        blocks: those of the file that this one came from.
    """
    written, given = (without_harm(with_readable_key(one)) for one in (source, other))
    kept = written
    if source.format == BIBTEX.name:
        kept = without_unreadable(written, macros_of(blocks))
    if kept.type.lower() != given.type.lower() or kept.id != given.id:
        return False
    if kept is written:
        return kept.tags == given.tags
    return not Counter(kept.tags) - Counter(given.tags)  # what is written again has other words
