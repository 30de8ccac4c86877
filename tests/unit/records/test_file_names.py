"""A file's name is made safe for every system before it is written to a disk."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio.limits import FILE_NAME_BYTES_MAX
from bifolio.records.file_names import safe_file_name, suffix_of


@each(
    ("name", "safe"),
    [
        ("paper.pdf", "paper.pdf"),
        ("Über Tinte (2).pdf", "Über Tinte (2).pdf"),
        ("CON", "_CON"),
        ("con.pdf", "_con.pdf"),
        ("nul .txt", "_nul .txt"),
        ("COM1.tar.gz", "_COM1.tar.gz"),
        ("lpt\u00b2.pdf", "_lpt\u00b2.pdf"),
        ("CONIN$", "_CONIN$"),
        ("console.pdf", "console.pdf"),
        ("a.pdf:evil.exe", "a.pdf_evil.exe"),
        ("a.exe. . ", "a.exe"),
        ("..\\..\\evil", "_.._.._evil"),
        (".bashrc", "_.bashrc"),
        ("-rf", "_-rf"),
        ("inv\u202efdp.exe", "invfdp.exe"),
        ("a\u200b.p\x00df\n", "a.pdf"),
        ("...", "_"),
        ("\u202e", "_"),
        ('a<b>|"?*.pdf', "a_b_____.pdf"),
    ],
)
def test_a_reserved_name_a_stream_and_what_is_not_seen_are_made_safe(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


def test_a_name_that_is_too_long_keeps_its_suffix() -> None:
    made = safe_file_name("é" * 400 + ".pdf")
    assert len(made.encode()) <= FILE_NAME_BYTES_MAX
    assert made.endswith("é.pdf")


@given(st.text(st.characters(), max_size=300))
def test_every_name_is_safe_and_stays_as_it_is_made(name: str) -> None:
    made = safe_file_name(name)
    assert 0 < len(made.encode()) <= FILE_NAME_BYTES_MAX
    assert made[0] not in ".-"
    assert made[-1] not in ". "
    assert not set(made) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in made)
    assert safe_file_name(made) == made


@each(
    ("name", "suffix"),
    [("a.PDF", "pdf"), ("a.pdf.exe. ", "exe"), ("a", ""), (".pdf", "pdf"), ("a.pdf:b.exe", "exe")],
)
def test_the_suffix_is_the_one_by_which_a_system_opens(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix
