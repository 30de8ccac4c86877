"""A library's folder that another one takes the place of, under a running watch or autosync."""

from __future__ import annotations

import shutil
import time

import pytest
from tests.end_to_end.test_autosync import shows, turned_on
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess

#: A watch asks its file several times a second.
NOTICED_S = 20.0


def replace_folder(computer: Computer) -> None:
    """What a restored backup or a synchronised folder does: a copy in the place of the original."""
    aside = computer.library.with_name("Aside.bifolio")
    shutil.rmtree(aside, ignore_errors=True)
    computer.library.rename(aside)
    shutil.copytree(aside, computer.library)


@pytest.mark.heavy
def test_a_watch_notices_ends_with_a_sentence_and_writes_nothing_more(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    watch = desk.start("sync", "--watch", "--json")
    try:
        assert watch.stdout is not None
        watch.stdout.readline()
        replace_folder(desk)
        aside = desk.library.with_name("Aside.bifolio")
        desk.run("edit", "work0", "title=In the new folder")
        out, errors = watch.communicate(timeout=NOTICED_S)
        assert watch.returncode == 1, (out, errors)
        assert "Traceback" not in errors
        said = out + errors
        assert "library-replaced" in said or "another" in said or "replaced" in said, said
        assert str(desk.library) in said
    finally:
        watch.kill()
        watch.communicate(timeout=NOTICED_S)
    titles = desk.with_library(aside).run("show", "work0")["fields"]["title"]
    assert titles != "In the new folder"
    desk.run("sync")
    laptop.run("sync")
    assert laptop.run("show", "work0")["fields"]["title"] == "In the new folder"


@pytest.mark.heavy
def test_automatic_sync_goes_on_with_the_folder_that_is_there(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    with turned_on(desk):
        desk.run("edit", "work0", "title=Before")
        until_laptop_has(laptop, "Before")
        replace_folder(desk)
        desk.run("edit", "work0", "title=After it was replaced")
        until_laptop_has(laptop, "After it was replaced")
        laptop.run("edit", "work1", "title=From elsewhere")
        laptop.run("sync")
        shows(desk, "work1", "From elsewhere")


def until_laptop_has(laptop: Computer, title: str) -> None:
    """Sync the other computer until it has what the first one sends by itself."""
    deadline = time.monotonic() + NOTICED_S
    while True:
        laptop.run("sync")
        if laptop.run("show", "work0")["fields"]["title"] == title:
            return
        assert time.monotonic() < deadline, f"{title} never came"
        time.sleep(0.2)
