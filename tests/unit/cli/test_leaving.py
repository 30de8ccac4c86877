"""``export --with-files`` and ``export --keys``, as a user types them."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.shell import Shell


def test_files_and_groups_go_out_and_the_exit_code_is_0(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7")
    shell.does("add", "title=On paper", "author=Jane Doe", "issued=2015")
    shell.does("file", "add", "doe2015paper", str(tmp_path / "paper.pdf"))
    shell.does("group", "create", "Thesis")
    shell.does("group", "add", "Thesis", "doe2015paper")
    bib = tmp_path / "out.bib"
    done = shell.does("export", "-o", str(bib), "--with-files", str(tmp_path / "files"))
    assert "stay" not in done.err
    assert "file = {:files/doe2015paper/paper.pdf:PDF}" in bib.read_text()
    assert "groups = {Thesis}" in bib.read_text()
    assert (tmp_path / "files" / "doe2015paper" / "paper.pdf").read_bytes() == b"%PDF-1.7"


def test_options_that_do_not_go_together_are_named(shell: Shell, tmp_path: Path) -> None:
    out = str(tmp_path / "out.json")
    told = shell.calls("export", "-o", out, "--with-files", str(tmp_path))
    assert told.code == 2
    assert "has no place for files" in told.err
    told = shell.calls("export", "--watch", str(tmp_path / "a.bib"), "--keys", "m.aux")
    assert told.code == 2
    assert "--watch and --keys do not go together" in told.err


def test_a_cited_key_that_is_not_there_is_named_and_the_exit_code_is_3(
    shell: Shell, tmp_path: Path
) -> None:
    shell.does("add", "title=On paper", "author=Jane Doe", "issued=2015")
    shell.does("add", "title=On ink", "author=Jane Doe", "issued=2016")
    aux, bib = tmp_path / "main.aux", tmp_path / "out.bib"
    aux.write_text("\\citation{doe2015paper}\n")
    shell.does("export", "-o", str(bib), "--keys", str(aux))
    assert "doe2016" not in bib.read_text()
    aux.write_text("\\citation{doe2015paper,nobody}\n")
    told = shell.calls("export", "-o", str(bib), "--keys", str(aux))
    assert told.code == 3
    assert "Cited, and not in the library: nobody" in told.err
