"""Bytes to text: which character set it is, and what is said where that is a guess."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.formats.files import load_content

from bifolio.errors import FileFormatError
from bifolio.formats import read
from bifolio.formats.encodings import decode


def test_one_damaged_byte_does_not_change_the_character_set() -> None:
    good = "Étude à Zürich, déjà vu, élève, naïve café, œuvre, garçon, fête, île, où".encode()
    text, remark = decode(good + b"\xff.")
    assert text.startswith("Étude à Zürich")
    assert remark is not None


@each(
    ("comment", "encoding"),
    [
        ("% Encoding: ISO8859_2", "iso8859-2"),
        ("%% Saved with string encoding Western (Mac OS Roman)", "mac_roman"),
        ("% -*- coding: koi8-r -*-", "koi8-r"),
        ("% Encoding: no such set", "cp1252"),
        ("% Encoding: UTF-8", "cp1252"),
    ],
)
def test_a_declared_character_set_is_believed_where_the_text_is_no_utf_8(
    comment: str, encoding: str
) -> None:
    title = {"koi8-r": "Книга", "iso8859-2": "Łódź"}.get(encoding, "Müller")
    text = f"{comment}\n@misc{{a, title={{{title}}}}}"
    read, remark = decode(text.encode(encoding))
    assert read == text
    assert (remark is None) == (encoding != "cp1252")
    assert decode(text.encode()) == (text, None)


def test_chinese_text_is_told_from_accented_letters() -> None:
    chinese = "@misc{a, title={基于电无级变速器的内燃机最优控制策略}, author={陈骁 and 黄声华}}"
    assert decode(chinese.encode("gb18030"))[0] == chinese
    western = "@misc{a, title={Größe über Öl, déjà vu à côté, façade}}"
    assert decode(western.encode("cp1252"))[0] == western


@pytest.mark.parametrize("end", [b"}}\n", b"}", b""])
def test_a_letter_of_latin_1_at_the_end_of_a_file_is_that_letter(end: bytes) -> None:
    assert decode(b"@book{k, title={Orl\xe9" + end)[0] == "@book{k, title={Orlé" + end.decode()


def test_a_file_cut_inside_its_last_character_stays_utf_8() -> None:
    assert decode("Zürich, Café".encode()[:-1])[0] == "Zürich, Caf\ufffd"
    assert decode("plain words“".encode()[:-1])[0] == "plain words\ufffd"


def test_files_of_two_character_sets_end_to_end_lose_no_letter(tmp_path: Path) -> None:
    unicode = "@book{k1, title={Éléments d’une théorie générale}}\n".encode()
    windows = "@book{k2, title={Müller}}\n@book{k3, title={Öl}}\n".encode("cp1252")
    loaded = load_content(tmp_path, unicode + windows)
    assert [values["title"] for values in loaded.values()] == [
        "Éléments d’une théorie générale", "Müller", "Öl",
    ]  # fmt: skip
    (skipped,) = loaded.skipped
    assert skipped.line == 2
    assert "not all of lines 2, 3" in skipped.reason


def test_a_byte_that_windows_1252_leaves_open_costs_no_other_character(tmp_path: Path) -> None:
    ris = b"TY  - JOUR\nTI  - \x93Quoted\x94 \x96 \x9d\nER  - \n"
    loaded = load_content(tmp_path, ris, "a.ris")
    assert loaded.values()[0]["title"] == "“Quoted” – \x9d"
    assert [one.line for one in loaded.skipped] == [2]
    assert "character set is not known" in loaded.skipped[0].reason


def test_the_lines_of_a_remark_are_counted_by_any_line_end_and_named_up_to_five() -> None:
    text, remark = decode("é\r\nà\rü\n".encode() + b"\xe9\r\n" * 9)
    assert text.endswith("é\r\n" * 9)
    assert remark is not None  # three against nine: Windows-1252 throughout, where all of them fit
    assert "Windows-1252" in remark.reason
    text, remark = decode("ééééééé\r\nà\rü\n".encode() + b"\xe9\r\n" * 9)
    assert text.startswith("ééééééé\r\nà\rü\né\r\n")
    assert remark is not None
    assert remark.line == 4
    assert "lines 4, 5, 6, 7, 8 and 4 more" in remark.reason


def test_an_xml_declaration_is_believed_where_the_text_is_no_utf_8(tmp_path: Path) -> None:
    title = "Привет мир"
    xml = (
        "<?xml version='1.0' encoding='{}'?>\n<xml><records><record>"
        f"<titles><title>{title}</title></titles></record></records></xml>"
    )
    for encoding in ("windows-1251", "koi8-r", "utf-8"):
        loaded = load_content(tmp_path, xml.format(encoding).encode(encoding), "a.xml")
        assert [values["title"] for values in loaded.values()] == [title]
    false = xml.format("windows-1251").encode()
    assert load_content(tmp_path, false, "a.xml").values()[0]["title"] == title


def test_latin_1_where_it_is_declared_has_the_quotation_marks_of_windows() -> None:
    text = "% Encoding: ISO8859_1\n@book{k, title={“Café”}}"
    assert decode(text.encode("cp1252")) == (text, None)


def test_a_title_with_the_control_characters_of_a_pdf_is_no_binary_file(tmp_path: Path) -> None:
    ris = "TY  - JOUR\nTI  - The e\x03ect of work\x02flow\nER  - \n"
    assert (
        load_content(tmp_path, ris, "a.ris").values()[0]["title"] == "The e\x03ect of work\x02flow"
    )
    torn = tmp_path / "torn.ris"
    torn.write_bytes(ris.encode() + b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="a binary file"):
        list(read(torn))
