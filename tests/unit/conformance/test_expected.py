"""What other projects expect, read from their own files."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.agreement import compare
from conformance.expected import better_bibtex, pandoc_yaml
from conformance.families.bibtex_differences import DIFFERENCES
from conformance.family import Case, Expected
from conformance.loading import load

from bifolio.records.names import Name

PANDOC = r"""```
% pandoc -f biblatex -t markdown -s
@article{a, title = {On \emph{Ink}}, author = {Roe, Jane}, date = {1999}}
^D
---
nocite: "[@*]"
references:
- author:
  - family: Roe
    given: Jane
  id: a
  issued: 1999
  title: "On *ink* [and]{.nocase} 5\\*"
  type: article-journal
---


```
"""


def test_pandocs_markdown_is_read_as_rich_text(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(PANDOC, encoding="utf-8")
    (case,) = pandoc_yaml.cases(tmp_path)
    assert case.content.startswith(b"@article{a,")
    assert case.expected == (
        {
            "author": (Name(family="Roe", given="Jane"),),
            "citation-key": "a",
            "issued": {"date-parts": [[1999]]},
            "title": "On <i>ink</i> and 5*",
            "type": "article-journal",
        },
    )


def test_better_bibtexs_extra_lines_are_fields(tmp_path: Path) -> None:
    item = {
        "itemType": "book",
        "title": "Ink",
        "key": "ABCD1234",
        "extra": ["Citation Key: roe", "tex.owner: me", "Publisher: Sheet"],
    }
    for folder, name, text in [
        ("json", "case.json", json.dumps({"items": [item, {"itemType": "note"}]})),
        ("bib", "case.bib", "@book{roe, title={Ink}}"),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text, encoding="utf-8")
    (case,) = better_bibtex.cases(tmp_path / "json", tmp_path / "bib")
    assert case.expected == (
        {
            "type": "book",
            "title": "Ink",
            "publisher": "Sheet",
            "citation-key": "roe",
            "x.bibtex.owner": "me",
        },
    )


def test_records_are_matched_by_key_and_differences_have_names(tmp_path: Path) -> None:
    path = tmp_path / "case.bib"
    path.write_text("@book{a, title={An Ink}, pages={1--2}}\n@book{b, title={Other}}")
    expected: tuple[Expected, ...] = (
        {"citation-key": "b", "title": "Something else"},
        {"citation-key": "a", "title": "An ink", "page": "1–2"},
    )
    case = Case("bbt/case", path.read_bytes(), expected, path.name)
    agreement = compare(case, load(path).references, DIFFERENCES)
    assert agreement.agreeing == 2
    assert agreement.named == {"letter-case": 1, "dashes": 1}
    assert agreement.unexplained == ["bbt/case[0] title: expected 'Something else', ours 'Other'"]
