"""Who may read and write, by real commands: the story of docs/members.md, and what ends at once."""

from __future__ import annotations

import shutil
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.arrangements import make_library
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess

from bifolio.crypto.ticket import Ticket


def keys(computer: Computer) -> set[str]:
    """The citation keys of what a computer shows."""
    return {one["key"] for one in computer.run("list")}


def test_an_office_is_lost_and_the_library_goes_on(own_relay: RelayProcess, tmp_path: Path) -> None:
    """Office lost, laptop invites, colleague reads only, colleague is removed, recovery code on a
    new computer."""
    office, laptop, colleague, new = (
        Computer.make(tmp_path, name) for name in ("office", "laptop", "colleague", "new")
    )
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    assert office.run("status")["advice"] != []
    ticket = office.call("invite", "--own", exits=0).stdout
    laptop.run("attach", "-", typed_in=f"From: me\n\n> {ticket[:50]}\n> {ticket[50:]}")
    assert office.run("sync")["pulled"] == 0
    assert office.run("status")["advice"] == []

    # The office is stolen: the laptop invites, and removes it.
    read_only = laptop.run("invite", "--role", "reader", "--label", "for Ada")["ticket"]
    colleague.run("attach", read_only)
    removed = laptop.run("member", "remove", "office")
    assert [one["name"] for one in removed["removed"]] == ["office"]
    assert "laptop removed this computer" in office.fails("sync")

    laptop.run("add", "title=Second", "citation-key=second")
    laptop.run("sync")
    colleague.run("sync")
    assert keys(colleague) == {"first", "second"}
    refused = colleague.fails("edit", "first", "title=Mine")
    assert "may only read" in refused
    assert colleague.run("status")["unsent"] == 0

    laptop.run("member", "remove", "colleague")
    laptop.run("add", "title=Third", "citation-key=third")
    laptop.run("sync")
    assert "removed this computer" in colleague.fails("sync")
    assert keys(colleague) == {"first", "second"}

    code = laptop.call("recovery", "create", exits=0).stdout.strip()
    for file in laptop.home.rglob("*"):
        if file.is_file():
            assert code.encode() not in file.read_bytes()
    # The laptop is lost too.
    done = new.run("recovery", "use", "--relay", own_relay.url, typed_in=code)
    assert done["references"] == 3
    new.run("member", "remove", "laptop")
    assert [(one["name"], one["role"]) for one in new.run("members")] == [("new", "owner")]
    new.run("add", "title=Fourth", "citation-key=fourth")
    new.run("sync")
    assert "removed this computer" in laptop.fails("sync")


