"""Programs of others as their authors publish them, on a library that is served: an MCP server with
an environment of its own, and pandoc."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tests.support.pdfs import pdf
from tests.support.serving import Serving, on_zotero_s_port
from tests.support.tex_programs import program

from bifolio import Library
from bifolio.home import Home

ROOT = Path(__file__).parents[2]

#: The client leaves the pipes of the process that it ended to the garbage collector.
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(900),  # what is judged by is installed first
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def judge() -> Path:
    """zotero-mcp-server of a fixed version, installed for itself: its licence is not ours."""
    environment = ROOT / "tests" / "judges" / ".venv"
    program = environment / "bin" / "zotero-mcp"
    with FileLock(Path(tempfile.gettempdir()) / "bifolio-judges.lock").acquire(timeout=600):
        if not program.is_file():
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
            lock = ROOT / "tests" / "judges" / "requirements.lock"
            install = [str(environment / "bin" / "pip"), "install", "-q", "--require-hashes", "-r"]
            subprocess.run([*install, str(lock)], check=True, timeout=600)
    return program


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    home = Home(folder / "home")
    with Library.create(folder / "A.bifolio", home=home) as library:
        one = library.add(
            {
                "type": "article-journal",
                "title": "Folding at Scale",
                "author": ["Doe, Jane"],
                "container-title": "Journal of Paper",
                "issued": "2014",
                "abstract": "How sheets are folded.",
                "tags": ["ink", "paper"],
                "note": "A note of the reader",
                "citation-key": "doe2014",
            }
        )
        (folder / "fold.pdf").write_bytes(pdf(["Origami in the text of a page"]))
        library.files.add(one.id, [folder / "fold.pdf"])
        library.groups.create("Thesis")
        library.groups.add("Thesis", [one.id])
        library.add({"type": "book", "title": "Ink", "author": ["Roe, R."], "citation-key": "roe"})
    with on_zotero_s_port(folder / "A.bifolio", home) as running:
        yield running


def call_tools(program: Path, home: Path, calls: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """What came of each call of a server's tools, by the protocol's own client."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def main() -> list[str]:
        environment = {"ZOTERO_LOCAL": "true", "HOME": str(home), "PATH": os.environ["PATH"]}
        parameters = StdioServerParameters(command=str(program), args=["serve"], env=environment)
        async with (
            stdio_client(parameters) as (reading, writing),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            answers = []
            for name, given in calls:
                answer = await session.call_tool(name, given)
                texts = [getattr(one, "text", "") for one in answer.content]
                answers.append("\n".join(texts))
            return answers

    return asyncio.run(main())


def test_every_reading_tool_of_zotero_mcp_server_finds_what_is_there(
    judge: Path, served: Serving, tmp_path: Path
) -> None:
    (item,) = served.get("items/top?q=folding").json
    key = item["key"]
    (group,) = served.get("collections").json
    (attached,) = served.get(f"items/{key}/children?itemType=attachment").json
    title = [{"field": "title", "operation": "contains", "value": "Folding"}]
    wanted: list[tuple[str, dict[str, Any], str]] = [
        ("zotero_search_items", {"query": "folding"}, "Folding at Scale"),
        ("zotero_search_items", {"query": "origami", "qmode": "everything"}, "Folding at Scale"),
        ("zotero_get_item_metadata", {"item_key": key}, "How sheets are folded."),
        ("zotero_get_item_metadata", {"item_key": key, "format": "bibtex"}, "@article{"),
        ("zotero_get_item_fulltext", {"item_key": key}, "Origami in the text of a page"),
        ("zotero_get_item_children", {"item_key": key}, "fold.pdf"),
        (
            "zotero_get_item_fulltext",
            {"item_key": attached["key"]},
            "Origami in the text of a page",
        ),
        ("zotero_read_pdf_pages", {"item_key": key, "start_page": 1}, "Origami"),
        ("zotero_get_collections", {}, "Thesis"),
        ("zotero_search_collections", {"query": "thesis"}, group["key"]),
        ("zotero_get_collection_items", {"collection_key": group["key"]}, "Folding at Scale"),
        ("zotero_get_tags", {}, "paper"),
        ("zotero_search_by_tag", {"tag": ["ink"]}, "Folding at Scale"),
        ("zotero_search_by_citation_key", {"citekey": "doe2014"}, "Folding at Scale"),
        ("zotero_advanced_search", {"conditions": title}, "Folding at Scale"),
        ("zotero_get_recent", {"limit": 5}, "Ink"),
        ("zotero_get_notes", {"item_key": key}, "A note of the reader"),
        ("zotero_get_annotations", {"item_key": key}, ""),
        ("zotero_export_bibliography", {"item_keys": [key]}, "Folding at Scale"),
        ("zotero_write_capabilities", {}, ""),
    ]
    # Two more of its tools (the path of a file, the list of libraries) read Zotero's own database.
    # What files say is found once it was read.
    answers = call_tools(
        judge, tmp_path, [("zotero_get_item_fulltext", {"item_key": key})]
    ) + call_tools(judge, tmp_path, [(name, given) for name, given, _ in wanted])
    wrong = {
        f"{name} {given}": answer[:300]
        for (name, given, text), answer in zip(wanted, answers[1:], strict=True)
        if text not in answer or answer.startswith("Error")
    }
    assert not wrong, json.dumps(wrong, indent=2)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/better-bibtex/export/library?/1/library.csljson", "refs.json"),
        ("/better-bibtex/export/library?/1/library.bibtex", "refs.bib"),
        ("/better-bibtex/export/item?citationKeys=doe2014&translator=biblatex", "refs.bib"),
    ],
)
def test_pandoc_cites_what_it_pulls(served: Serving, tmp_path: Path, path: str, name: str) -> None:
    address = f"http://127.0.0.1:{served.port}{path}"
    with urllib.request.urlopen(address, timeout=20) as answer:
        (tmp_path / name).write_bytes(answer.read())
    if name.endswith("json"):
        assert json.loads((tmp_path / name).read_text())
    done = subprocess.run(
        [
            program("pandoc", tmp_path / "pandoc"),
            "--citeproc",
            "--bibliography",
            name,
            "-f",
            "markdown",
            "-t",
            "plain",
        ],
        input="Sheets are folded [@doe2014].",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    assert "(Doe 2014)" in done.stdout
    assert "Journal of Paper" in done.stdout
    assert done.stderr == ""
