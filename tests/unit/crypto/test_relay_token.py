"""Tokens of a relay: whole or refused, never shown, and proved without being sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.relay_client import seeded

from bifolio.crypto.relay_token import new_relay_token, parse_relay_token, proves_token
from bifolio.errors import RelayTokenError

TOKEN = new_relay_token(seeded(1))
NONCE, GENESIS = b"n" * 32, b"a genesis"


def test_a_token_is_read_as_it_was_written() -> None:
    text = TOKEN.encode()
    assert parse_relay_token(text) == TOKEN
    assert parse_relay_token(f" {text[:30]}\n {text[30:]} ") == TOKEN
    assert TOKEN.secret.hex() not in repr(TOKEN)
    assert repr(TOKEN.secret) not in repr(TOKEN)


@given(st.integers(0, 200), st.characters())
def test_one_that_was_changed_is_refused_and_not_quoted(at: int, character: str) -> None:
    text = TOKEN.encode()
    changed = text[: at % len(text)] + character + text[at % len(text) + 1 :]
    if "".join(changed.split()) == text:
        return
    with pytest.raises(RelayTokenError) as refused:
        parse_relay_token(changed)
    assert text[20:40] not in str(refused.value)


def test_a_proof_is_for_one_nonce_one_genesis_and_one_token() -> None:
    proof = TOKEN.prove(NONCE, GENESIS)
    public = TOKEN.public

    def proves(*, by: bytes = public, nonce: bytes = NONCE, genesis: bytes = GENESIS) -> bool:
        return proves_token(by, nonce=nonce, genesis=genesis, signature=proof)

    assert proves()
    assert not proves(nonce=b"m" * 32)
    assert not proves(genesis=b"another")
    assert not proves(by=new_relay_token(seeded(2)).public)
    assert not proves_token(public, nonce=NONCE, genesis=GENESIS, signature=b"")
    assert TOKEN.secret not in proof + public
