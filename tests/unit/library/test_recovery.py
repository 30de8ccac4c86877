"""The code on paper: with it a new computer owns the library when every other one is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.crypto.recovery import decode_recovery, encode_recovery
from bifolio.errors import Next, NextStep, RecoveryCodeError, RelayRefusedError
from bifolio.home import Home
from bifolio.library import backups


def home(folder: Path, name: str) -> Home:
    return Home(folder / f"home of {name}", device_name=name)


def test_a_new_computer_owns_the_library_with_the_code_and_the_relay(tmp_path: Path) -> None:
    with RelayProcess(tmp_path) as relay:
        with Library.create(tmp_path / "T.bifolio", home=home(tmp_path, "office")) as office:
            office.add({"title": "Kept", "citation-key": "kept"})
            office.attach(relay.url, backup=False)
            assert office.status().advice != ()
            first = office.members.create_recovery().code
            code = office.members.create_recovery().code
            assert office.status().advice == ()
            state = office.status().state
        with pytest.raises(RecoveryCodeError, match="a later one took its place"):
            Library.recover_new(
                first, relay.url, tmp_path / "N.bifolio", home=home(tmp_path, "new")
            )
        assert not (tmp_path / "N.bifolio").exists()
        typed = code.replace("-", " ").lower().replace("0", "O")
        with Library.recover_new(
            typed, relay.url, tmp_path / "N.bifolio", home=home(tmp_path, "new")
        ) as new:
            assert new.status().state == state
            assert [(one.name, one.role) for one in new.members.list()] == [
                ("office", "owner"),
                ("new", "owner"),
            ]
            new.members.remove(["office"])
            # The code was known to who was removed with it only if that computer made it.
            new.add({"title": "After", "citation-key": "after"})
            ticket = new.invite()
            with Library.attach_new(
                ticket, tmp_path / "L.bifolio", home=home(tmp_path, "laptop")
            ) as laptop:
                assert {one.key for one in laptop.list()} == {"kept", "after"}


def test_with_the_code_and_a_backup_nothing_but_the_computer_is_lost(tmp_path: Path) -> None:
    """Neither a relay nor another computer is left, and some edits were never sent."""
    with Library.create(
        tmp_path / "T.bifolio", name="Thesis", home=home(tmp_path, "office")
    ) as office:
        with RelayProcess(tmp_path) as relay:
            office.add({"title": "Sent", "citation-key": "sent", "note": "One."})
            office.attach(relay.url, backup=False)
        code = "nothing"
        with RelayProcess(tmp_path) as relay:
            office.attach(relay.url, backup=False)
            code = office.members.create_recovery().code
        office.add({"title": "Never sent", "citation-key": "never"})
        office.keys.set_pattern("[auth:lower][year]")
        backup = office.backups.create(tmp_path / "kept.backup")
    restored = backups.restore(backup.path, tmp_path / "R.bifolio")
    with Library.open(restored.path, home=home(tmp_path, "new")) as new:
        with pytest.raises(RecoveryCodeError):
            new.recover("ABC")
        other = encode_recovery(bytes(16), bytes(16)).text
        with pytest.raises(RecoveryCodeError, match="another library"):
            new.recover(other)
        wrong = encode_recovery(bytes.fromhex(new.id), bytes(16)).text
        with pytest.raises(RecoveryCodeError, match="does not know it"):
            new.recover(wrong)
        done = new.recover(code)
        assert (done.by_relay, done.references, done.adopted > 0) == (False, 2, True)
        assert (new.name, new.keys.pattern) == ("Thesis", "[auth:lower][year]")
        (tmp_path / "second").mkdir()
        with RelayProcess(tmp_path / "second") as relay:
            ticket = new.attach(relay.url, backup=False).ticket
            with Library.attach_new(
                ticket, tmp_path / "L.bifolio", home=home(tmp_path, "laptop")
            ) as laptop:
                assert {one.key for one in laptop.list()} == {"sent", "never"}
                assert laptop.status().state == new.status().state
                assert laptop.name == "Thesis"


def test_a_relay_that_does_not_hold_the_library_says_so(tmp_path: Path) -> None:
    code = encode_recovery(bytes(range(16)), bytes(16)).text
    with RelayProcess(tmp_path) as relay, pytest.raises(RelayRefusedError) as refused:
        Library.recover_new(code, relay.url, tmp_path / "N.bifolio", home=home(tmp_path, "new"))
    assert refused.value.next_step == NextStep(Next.RECOVER_BY_BACKUP)
    assert not (tmp_path / "N.bifolio").exists()


def test_a_code_is_typed_in_many_ways_and_a_slip_is_noticed() -> None:
    code = encode_recovery(bytes(range(16)), bytes(range(16, 32)))
    assert [len(group) for group in code.text.split("-")] == [7] * 8
    for typed in (code.text, code.text.lower(), code.text.replace("-", "\n"), f" {code.text}. "):
        assert decode_recovery(typed) == code
    letters = code.text.replace("-", "")
    for at in range(0, len(letters), 5):
        other = "X" if letters[at] != "X" else "Y"
        with pytest.raises(RecoveryCodeError) as error:
            decode_recovery(letters[:at] + other + letters[at + 1 :])
        assert letters[:8] not in str(error.value)
    for bad in ("", letters[:-1], letters + "A", "U" * 56, "é" * 56, "²" * 56):
        with pytest.raises(RecoveryCodeError):
            decode_recovery(bad)
    assert letters not in repr(code)


def test_a_code_that_is_not_good_here_says_which_one_is(tmp_path: Path) -> None:
    with Library.create(tmp_path / "T.bifolio", home=home(tmp_path, "office")) as office:
        first = office.members.create_recovery().code
        code = office.members.create_recovery().code
        never = encode_recovery(bytes.fromhex(office.id), bytes(16)).text
        for text, reason, step in (
            ("", "none was given", Next.TYPE_RECOVERY_CODE_AGAIN),
            (code[:-1], "55 letters and digits", Next.TYPE_RECOVERY_CODE_AGAIN),
            (encode_recovery(bytes(16), bytes(16)).text, "another", Next.CHOOSE_LIBRARY_OF_CODE),
        ):
            with pytest.raises(RecoveryCodeError, match=reason) as refused:
                office.recover(text)
            assert refused.value.next_step == NextStep(step)
        backup = office.backups.create(tmp_path / "kept.backup")
    restored = backups.restore(backup.path, tmp_path / "R.bifolio")
    with Library.open(restored.path, home=home(tmp_path, "new")) as new:
        for text in (first, never):
            with pytest.raises(RecoveryCodeError, match="does not know it") as refused:
                new.recover(text)
            assert refused.value.next_step == NextStep(Next.USE_CODE_OF_BACKUP)
        assert new.recover(code).references == 0
