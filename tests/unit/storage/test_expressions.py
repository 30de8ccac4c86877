"""Expressions of the full-text index, tried on one."""

from __future__ import annotations

import sqlite3

import pytest

from bifolio.storage.expressions import either, every, phrase, without

TEXTS = {1: ("sea ice", "north"), 2: ("ice", "sea"), 3: ("NOT OR AND", "plain"), 4: ("seal", "x")}


@pytest.fixture
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(title, note)")
    for number, texts in TEXTS.items():
        connection.execute(
            "INSERT INTO texts (rowid, title, note) VALUES (?, ?, ?)", (number, *texts)
        )
    return connection


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        (phrase(("sea",)), [1, 2]),
        (phrase(("sea", "ice")), [1]),
        (phrase(("se",), prefix=True), [1, 2, 4]),
        (phrase(("sea",), columns=("note",)), [2]),
        (phrase(("se",), prefix=True, columns=("title",)), [1, 4]),
        (phrase(("not", "or")), [3]),
        (either([phrase(("north",)), phrase(("x",))]), [1, 4]),
        (either([]), []),
        (every([phrase(("sea",)), phrase(("ice",))]), [1, 2]),
        (without(phrase(("ice",)), phrase(("north",))), [2]),
        (without(either([phrase(("ice",)), phrase(("x",))]), every([phrase(("north",))])), [2, 4]),
    ],
)
def test_an_expression_finds_what_it_says(
    index: sqlite3.Connection, expression: str, numbers: list[int]
) -> None:
    rows = index.execute(
        "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid", (expression,)
    )
    assert [number for (number,) in rows] == numbers
