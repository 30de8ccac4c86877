"""The process that reads the text of one PDF: the file on its standard input, pages on its output.

``file_texts`` starts it (``python -m bifolio.attachments.text_worker``), with limits of memory and
time that it sets itself before it reads a byte; it may write no file. Each line of its output is a
JSON document: first the number of pages, then the text of each. What a file does to it, it does to
this process alone.
"""

from __future__ import annotations

import json
import struct
import sys
import warnings
import zlib
from contextlib import suppress
from typing import Any, BinaryIO, TextIO

from bifolio import limits
from bifolio.errors import DATA_FAULTS

#: What else a damaged page makes of pypdf and of what unpacks its streams.
_PAGE_FAULTS = (AssertionError, EOFError, NotImplementedError, struct.error, zlib.error)


def set_limits() -> None:
    """Bound what this process may take, where the system can (Linux, macOS)."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time is the bound there
        return
    for kind, most in (
        ("RLIMIT_AS", limits.TEXT_MEMORY_BYTES_MAX),
        ("RLIMIT_CPU", limits.TEXT_CPU_S),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
    ):
        with suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, kind), (most, most))


def write_pages(file: BinaryIO, out: TextIO) -> None:
    """Write the number of pages of a PDF, and the text of each; a page that cannot be read has
    none."""
    from pypdf import PdfReader

    reader = PdfReader(file, strict=False)
    if reader.is_encrypted:
        reader.decrypt("")  # most locked files may be read by anybody, and only not be changed
    count = len(reader.pages)
    _write(out, count)
    for number in range(min(count, limits.TEXT_PAGES_MAX)):
        _write(out, _page_text(reader, number))


def _page_text(reader: Any, number: int) -> str:
    from pypdf.errors import PyPdfError

    try:
        return str(reader.pages[number].extract_text())
    except (PyPdfError, *DATA_FAULTS, *_PAGE_FAULTS):
        return ""  # others may be whole


def _write(out: TextIO, value: object) -> None:
    out.write(json.dumps(value) + "\n")
    out.flush()


def main() -> None:
    """Read the file of the standard input."""
    import logging

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    set_limits()
    write_pages(sys.stdin.buffer, sys.stdout)  # whatever ends it, the parent sees how far it came


if __name__ == "__main__":
    main()
