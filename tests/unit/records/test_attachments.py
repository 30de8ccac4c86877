"""An attachment is one element's text, and a text that could lead out of a folder is none."""

from __future__ import annotations

import json

from tests.support.cases import each

from bifolio.records.attachments import Attachment, is_file_name

HASH = "ab" * 32


def element(**changes: object) -> str:
    return json.dumps({"hash": HASH, "name": "paper.pdf", "size": 3} | changes)


def test_an_element_is_canonical_json_with_the_name_composed() -> None:
    text = Attachment("Cafe\u0301.pdf", HASH, 12).to_element()
    assert text == f'{{"hash":"{HASH}","name":"Caf\u00e9.pdf","size":12}}'
    assert Attachment.from_element(text) == Attachment("Caf\u00e9.pdf", HASH, 12)


def test_what_a_newer_version_adds_is_passed_over() -> None:
    assert Attachment.from_element(element(page=4)) == Attachment("paper.pdf", HASH, 3)


@each(
    "text",
    [
        "",
        "paper.pdf",
        "[1]",
        element(hash="AB" * 32),
        element(hash="ab"),
        element(hash=f"{'ab' * 31}/."),
        element(size=-1),
        element(size=True),
        element(size=1.5),
        element(size=2**60),
        element(name=""),
        element(name="../../.ssh/authorized_keys"),
        element(name="a\\b"),
        element(name=".."),
        element(name="a\x1b[2Jb"),
        element(name=None),
    ],
)
def test_what_is_no_safe_attachment_is_none(text: str) -> None:
    assert Attachment.from_element(text) is None


def test_a_name_is_one_part_of_at_most_255_bytes() -> None:
    assert is_file_name("ü" * 127)
    assert not is_file_name("ü" * 128)
    assert not is_file_name(" ")
    assert not is_file_name("half \ud800")
