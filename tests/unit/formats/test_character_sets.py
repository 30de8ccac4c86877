"""The character set of a file that names none: detected and said, or named by the user."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each

from bifolio.errors import FileFormatError, UsageError
from bifolio.formats import check_encoding, read
from bifolio.formats.character_sets import guess
from bifolio.formats.encodings import decode
from bifolio.records.reference import ImportedReference, SkippedRecord

#: A name, a title and a journal.
TEXTS = {
    "ru": ("Иванов, Иван", "Складывание бумаги в Теории", "Журнал физики"),
    "el": ("Παπαδόπουλος, Γιώργος", "Η τέχνη του χαρτιού στην Ελλάδα", "Ιστορία"),
    "pl": ("Wiśniewski, Rafał", "Zażółć gęślą jaźń w teorii papieru", "Źródła prawa"),
    "cs": ("Novotný, Jiří", "Příliš žluťoučký kůň úpěl", "Úvod do dějin"),
    "fr": ("Lefèvre, François", "L'étude des systèmes à l'ère numérique", "Théorie générale"),
    "de": ("Müller, Jürgen", "Über die Größe der Öffnung", "Einführung für Schüler"),
    "ko": ("김철수", "한국어 처리에 관한 연구", "한국정보과학회 논문지"),
    "ja": ("山田太郎", "日本語の文章構造に関する研究", "情報処理学会論文誌"),
    "zh": ("王小明", "摺紙的數學理論與應用", "中國語言學報"),
    "hans": ("陈美丽", "图书馆的历史与发展研究", "情报学报"),
    "uk": ("Шевченко, Тарас", "Історія українського книгодрукування", "Київський журнал"),
    "hu": ("Kovács, Győző", "A könyvnyomtatás története", "Könyvtári Figyelő"),
    "tr": ("Şahin, Gökçe", "Türkiye'de kütüphanecilik", "Türk Kütüphaneciliği"),
    "he": ("כהן, יוסף", "תולדות הדפוס העברי", "כתב עת לספרות"),
    "ar": ("محمد, أحمد", "تاريخ الطباعة في العالم العربي", "مجلة العلوم"),
    "lt": ("Žukauskas, Šarūnas", "Lietuvių kalbos žodynas ir jo rengėjai", "Žemė"),
    "lv": ("Bērziņš, Jānis", "Latviešu valodas vēsture", "Vēstis"),
}


@each(
    ("language", "encoding", "said"),
    [
        ("pl", "cp1250", "Windows-1250"),
        ("cs", "cp1250", "Windows-1250"),
        ("ru", "cp1251", "Windows-1251"),
        ("fr", "cp1252", "Windows-1252"),
        ("de", "cp1252", "Windows-1252"),
        ("el", "cp1253", "Greek"),
        ("ru", "koi8_r", "KOI8"),
        ("fr", "mac_roman", "Mac Roman"),
        ("de", "mac_roman", "Mac Roman"),
        ("ko", "euc_kr", "Korean"),
        ("ja", "euc_jp", "EUC-JP"),
        ("ja", "shift_jis", "Shift JIS"),
        ("zh", "big5", "Big5"),
        ("hans", "gb18030", "GB 18030"),
        ("uk", "koi8_u", "KOI8-U"),
        ("uk", "cp1251", "Windows-1251"),
        ("hu", "iso8859_2", "ISO 8859-2"),
        ("pl", "iso8859_2", "ISO 8859-2"),
        ("ru", "iso8859_5", "ISO 8859-5"),
        ("ru", "mac_cyrillic", "Mac Cyrillic"),
        ("tr", "cp1254", "Windows-1254"),
        ("he", "cp1255", "Windows-1255"),
        ("ar", "cp1256", "Windows-1256"),
        ("lt", "cp1257", "Windows-1257"),
        ("lv", "cp1257", "Windows-1257"),
    ],
)
@each(
    "record",
    [
        "@article{{k,\n author = {{{}}},\n title = {{{}}},\n journal = {{{}}},\n year = 2010\n}}\n",
        "TY  - JOUR\nAU  - {}\nTI  - {}\nJO  - {}\nPY  - 2010\nER  - \n",
    ],
)
def test_a_character_set_that_nothing_names_is_found_and_said(
    record: str, language: str, encoding: str, said: str
) -> None:
    text = record.format(*TEXTS[language])
    read_text, remark = decode(text.encode(encoding))
    assert read_text == text
    assert remark is not None
    assert said in remark.reason


def test_japanese_of_seven_bits_is_read() -> None:
    text = "@book{k, title={日本語の文章}}"
    assert decode(text.encode("iso2022_jp")) == (text, None)


def test_a_guess_is_a_remark_and_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.bib"
    path.write_bytes("@book{k, title={Складывание бумаги}, author={Иванов, Иван}}".encode("cp1251"))
    found = list(read(path))
    (remark,) = [one for one in found if isinstance(one, SkippedRecord)]
    assert remark.is_remark
    assert "does not say its character set" in remark.reason


def test_the_user_s_word_is_taken_for_the_character_set(tmp_path: Path) -> None:
    path = tmp_path / "a.bib"
    path.write_bytes("@book{k, title={Świat}}".encode("cp1250"))
    (reference,) = list(read(path, encoding="windows-1250"))
    assert isinstance(reference, ImportedReference)
    assert reference.values["title"] == "Świat"


def test_a_character_set_that_does_not_fit_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.bib"
    path.write_bytes(b"@book{k,\n title={\xff\xff}}")
    with pytest.raises(FileFormatError, match="line 2"):
        list(read(path, encoding="utf-8"))


@each("name", ["latin", "zip", "no such set", "rot13", "hex"])
def test_a_name_of_no_character_set_is_refused(name: str) -> None:
    if name == "latin":
        assert check_encoding(name) == "iso8859-1"
        return
    with pytest.raises(UsageError, match="no character set"):
        check_encoding(name)


@each(
    "text",
    [
        "He said “quoted” text",
        "don’t won’t",
        "range 1–9 and text—like this",
        "5 € and “x”…",
        "10 µm at 20 °C",
        "Doe, J. «title»",
        "‹x›",
    ],
)
def test_a_western_text_whose_only_high_bytes_are_signs_is_one(text: str) -> None:
    assert guess(f"TY  - JOUR\nTI  - {text}\nER  - \n".encode("cp1252")) == "cp1252"


@each(
    ("text", "name"),
    [
        ("Müller, Jörg. Über das Falten großer Bögen", "cp850"),
        ("Müller, Jörg. Über das Falten großer Bögen", "mac-roman"),
        ("Müller, Jörg. Über die Faltung", "mac-roman"),
        ("Pérez, J. Una visión", "mac-roman"),
        ("López, M. El niño", "mac-roman"),
        ("García, L. La señora", "mac-roman"),
        ("Étude de la forêt: l'élève français à Noël", "cp850"),
        ("La investigación española: niños, año, corazón", "cp850"),
        ("Łukasz Żółć: Składanie papieru i dzieje książki", "cp852"),
        ("Árvíztűrő tükörfúrógép, a könyv története", "cp852"),
        ("Складывание бумаги и история книги в России", "cp866"),
    ],
)
def test_sets_of_dos_and_macs_are_told_by_where_their_letters_are(text: str, name: str) -> None:
    raw = f"TY  - JOUR\nTI  - {text}\nAU  - Smith, J.\nER  - \n".encode(name)
    assert text in raw.decode(guess(raw))


@each(
    "text",
    [
        "Doe, J. Folding – a history",
        "Doe, J. Dogs, 1833–1988",
        "Nelson’s letters",
        "A “new” method",
        "König, Werner",
        "Möhlig, W. Der Wörterbuchgebrauch",
        "Muñoz, C.",
        "Nuñez, R.",
        "Ramírez, C.",
        "Über Papier",
        "Österreich",
        "La situación actual",
        "Boy{é}, Gilles",
    ],
)
def test_one_letter_of_mac_roman_in_a_word_tells_it(text: str) -> None:
    assert guess(f"@misc{{a, note={{{text}}}}}\n".encode("mac-roman")) == "mac-roman"


@each(
    "text",
    [
        "The presence of absence in {Saussure}’s theory",
        "{{Colombia}}’s language policy",
        "Un’analisi dell’arte – e d’altro",
        "Dušan Vršac and Ivan Šimek",
        "Les différents apports de la recherche berbère",
        "Questões para a teoria gramatical",
        "Indriðason, Þorsteinn",
        "Góður maðurinn. En studie över den",
        "Inscriptiones rhodiæ ineditæ",
        "Joshi, Tîkâ Râm",
        "Either–or and 1–9",
    ],
)
def test_a_western_text_is_no_other_set_s(text: str) -> None:
    assert guess(f"@misc{{a, note={{{text}}}}}\n".encode("cp1252")) == "cp1252"


@each(
    ("text", "encoding", "read"),
    [
        ("Wang, W. 折纸的历史", "gb18030", "gb18030"),
        ("王伟. 折纸的历史", "gb18030", "gb18030"),
        ("Kim, C. 종이접기", "euc_kr", "cp949"),
        ("Yamada, T. 折紙の歴史", "euc_jp", "euc_jis_2004"),
        ("Papadopoulos. Χαρτί", "cp1253", "iso8859-7"),
        ("Petraitis, J. Apie žemę", "cp1257", "cp1257"),
    ],
)
def test_a_few_characters_of_other_scripts_are_enough(text: str, encoding: str, read: str) -> None:
    assert guess(f"TY  - JOUR\nTI  - {text}\nER  - \n".encode(encoding)) == read
