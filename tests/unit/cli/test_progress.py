"""Progress bars: what a person at a terminal sees of them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from tests.support.cases import each

from bifolio.results import Stage
from bifolio_cli.progress import ProgressBars, label_of, shorten_label


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns in the place of stderr, from now to the end of the test."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return made


def last_line(watched: Terminal) -> str:
    """The bar as it stood last."""
    lines = [line for line in watched.getvalue().splitlines() if "%" in line]
    return lines[-1]


def test_a_bar_and_its_percentage_stand_beside_the_name_of_a_file_in_deep_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watched = terminal(monkeypatch)
    name = "a library with a name as people give them, of the year 2024.enl"
    file = str(tmp_path / "a folder of many words" / name)
    with ProgressBars() as report:
        assert report is not None
        report(Stage.READING, 1, 2, file)
    line = last_line(watched)
    assert "a library with a" in line
    assert "2024.enl: reading" in line
    assert "━━━━" in line
    assert " 50 %" in line


def test_what_has_nothing_to_do_has_no_bar_and_leaves_the_one_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = terminal(monkeypatch)
    with ProgressBars() as report:
        assert report is not None
        report(Stage.RECEIVING, 0, 0)
        report(Stage.SENDING, 906, 906)
        report(Stage.SENDING, 0, 0)
    assert "100 %" in last_line(watched)
    assert "receiving" not in watched.getvalue()


def test_nobody_watches_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with ProgressBars() as report:
        assert report is None


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("sending", "sending"),
        (str(Path("home") / "doe" / "a.bib"), "a.bib"),
        ("abcdefghijklmnop", "abcd…lmnop"),
    ],
)
def test_a_label_is_cut_in_its_middle(label: str, shown: str) -> None:
    assert shorten_label(label, 10) == shown


@each("stage", Stage)
def test_every_stage_has_a_label(stage: Stage) -> None:
    assert label_of(stage)
    assert "a.bib" in label_of(stage, "a.bib")


@pytest.mark.parametrize("stage", [Stage.SENDING, Stage.RECEIVING])
def test_a_bar_of_a_sync_says_how_much_is_done_how_fast_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    shown = terminal(monkeypatch)
    now_s = 0.0
    bars = ProgressBars()
    with bars as report:
        assert report is not None
        report(stage, 0, 1000)
        assert bars._progress is not None
        bars._progress.get_time = lambda: now_s
        for done in (0, 100, 200):
            report(stage, done, 1000)
            now_s += 10.0
        bars._progress.refresh()
    assert "200/1,000" in shown.getvalue()
    assert "10.0/s" in shown.getvalue()
    assert "0:01:20" in shown.getvalue()
    assert label_of(stage) in shown.getvalue()
