"""Case H1: the relay, its files, its log and the wire hold no word of the library."""

from __future__ import annotations

import random

from tests.support.arrangements import make_library
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.recording_proxy import RecordingProxy
from tests.support.relay_process import RelayProcess

SEED = 20
PLANTED = 108
_SYLLABLES = "zor vek lum prax dith quol wrem jask fyp thog".split()


def planted_words() -> list[str]:
    """A hundred words and eight that occur nowhere by chance."""
    words = random.Random(SEED)
    made = ["".join(words.choices(_SYLLABLES, k=6)) for _ in range(PLANTED)]
    assert len(set(made)) == PLANTED
    return made


def entries(words: list[str]) -> str:
    """References with one word each in title, author, abstract and note."""
    fours = [words[at : at + 4] for at in range(0, len(words), 4)]
    return "\n".join(
        f"@book{{ref{number},\n  title = {{The {title} Book}},\n"
        f"  author = {{{author.title()}, Jane}},\n  abstract = {{On {abstract}.}},\n"
        f"  note = {{Seen: {note}.}},\n}}\n"
        for number, (title, author, abstract, note) in enumerate(fours)
    )


def found(words: list[str], within: bytes) -> list[str]:
    """The words that bytes contain, in UTF-8 or UTF-16, in any case."""
    lowered = within.lower()
    return [w for w in words if w.encode() in lowered or w.encode("utf-16-le") in lowered]


def test_no_planted_word_is_in_the_relays_files_or_log_or_in_the_traffic(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """H1: titles, authors, notes, groups, files, the library's name, a conflict; both ways."""
    words = planted_words()
    make_library(desk, entries(words[:92]))
    typed = words[92:]
    with RecordingProxy(own_relay.port) as proxy:
        attached = desk.run("attach", proxy.url)
        laptop.run("attach", attached["ticket"], laptop.library)
        edits = (f"title={typed[0]} at the desk", f"x.mine={typed[1]}", f"tags={typed[2]}")
        desk.run("edit", "ref0", *edits)
        laptop.run("edit", "ref0", f"title={typed[3]} on the train", f"note+={typed[4]}")
        laptop.run("add", f"title={typed[5]}", f"author={{{typed[6]}}}", f"key={typed[7]}")
        laptop.run("group", "create", typed[8], "--query", typed[9])
        desk.run("group", "create", typed[10])
        desk.run("group", "add", typed[10], "ref0")
        desk.run("tag", "rename", typed[2], typed[11])
        for computer, name, inside in (
            (desk, typed[12], typed[13]),
            (laptop, typed[14], typed[15]),
        ):
            file = computer.home / f"{name}.txt"
            file.write_text(f"Nobody else reads of {inside}. " * 20_000, "utf-8")
            computer.run("file", "add", "ref1", file)
        view = assert_converges(desk, laptop)
        groups = desk.run("group", "list")
        assert groups == laptop.run("group", "list")
        files = laptop.run("file", "list", "ref1")
        assert {one["state"] for one in files} == {"here"}
        assert proxy.connection_count() >= 6
        stored_running = own_relay.stored_bytes()
    own_relay.stop()

    contents = [path.read_text("utf-8")[:80] for path in laptop.library.glob("files/??/*")]
    shown = str((view, groups, files, contents)).lower()
    # The first title was replaced on both computers, a tag renamed; the rest is to be found.
    replaced = (words[0], typed[2])
    assert [word for word in words if word not in shown and word not in replaced] == []
    to_relay, from_relay = proxy.sent_to_relay(), proxy.sent_by_relay()
    # That the search reads what was sent: the library's id is in both directions, and stored.
    library = bytes.fromhex(attached["library"])
    assert library in to_relay
    stored = own_relay.stored_bytes()
    assert library in stored
    assert len(from_relay) > len(words) * 10
    for place, content in (
        ("what clients sent", to_relay),
        ("what the relay sent", from_relay),
        ("the running relay's files and log", stored_running),
        ("the stopped relay's files and log", stored),
    ):
        assert found([*words, "shared works"], content) == [], place


def test_the_search_for_planted_words_sees_them_where_they_are() -> None:
    """H1, the check of the check: words in plain bytes are found, in any case and encoding."""
    words = planted_words()
    assert found(words[:2], entries(words).encode()) == words[:2]
    assert found(words[:1], words[0].upper().encode("utf-16-le")) == words[:1]
