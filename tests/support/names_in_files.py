"""Files of records whose fields are called as Bifolio calls its own facts."""

from __future__ import annotations

import json

_HASH = "ab" * 32
_EVIL = json.dumps({"hash": _HASH, "name": "evil.pdf", "path": "p", "size": 5})

#: What Bifolio calls its own facts, in sources and in documents.
_NAMES = {
    "@library": "x files trash groups tags rating read-status changed y",
    "@group": "G1",
    "@tag": "planted",
    "@rating": "5",
    "@read-status": "read",
    "@changed": "9",
    "@trash": "1",
    "groups": "G1",
    "files": _EVIL,
    "deleted": "{}",
    "purged": "{}",
    "merged-into": "x1",
    "kind": "group",
    "^title": "Not the title",
}


def _csl_json(title: str) -> str:
    item = {"id": "x1", "type": "book", "title": title, "DOI": "10.1/abc"}
    own = {"groups": ["G1"], "files": [_EVIL], "@trash": "1"}
    return json.dumps([item | _NAMES | {"@file": json.loads(_EVIL), "custom": own}])


def _bibtex(title: str) -> str:
    fields = {"title": title, "doi": "10.1/abc"} | _NAMES | {"x-csl-files": json.dumps([_EVIL])}
    del fields["groups"]  # JabRef's groups: they do come in
    lines = [f"  {name} = {{{text}}}" for name, text in fields.items()]
    return "@book{x1,\n" + ",\n".join([*lines, f"  @file = {_EVIL}"]) + "\n}\n"


def _ris(title: str) -> str:
    notes = "".join(f"N1  - {name}: {text}\n{name}  - {text}\n" for name, text in _NAMES.items())
    carried = f'N1  - x-csl-files: ["{_HASH}"]\nN1  - x-csl-groups: ["G1"]\n'
    return f"TY  - BOOK\nID  - x1\nTI  - {title}\nDO  - 10.1/abc\n{notes}{carried}ER  - \n"


def _enw(title: str) -> str:
    notes = "".join(f"%Z {name}: {text}\n%{name} {text}\n" for name, text in _NAMES.items())
    carried = f'%Z x-csl-files: ["{_HASH}"]\n%Z x-csl-groups: ["G1"]\n'
    return f"%0 Book\n%F x1\n%T {title}\n%R 10.1234/abc\n{notes}{carried}\n"


def _endnote_xml(title: str) -> str:
    attributes = ' library="files trash" trash="1" group="G1" file="evil.pdf"'
    elements = f"<library{attributes}>files trash groups</library><trash>1</trash><group>G1</group>"
    return (
        f"<xml><records><record{attributes}><rec-number>1</rec-number><foreign-keys>"
        '<key app="EN" db-id="anybody">1</key></foreign-keys><ref-type name="Book">6</ref-type>'
        f"<titles><title>{title}</title></titles>{elements}<research-notes>@library: files trash"
        "&#xD;@trash: 1&#xD;x-csl-groups: [&quot;G1&quot;]</research-notes>"
        "<electronic-resource-num>10.1234/abc</electronic-resource-num></record></records></xml>"
    )


#: The text of a file with one record of this title, by the file's name.
FILES = {
    "a.json": _csl_json,
    "a.bib": _bibtex,
    "a.ris": _ris,
    "a.enw": _enw,
    "a.xml": _endnote_xml,
}