@pytest.mark.heavy
def test_the_line_of_who_is_removed_ends_and_says_by_whom(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    """That the relay ends it before it answers the remover: tests/unit/relay/test_server.py."""
    office, laptop = (Computer.make(tmp_path, name) for name in ("office", "laptop"))
    make_library(office, "@book{first, title = {First}}\n")
    laptop.run("attach", office.run("attach", own_relay.url)["ticket"])
    watch = laptop.start("sync", "--watch")
    assert watch.stdout is not None
    watch.stdout.readline()
    office.run("member", "remove", "laptop")
    try:
        _, said = watch.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        watch.send_signal(signal.SIGKILL)
        raise
    assert watch.returncode == 1
    assert "office removed this computer" in said


@pytest.mark.heavy
def test_three_libraries_of_one_person_know_nothing_of_each_other(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    """G1: one of one's own, one shared for editing, one to read; leaving one touches no other."""
    me, editor, author = (Computer.make(tmp_path, name) for name in ("me", "editor", "author"))
    make_library(me, "@book{own, title = {Own}}\n")
    me.run("attach", own_relay.url, "--no-backup")
    for owner, key in ((editor, "shared"), (author, "read")):
        make_library(owner, f"@book{{{key}, title = {{{key}}}}}\n")
        owner.run("attach", own_relay.url, "--no-backup")
    shared = me.with_library(me.home / "Shared.bifolio")
    shared.run("attach", editor.run("invite")["ticket"], shared.library)
    read = me.with_library(me.home / "Read.bifolio")
    read.run("attach", author.run("invite", "--role", "reader")["ticket"], read.library)
    shared.run("add", "title=By me", "citation-key=mine")
    assert "may only read" in read.fails("add", "title=By me")
    for one in (me, shared, read):
        one.run("sync")
    editor.run("sync")
    assert keys(editor) == {"shared", "mine"}
    assert sorted((one["role"], one["state"]) for one in me.run("libraries")) == [
        ("editor", "synced"),
        ("owner", "synced"),
        ("reader", "synced"),
    ]
    assert [one["report"]["pushed"] for one in me.run("sync", "--all")] == [0, 0, 0]
    shared.run("leave", "--yes")
    assert len(me.run("sync", "--all")) == 2
    for one in (me, read):
        assert one.run("sync")["pushed"] == 0
    assert (keys(me), keys(read)) == ({"own"}, {"read"})
    assert keys(shared) == {"shared", "mine"}
    assert shared.run("status")["relay"] is None


def test_a_ticket_is_found_in_a_mail_and_never_repeated(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    desk, laptop = (Computer.make(tmp_path, name) for name in ("desk", "laptop"))
    make_library(desk, "@book{first, title = {First}}\n")
    ticket = desk.run("attach", own_relay.url)["ticket"]
    secret = ticket.split(":")[1]
    for broken in (ticket[:-9], ticket[1:], secret, f"{ticket}{secret}"):
        for call in (("attach", broken), ("attach", "-")):
            said = laptop.call(*call, typed_in=broken if call[1] == "-" else "")
            assert said.exit_code in (1, 2)
            assert secret[:12] not in said.stdout + said.stderr
            assert secret[40:60] not in said.stdout + said.stderr
    mail = tmp_path / "mail.eml"
    lines = "\n".join(f"> > {ticket[at : at + 61]}" for at in range(0, len(ticket), 61))
    mail.write_text(f"Hello,\n\nhere it is:\n{lines}.\n\nBest wishes\n-- \nDesk\n", "utf-8")
    laptop.call("attach", mail, exits=0)
    assert keys(laptop) == {"first"}


@pytest.mark.heavy
def test_a_copied_disk_of_the_relay_tells_no_name_and_opens_nothing(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    desk, laptop = (Computer.make(tmp_path, name) for name in ("desk-of-planted", "planted-lap"))
    make_library(desk, "@book{first, title = {First}}\n")
    ticket = desk.run("attach", own_relay.url)["ticket"]
    laptop.run("attach", ticket)
    desk.run("member", "rename", "planted-lap", "planted-name")
    desk.run("invite", "--label", "planted-label")
    code = desk.run("recovery", "create")["code"]
    secret = Ticket.decode(ticket).secret
    words = (b"planted", code.encode(), code.replace("-", "").encode(), secret, ticket.encode())
    files = [file for file in own_relay.data.rglob("*") if file.is_file()]
    assert files
    for file in files:
        raw = file.read_bytes()
        assert [word for word in words if word in raw] == [], file
    assert "planted-name" in {one["name"] for one in desk.run("members")}


@pytest.mark.heavy
def test_the_log_tells_who_did_what_and_what_is_new(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    desk, laptop, phone = (Computer.make(tmp_path, name) for name in ("desk", "laptop", "phone"))
    make_library(desk, numbered_entries(2))
    desk.run("attach", own_relay.url)
    for other in (laptop, phone):
        other.run("attach", desk.run("invite")["ticket"])
    laptop.run("edit", "work0", "title=By the laptop")
    phone.run("edit", "work1", "title=By the phone")
    desk.run("edit", "work0", "volume=1")
    for other in (laptop, phone, desk):
        other.run("sync")
    assert {one["by"] for one in desk.run("log", "--remote")} == {"laptop", "phone"}
    assert {one["by"] for one in desk.run("log", "--member", "phone")} == {"phone"}
    assert {one["by"] for one in desk.run("log", "--new")} == {"laptop", "phone"}
    assert desk.run("log", "--new") == []
    phone.run("edit", "work1", "title=Again")
    phone.run("sync")
    desk.run("sync")
    assert [one["by"] for one in desk.run("log", "--new")] == ["phone"]


@pytest.mark.heavy
def test_what_a_member_did_in_anger_is_taken_back(own_relay: RelayProcess, tmp_path: Path) -> None:
    desk, angry = (Computer.make(tmp_path, name) for name in ("desk", "angry"))
    make_library(desk, numbered_entries(5))
    angry.run("attach", desk.run("attach", own_relay.url)["ticket"])
    since = datetime.now(UTC).isoformat()
    angry.run("edit", "work0", "title=Rubbish")
    angry.run("delete", "work1", "work2", "work3", "work4")
    angry.run("sync")
    desk.run("sync")
    assert keys(desk) == {"work0"}
    desk.run("member", "remove", "angry")
    desk.run("undo", "--device", "angry", "--since", since)
    angry.run("edit", "work0", "title=More rubbish")
    assert "removed this computer" in angry.fails("sync")
    desk.run("sync")
    assert keys(desk) == {f"work{number}" for number in range(5)}
    assert "ubbish" not in desk.run("show", "work0")["fields"]["title"]


@pytest.mark.heavy
def test_a_library_is_called_by_its_name_and_taken_off_its_relay(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    desk = Computer.make(tmp_path, "desk")
    desk.run("init", desk.home / "a" / "One", "--name", "Night Thoughts")
    desk.run("init", desk.home / "b" / "Two", "--name", "Twice")
    desk.run("init", desk.home / "b" / "Three", "--name", "twice")
    desk.run("-L", "night thoughts", "add", "title=X", "citation-key=x")
    assert [one["key"] for one in desk.run("-L", "Night Thoughts", "list")] == ["x"]
    assert "2 libraries are called" in desk.fails("-L", "Twice", "list", exits=2)
    assert desk.fails("-L", "Nothing", "list")
    desk.run("-L", "Night Thoughts", "attach", own_relay.url)
    listed = {one["name"]: one for one in desk.run("libraries")}
    assert listed["Night Thoughts"]["relay"] == own_relay.url
    assert listed["Twice"]["state"] == "here-only"
    assert desk.run("-L", "Night Thoughts", "detach")["relay"] == own_relay.url
    assert "not attached" in desk.fails("-L", "Night Thoughts", "detach")
    (desk.home / "b" / "Two.bifolio").rename(desk.home / "b" / "Moved.bifolio")
    assert "Twice" not in {one["name"] for one in desk.run("libraries")}


@pytest.mark.heavy
def test_a_ticket_with_a_passphrase_is_worth_nothing_without(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop = (Computer.make(tmp_path, name) for name in ("office", "laptop"))
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    ticket = office.run("invite", "--passphrase", typed_in="four plain words\n")["ticket"]
    assert "has a passphrase" in laptop.fails("attach", ticket, exits=2)
    wrong = laptop.call("attach", ticket, exits=1, typed_in="other plain words\n").stderr
    assert "this is not its passphrase" in wrong
    assert ticket not in wrong
    laptop.call("attach", ticket, exits=0, typed_in="four plain words\n")
    assert keys(laptop) == {"first"}
    # What was there before it came is not new, and members can be named by their ids.
    assert laptop.run("log", "--new") == []
    (owner,) = [one for one in office.run("members") if one["is_own"]]
    assert laptop.run("log", "--member", owner["id"]) != []
    # A call that is wrong repeats no part of what was not quoted.
    half = ticket[:50]
    said = laptop.fails("attach", half, "PATH", ticket[50:90], ticket[90:130], exits=2)
    assert not any(part in said for part in (half, ticket[50:90], ticket[90:130]))


@pytest.mark.heavy
def test_o1_a_removed_member_reads_nothing_more_and_keeps_its_queued_edits(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop = (Computer.make(tmp_path, name) for name in ("office", "laptop"))
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    laptop.run("attach", office.run("invite")["ticket"])
    laptop.run("edit", "first", "title=Queued")
    laptop.run("add", "title=New", "citation-key=new")
    office.run("member", "remove", "laptop")
    office.run("edit", "first", "volume=7")
    office.run("add", "title=Secret", "citation-key=secret")
    office.run("sync")
    assert "office removed this computer" in laptop.fails("sync")
    assert keys(laptop) == {"first", "new"}
    named = [one for one in laptop.run("status")["refusals"] if "not sent" in one["reason"]]
    assert {one["next"]["code"] for one in named} == {"export-draft"}
    draft = tmp_path / "laptop.draft"
    laptop.run("draft", "export", draft)
    shown = {one["key"]: one for one in office.run("draft", "show", draft)["edits"]}
    assert shown["first"]["values"] == [{"field": "title", "before": "First", "after": "Queued"}]
    assert shown["new"]["kind"] == "added"
    assert "title: " in office.call("draft", "show", draft, exits=0).stdout
    office.run("draft", "accept", draft, "--yes")
    assert keys(office) == {"first", "new", "secret"}


@pytest.mark.heavy
def test_h2_a_relay_that_goes_back_is_named_by_who_had_seen_further(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    """What a relay can forge, alter or splice besides is in tests/simulation/test_hostile_relay.py;
    this one is a real relay on yesterday's copy of its disk."""
    office, laptop = (Computer.make(tmp_path, name) for name in ("office", "laptop"))
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    laptop.run("attach", office.run("invite")["ticket"])
    own_relay.stop()
    yesterday = tmp_path / "yesterday"
    shutil.copytree(own_relay.data, yesterday)
    own_relay.start()
    office.run("add", "title=Second", "citation-key=second")
    office.run("sync")
    laptop.run("sync")
    own_relay.stop()
    shutil.rmtree(own_relay.data)
    shutil.copytree(yesterday, own_relay.data)
    own_relay.start()
    laptop.run("add", "title=Third", "citation-key=third")
    laptop.run("sync")
    assert any("lost part of its log" in one["reason"] for one in laptop.run("status")["refusals"])
    office.run("sync")
    assert keys(office) == keys(laptop) == {"first", "second", "third"}
    assert office.run("status")["state"] == laptop.run("status")["state"]
