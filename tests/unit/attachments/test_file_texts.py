"""What attached files say: read once, found by searches, and harmless whatever they hold."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.cases import each
from tests.support.pdfs import bomb, pdf

from bifolio import Library, limits
from bifolio.attachments import file_texts, text_worker
from bifolio.attachments.file_texts import read_text
from bifolio.errors import QueryError
from bifolio.home import Home
from bifolio.storage.texts import FILE


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as opened:
        yield opened


def attach(library: Library, title: str, name: str, content: bytes) -> str:
    """A reference with one file; its id."""
    made = library.add({"type": "book", "title": title})
    path = library.path.parent / name
    path.write_bytes(content)
    library.files.add(made.id, [path])
    return made.id


def titles(library: Library, query: str) -> list[str]:
    return [str(one.fields["title"]) for one in library.search(query, sort="title")]


def test_a_pdf_says_what_its_pages_say(library: Library) -> None:
    ref = attach(library, "Folding", "fold.pdf", pdf(["Paper is folded", "and cut (once)"]))
    found = library.files.text(ref, "fold.pdf")
    assert found is not None
    assert found.text == "Paper is folded\n\nand cut (once)"
    assert (found.pages, found.pages_read) == (2, 2)


def test_pages_in_html_and_plain_texts_say_what_a_reader_sees(library: Library) -> None:
    page = b"<html><head><script>var hidden</script></head><body><p>Ink &amp; paper</p></body>"
    ref = attach(library, "Ink", "ink.html", page)
    found = library.files.text(ref, "ink.html")
    assert found is not None
    assert found.text == "Ink & paper"
    ref = attach(library, "Marks", "marks.txt", "\ufeffNur Müller\x00".encode())
    plain = library.files.text(ref, "marks.txt")
    assert plain is not None
    assert plain.text == "Nur Müller"


def test_searches_find_what_files_say(library: Library) -> None:
    attach(library, "Folding", "fold.pdf", pdf(["The Origami of Müller"]))
    attach(library, "Ink", "ink.txt", b"Origami is made without ink")
    attach(library, "Origami", "none.txt", b"nothing of it")
    assert titles(library, "fulltext:origami") == []  # nothing is read yet
    assert library.files.read_texts() == 0
    assert titles(library, "fulltext:origami") == ["Folding", "Ink"]
    assert titles(library, "fulltext:muller") == ["Folding"]
    assert titles(library, 'fulltext:"without ink"') == ["Ink"]
    assert titles(library, "fulltext:orig*") == ["Folding", "Ink"]
    assert titles(library, "fulltext:origami -fulltext:ink") == ["Folding"]
    assert titles(library, "fulltext:origami OR title:origami") == ["Folding", "Ink", "Origami"]
    assert library.count("fulltext:origami") == 2
    with pytest.raises(QueryError):
        library.count("fulltext:---")


def test_a_smart_group_may_ask_for_what_files_say(library: Library) -> None:
    attach(library, "Folding", "fold.txt", b"origami")
    library.files.read_texts()
    group = library.groups.create("Folded", query="fulltext:origami")
    assert group.count == 1
    assert titles(library, "group:Folded") == ["Folding"]


def test_what_lies_in_the_trash_is_not_found(library: Library) -> None:
    ref = attach(library, "Folding", "fold.txt", b"origami")
    library.files.read_texts()
    library.delete([ref])
    assert titles(library, "fulltext:origami") == []


def test_a_text_goes_with_its_content(library: Library) -> None:
    ref = attach(library, "Folding", "fold.txt", b"origami of somebody")
    hash = library.files.find(ref, "fold.txt").hash
    library.files.read_texts()
    library.files.remove(ref, "fold.txt")
    library.files.clean()
    assert file_texts.known_text(library._replica, hash) is None


def test_a_content_is_read_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = attach(library, "Folding", "fold.pdf", pdf(["Paper"]))
    library.files.text(ref, "fold.pdf")
    monkeypatch.setattr(file_texts, "_read_pdf", lambda _: pytest.fail("read again"))
    again = library.files.text(ref, "fold.pdf")
    assert again is not None
    assert again.text == "Paper"


def test_a_damaged_or_foreign_file_of_texts_is_made_again(library: Library) -> None:
    ref = attach(library, "Folding", "fold.txt", b"origami")
    library.files.read_texts()
    for damaged in (b"no database at all" * 100, b""):
        (library.path / FILE).write_bytes(damaged)
        assert titles(library, "fulltext:origami") == []
        assert library.files.read_texts() == 0
        assert titles(library, "fulltext:origami") == ["Folding"]
    found = library.files.text(ref, "fold.txt")
    assert found is not None
    assert found.text == "origami"


HARMFUL = {
    "empty": b"",
    "no PDF": b"%PDF-1.4 not much of one",
    "zeros": b"\x00" * 1000,
    "cut": pdf(["Paper"])[:200],
    "more pages than there are": pdf(["Paper"]).replace(b"/Count 1", b"/Count 99999999"),
    "its own child": pdf(["Paper"]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"),
    "its own content": pdf(["Paper"]).replace(b"/Contents 5 0 R", b"/Contents 4 0 R"),
}


def test_what_is_no_pdf_has_no_text(library: Library) -> None:
    ref = attach(library, "Folding", "fold.pdf", HARMFUL["no PDF"])
    found = library.files.text(ref, "fold.pdf")
    assert found is not None
    assert (found.text, found.pages) == ("", 0)
    assert titles(library, "fulltext:much") == []


@each("name", HARMFUL)
def test_whatever_a_pdf_holds_its_reader_ends(name: str) -> None:
    out = io.StringIO()
    with suppress(Exception):  # the process ends with it, and its parent takes what it wrote
        text_worker.write_pages(io.BytesIO(HARMFUL[name]), out)
    assert len(out.getvalue()) < 1000


@pytest.mark.heavy
@pytest.mark.parametrize("name", [*HARMFUL, "bomb"])
def test_whatever_a_pdf_holds_it_ends_in_a_text(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TEXT_WALL_S", 8.0)
    path = tmp_path / "a.pdf"
    path.write_bytes(HARMFUL[name] if name in HARMFUL else bomb(30_000_000))
    begun = time.monotonic()
    found = read_text(path, "a.pdf")
    assert time.monotonic() - begun < 30
    assert len(found.text) <= limits.TEXT_CHARACTERS_MAX


def test_what_was_read_before_the_time_was_up_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"")
    monkeypatch.setattr(limits, "TEXT_WALL_S", 0.4)
    says = "import time; print(3, flush=True); print('\"one\"', flush=True); time.sleep(60)"
    begun = time.monotonic()
    found = file_texts._read_pdf(path, command=[sys.executable, "-c", says])
    assert time.monotonic() - begun < 10
    assert (found.text, found.pages, found.pages_read) == ("one", 3, 1)


@pytest.mark.parametrize(
    "says", ["x" * 100, "3\n[1]\n", "-1\n", "1\n" + '"a"' * 10, '1e5\n"a"\n', "2\n" + "[" * 10**5]
)
def test_a_reader_gone_mad_says_nothing(tmp_path: Path, says: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"")
    command = [sys.executable, "-c", f"import sys; sys.stdout.write({says!r})"]
    assert file_texts._read_pdf(path, command=command).text == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_reader_s_process_may_not_take_much_memory_nor_write(
    tmp_path: Path,
) -> None:
    says = (
        "from bifolio.attachments.text_worker import set_limits; set_limits()\n"
        "import sys\n"
        "try: bytearray(2 << 30); print('took it')\n"
        "except MemoryError: print('no memory')\n"
    )
    done = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "no memory"
    says = (
        "from bifolio.attachments.text_worker import set_limits; set_limits()\n"
        "import os\n"
        "try: print(os.write(os.open('x', os.O_CREAT | os.O_WRONLY), b'y'))\n"
        "except OSError: print('no room')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", says], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.stdout.strip() == "no room"
