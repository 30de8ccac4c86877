"""pyzotero's command line as its authors publish it, unchanged: it knows Zotero's port alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.serving import on_zotero_s_port

from bifolio import Library
from bifolio.home import Home
from bifolio.serve.permissions import Permissions


@pytest.fixture(scope="module")
def pyzotero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyzotero.cli import main  # here: it takes a second, and every worker reads this file

    folder = tmp_path_factory.mktemp("served")
    home = Home(folder / "home")
    with Library.create(folder / "A.bifolio", home=home) as library:
        one = library.add(
            {
                "type": "article-journal",
                "title": "Folding",
                "author": ["Doe, Jane"],
                "DOI": "10.1000/fold",
                "tags": ["ink"],
            }
        )
        (folder / "a.txt").write_text("words inside")
        library.files.add(one.id, [folder / "a.txt"])
        library.groups.create("Thesis")
    Permissions(home).allow("pyzotero CLI")
    with on_zotero_s_port(folder / "A.bifolio", home):
        environment = {"XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}

        def run(*arguments: str) -> str:
            result = CliRunner().invoke(main, list(arguments), env=environment)
            assert result.exit_code == 0, (arguments, result.output)
            return result.output

        yield run


def test_it_finds_a_library(pyzotero: Any) -> None:
    assert "Connection successful" in pyzotero("test")


def test_it_searches_and_shows(pyzotero: Any) -> None:
    found = json.loads(pyzotero("search", "-q", "folding", "--json"))
    item = (found["items"] if isinstance(found, dict) else found)[0]
    key = item.get("key") or item["data"]["key"]
    assert "10.1000/fold" in pyzotero("item", key, "--json")
    assert "a.txt" in pyzotero("children", key, "--json")
    assert "Folding" in pyzotero("subset", key, "--json")
    assert "Thesis" in pyzotero("listcollections")
    assert "ink" in pyzotero("tags")
    assert "journalArticle" in pyzotero("itemtypes")
    (child,) = json.loads(pyzotero("children", key, "--json"))
    assert "words inside" in pyzotero("fulltext", child.get("key") or child["data"]["key"])
    assert key in pyzotero("alldoi", "10.1000/fold")


def test_its_server_for_assistants_reads_what_is_served(pyzotero: Any) -> None:
    """The server itself, and the protocol's official client, in one process: how it is started is
    tested end to end."""
    from mcp import Client
    from pyzotero import mcp_server

    assert "Connection successful" in pyzotero("test")

    async def ask() -> list[str]:
        async with Client(mcp_server.mcp) as client:

            async def call(name: str, **given: Any) -> str:
                answer = await client.call_tool(name, given)
                return "".join(getattr(one, "text", "") for one in answer.content)

            found = await call("search", query="folding")
            key = json.loads(found)["items"][0]["key"]
            children = await call("get_children", key=key)
            (child,) = [one["key"] for one in json.loads(children) if "key" in one]
            return [
                found,
                children,
                await call("get_item", key=key),
                await call("get_fulltext", key=child),
                await call("list_collections"),
                await call("list_tags"),
            ]

    found, children, item, text, collections, tags = asyncio.run(ask())
    assert "Folding" in found
    assert "a.txt" in children
    assert "10.1000/fold" in item
    assert "words inside" in text
    assert "Thesis" in collections
    assert "ink" in tags
