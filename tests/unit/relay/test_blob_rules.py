"""What becomes of a chunk, decided from what is held alone."""

from __future__ import annotations

from bifolio import limits
from bifolio.crypto.blob import sealed_chunk_length, sealed_size
from bifolio.wire.messages import BlobState, BlobTally, Code
from bifolio_relay.blob_rules import check_chunk, judge_chunk
from bifolio_relay.quotas import blob_cost
from bifolio_relay.requests import BlobStates, Rejected, StoreChunk
from bifolio_relay.storage import BlobView

BLOB, DESK, LAPTOP = b"1" * 32, b"d" * 32, b"l" * 32
SIZE = sealed_size(2 * limits.CHUNK_BYTES + 5)
COST = blob_cost(SIZE)


def chunk(number: int, *, size: int = SIZE, device: bytes = DESK) -> StoreChunk:
    sealed = bytes(sealed_chunk_length(size, number))
    return StoreChunk(b"l" * 16, device, BLOB, size, number, sealed)


def view(held: int, *, size: int = SIZE, sender: bytes | None = None, used: int = 0) -> BlobView:
    state = BlobState(BLOB, size if held else 0, held, held == 3)
    return BlobView((state,), (sender,), used, 4, BlobTally(5, b"t" * 32))


def judge(question: StoreChunk, held: BlobView, *, room: int = COST) -> object:
    return judge_chunk(question, held, library_bytes_max=room)


def code_of(answer: object) -> Code:
    assert isinstance(answer, Rejected), answer
    return answer.code


def test_the_next_chunk_of_a_blob_that_nobody_else_sends_is_stored() -> None:
    for held, sender in ((0, None), (1, None), (2, DESK)):
        assert judge(chunk(held), view(held, sender=sender)) is None


def test_any_other_chunk_is_answered_by_what_is_held() -> None:
    for number, held, news in ((0, 1, False), (2, 1, False), (2, 3, True), (1, 3, False)):
        answer = judge(chunk(number), view(held))
        assert isinstance(answer, BlobStates)
        assert (answer.states[0].held, answer.drops, answer.news) == (held, 4, news)


def test_what_another_device_sends_is_taken() -> None:
    assert code_of(judge(chunk(1), view(1, sender=LAPTOP))) is Code.TAKEN


def test_another_size_than_the_one_held_is_invalid() -> None:
    other = sealed_size(limits.CHUNK_BYTES + 1)
    assert code_of(judge(chunk(1, size=other), view(1))) is Code.INVALID


def test_room_is_looked_at_with_the_first_chunk_for_the_whole_blob() -> None:
    assert judge(chunk(0), view(0)) is None
    assert code_of(judge(chunk(0), view(0, used=1))) is Code.QUOTA
    assert judge(chunk(1), view(1, used=COST)) is None


def test_a_chunk_has_a_place_in_a_blob_of_its_size() -> None:
    assert check_chunk(chunk(2)) is None
    late = StoreChunk(b"l" * 16, DESK, BLOB, SIZE, 3, b"x")
    huge = StoreChunk(b"l" * 16, DESK, BLOB, limits.BLOB_BYTES_MAX + 1, 0, b"x")
    assert [code_of(check_chunk(one)) for one in (late, huge)] == [Code.INVALID, Code.TOO_BIG]
