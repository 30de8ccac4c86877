"""Bytes in the field's formats to references and back: the only user of parsers of formats.

What the rest of Bifolio calls::

    read(path, format=None, progress=None)     a file's references, blocks and skipped records
    check_encoding(name)                       the character set that a user names
    read_library(path, ...), is_library(path)  a whole EndNote or Zotero library
    write(out, references, format=..., blocks=...)     an export, with what could not be carried
    check_blocks(blocks)                       those of somebody else's file that may be written
    with_readable_key(source)                  a source with a key that BibTeX's programs read
    without_damage(blocks)                     those of one's own file that do no harm to an entry
    without_loose_text(blocks)                 what of a file's blocks its references need
    Composer(format, blocks)                   an export's references, each by itself
    is_as_written(source, other, blocks)       whether an export spells a source like that
    differences(values, others)                the fields that do not say the same in both
    map_source(source, blocks=None)            the mapped values of a stored source, again
    map_sources([(source, blocks), ...])       those of each version of one record, oldest first
    add_facts(values, facts, format=...)       the values with what a whole library says too
    source_identity(source)                    the source's own id, and whether it is unique
    mapping_table_markdown()                   the tables of types and fields, for docs/formats.md

Every record goes through three layers (``docs/formats.md``). Its *source* is what the file said,
exactly; its *values* are computed from the source alone, so that a later version of the mapping
can be applied to what was imported long ago; what has no field of its own becomes an *extra
field* ``x.<format>.<tag>``. An export to the format a reference came from walks the source and
replaces only what was changed; any other export writes the fields and puts what has no place into
round-trip fields that our own readers restore. What was written for a changed or foreign
reference is read back before it goes out: a value that would not come back is carried a second
way or reported.

May import only ``records``, ``errors``, ``ids`` and ``limits``. The parsing libraries are loaded
at the first record that needs them, so importing this package is quick.

==================== ===========================================================================
``reading``          files to references: which format it is, and record after record
``services_reading`` the same for the formats of ``services``
``file_facts``       groups and files that a file of references says next to its records
``imported``         a record as a reference: its bounds checked, its values mapped
``foreign_formats``  known formats that are not read, and the way round each
``unaltered``        whether an unaltered reference is written as its source, unread
``writing``          references to a file: the source's own text, or new text read back
``written_blocks``   what stands between a file's records, on its way out
``library_tags``     groups and files of a reference, as the format of an export has them
``joined_notes``     several notes, and annotations, as the one text that a format has for them
``read_back``        whether what was written is one record to its reader, and none of another's
``whole_libraries``  whole EndNote and Zotero libraries to references and groups
``registry``         the formats by name: what reads each, writes it, and how a file shows it
``mapping_markdown`` the tables of ``mapping`` and ``endnote.columns`` as Markdown
``bibtex``           BibTeX and BibLaTeX: entries, macros, inheritance, salvage
``csl``              CSL-JSON
``services``         Web of Science, Ovid, RefWorks, PubMed XML, MODS, CSV, CITATION.cff
``tagged``           records of tagged lines: RIS, enw and nbib
``endnote``          EndNote's XML and its libraries, and the rules that its formats share
``zotero``           Zotero's items and libraries
``databases``        what other programs' libraries have in common: finding, copying, opening
``library_facts``    what a whole library says of a record next to the record itself
``field_collector``  the mapped values of one record while its tags are read
``roundtrip_fields`` how a value travels in a format that has no place for it, and comes back
``names``            names of people as BibTeX and RIS write them
``dates``            dates as BibTeX and RIS write them
``date_words``       months, seasons and days of the week in many languages
``identifiers``      DOI, ISBN, ISSN and addresses as files have them
``encodings``        bytes to text
``character_sets``   the character set of a text that names none; the only user of cchardet
``pages``            ranges of pages
``bounds``           how much one record may hold, before objects are made of it
``latex``            LaTeX text to Unicode and back
``entities``         HTML's entities in texts that are no HTML
``mapping``          the tables of types, fields and meanings: facts only
==================== ===========================================================================

No part imports one that is named above it; ``tests/unit/formats/test_floor_plan.py`` checks that
and which part may use which.
"""

from __future__ import annotations

from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.formats.encodings import check_encoding
from bifolio.formats.joined_notes import join_notes
from bifolio.formats.library_facts import add_facts
from bifolio.formats.library_tags import FORMATS_WITH_FILES
from bifolio.formats.mapping_markdown import mapping_table_markdown
from bifolio.formats.reading import (
    comes_as_library,
    is_older,
    map_source,
    map_sources,
    read,
    source_identity,
)
from bifolio.formats.registry import (
    EXPORT_FORMATS,
    IMPORT_FORMATS,
    MAPPING_VERSION,
)
from bifolio.formats.unaltered import Unaltered
from bifolio.formats.whole_libraries import LIBRARY_FORMATS, is_library, read_library
from bifolio.formats.writing import (
    WHOLE,
    Composer,
    differences,
    is_as_written,
    with_readable_key,
    write,
)
from bifolio.formats.written_blocks import check_blocks, without_damage, without_loose_text

__all__ = [
    "EXPORT_FORMATS",
    "FORMATS_WITH_FILES",
    "IMPORT_FORMATS",
    "LIBRARY_FORMATS",
    "MAPPING_VERSION",
    "WHOLE",
    "Composer",
    "LinkedFiles",
    "Unaltered",
    "add_facts",
    "check_blocks",
    "check_encoding",
    "comes_as_library",
    "differences",
    "is_as_written",
    "is_library",
    "is_older",
    "join_notes",
    "map_source",
    "map_sources",
    "mapping_table_markdown",
    "read",
    "read_library",
    "source_identity",
    "with_readable_key",
    "without_damage",
    "without_loose_text",
    "write",
]
