"""The files' part of one connection, decided without I/O.

Beside the log's session, which always goes first: chunks are offered only while the log is
settled, a few at a time, so that an envelope goes between two of them. What the relay holds is
asked before anything is sent; of a content that another computer is sending the relay says so
(TAKEN), and this one goes on with the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.wire.messages import (
    AskBlobs,
    Blobs,
    BlobState,
    BlobTally,
    Chunk,
    Code,
    DropBlobs,
    Message,
    Nack,
    PullChunk,
    nothing_of,
)

#: What is under way, for those who watch.
SENDING = "sending files"
RECEIVING = "receiving files"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A content to be carried: its hash, what the relay calls it, and in how many chunks.

    ``size_bytes`` is the sealed size. ``not_before_ms`` is when it may be asked for again.
    """

    hash: str
    blob: bytes
    size_bytes: int
    chunks: int
    not_before_ms: int = 0


class Arrival(Enum):
    """What became of a chunk that came."""

    MORE = auto()  #: it was kept; others are to follow
    WHOLE = auto()  #: it was the last one, and the content is what it should be
    DAMAGED = auto()  #: it is not what was sent; nothing of the content is kept
    USELESS = auto()  #: the same, and not for the first time: the relay's copy is no good


class FilePort(Protocol):
    """A replica's files as a session sees them. Every method is short, whatever a file's size."""

    def begin(self, epoch: bytes, drops: int, tally_hash: bytes | None) -> None:
        """A connection stands; ``tally_hash`` is that of the relay's blobs at our tally.

        Where blobs were dropped unseen, or it has forgotten some, nothing is known to be there.
        """

    def dropped(self, drops: int, *, by_us: bool) -> bool:
        """So many drops were counted. True if others dropped something: ask for all again."""

    def to_send(self) -> Sequence[Parcel]:
        """Contents that are here and not known to be on the relay."""

    def to_fetch(self) -> Sequence[Parcel]:
        """Contents that are not here and wanted, by the replica's policy or by a user."""

    def to_find(self) -> Sequence[Parcel]:
        """Contents that are neither here nor known to be on the relay."""

    def on_relay(self, parcels: Sequence[Parcel], tally: BlobTally | None) -> None:
        """The relay has these contents whole, and so many blobs were completed or dropped."""

    def refused(self, parcel: Parcel, code: Code, detail: str) -> None:
        """The relay did not take it."""

    def read_chunk(self, parcel: Parcel, number: int) -> bytes | None:
        """A sealed chunk; None if the content is not here any more, or damaged, and noted so."""

    def received(self, parcel: Parcel) -> int:
        """How many of its chunks are here, from an earlier connection."""

    def write_chunk(self, parcel: Parcel, number: int, sealed: bytes) -> Arrival:
        """Keep a chunk, the next one after those that are here."""

    def give_up(self, parcel: Parcel) -> None:
        """Nothing more of it is read or written on this connection."""

    def collect(self) -> Sequence[bytes]:
        """Drop what nothing names any more; the blobs that the relay is to drop too."""

    def relay_dropped(self, blobs: Sequence[bytes]) -> None:
        """The relay holds these no longer, as it was asked."""

    def now_ms(self) -> int:
        """The time."""


@dataclass(slots=True)
class FileCounts:
    """Contents new to the other side, in this session."""

    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class _Upload:
    parcel: Parcel
    next: int
    in_flight: int = 0
    acknowledged: bool = False  # until then one chunk is under way: another may be sending it
    setbacks: int = 0


@dataclass(slots=True)
class _Download:
    parcel: Parcel
    next_to_ask: int
    next_to_come: int


class FileTransfer:
    """What to ask, send and fetch on one connection."""

    def __init__(self, port: FilePort) -> None:
        self._port = port
        self.counts = FileCounts()
        self._begun = False
        self._stale = True
        self._collected = False
        self._parcels: dict[bytes, Parcel] = {}
        self._states: dict[bytes, BlobState] = {}
        self._to_ask: deque[bytes] = deque()
        self._asked: tuple[bytes, ...] = ()
        self._dropping: dict[bytes, None] = {}
        self._waits_for_drop: tuple[bytes, ...] = ()
        self._dropped_once: set[bytes] = set()
        self._left_out: set[bytes] = set()
        self._sends: dict[bytes, Parcel] = {}
        self._fetches: dict[bytes, Parcel] = {}
        self._wanted: set[bytes] = set()
        self._uploads: dict[bytes, _Upload] = {}
        self._downloads: dict[bytes, _Download] = {}
        self._restarts_left = limits.FILE_RESTARTS_MAX
        self._quota_bytes: int | None = None
        self._look_again_ms: int | None = None
        self._done_bytes = {SENDING: 0, RECEIVING: 0}
        self._left_bytes = {SENDING: 0, RECEIVING: 0}

    @property
    def settled(self) -> bool:
        """Whether everything is where it may be, as far as it can be had now."""
        return self._begun and not (
            self._stale
            or not self._collected
            or self._to_ask
            or self._asked
            or self._dropping
            or self._waits_for_drop
            or self._sends
            or self._fetches
            or self._uploads
            or self._downloads
        )

    def begin(self, epoch: bytes, drops: int, tally_hash: bytes | None) -> None:
        """The relay welcomed us."""
        self._port.begin(epoch, drops, tally_hash)
        self._begun = True

    def look_again(self) -> None:
        """References may name other contents than before."""
        self._stale = True

    def is_due(self) -> bool:
        """Whether something that had to wait may be tried again now."""
        return self._look_again_ms is not None and self._port.now_ms() >= self._look_again_ms

    def progress(self) -> tuple[str, int, int] | None:
        """What is under way, how many bytes are done and of how many; None if nothing is."""
        for stage, is_under_way in (
            (SENDING, bool(self._sends or self._uploads)),
            (RECEIVING, bool(self._fetches or self._downloads)),
        ):
            if is_under_way:
                done = self._done_bytes[stage]
                return stage, done, done + max(self._left_bytes[stage], 0)
        return None

    # --- what came ------------------------------------------------------------------------

    def blobs(self, message: Blobs) -> None:
        """The relay told how much it holds of some blobs."""
        if not message.states and not self._asked and not self._waits_for_drop:
            self._ask_all_again()  # news was left out
            return
        told = tuple(one.blob for one in message.states)
        answers_drop = bool(self._waits_for_drop) and told == self._waits_for_drop
        if answers_drop:
            self._port.relay_dropped(self._waits_for_drop)
            self._waits_for_drop = ()
        if self._port.dropped(message.drops, by_us=answers_drop):
            self._ask_all_again()
            return
        if answers_drop:
            self._stale = True  # what was dropped for its size is sent anew
        if self._asked and told == self._asked:
            self._asked = ()
        whole = [parcel for state in message.states if (parcel := self._told(state)) is not None]
        if whole:
            self._port.on_relay(whole, message.tally)
            self._fetch_too(whole)

    def _fetch_too(self, whole: Sequence[Parcel]) -> None:
        """Contents that had to wait for another computer are on the relay now."""
        for parcel in whole:
            blob = parcel.blob
            waits = blob not in self._fetches and blob not in self._downloads
            if blob in self._wanted and waits and blob not in self._left_out:
                self._fetches[blob] = parcel
                self._left_bytes[RECEIVING] += parcel.size_bytes

    def chunk(self, message: Chunk) -> None:
        """A chunk came that was asked for."""
        download = self._downloads.get(message.blob)
        if download is None:
            return  # given up in the meantime
        if message.number != download.next_to_come:
            return  # asked for twice, because all was asked for again
        download.next_to_come += 1
        parcel = download.parcel
        self._moved(RECEIVING, len(message.sealed))
        arrival = self._port.write_chunk(parcel, message.number, message.sealed)
        if arrival is Arrival.MORE:
            return
        del self._downloads[message.blob]
        self._wanted.discard(message.blob)
        if arrival is Arrival.WHOLE:
            self.counts.received += 1
            return
        self._left_out.add(parcel.blob)
        self._stale = True
        if arrival is Arrival.USELESS:
            self._drop(parcel.blob)

    def refused(self, message: Nack) -> bool:
        """The relay refused something; False if it is none of ours."""
        if message.subject in self._waits_for_drop:
            self._waits_for_drop = ()
            return True
        upload = self._uploads.pop(message.subject, None)
        if upload is None:
            download = self._downloads.pop(message.subject, None)
            if download is not None:
                self._left_out.add(message.subject)
                self._port.give_up(download.parcel)
            return message.subject in self._left_out  # what was under way behind it
        parcel = upload.parcel
        self._left_out.add(parcel.blob)
        self._port.give_up(parcel)
        if message.code is Code.TAKEN:
            self._wait_until(self._port.now_ms() + int(limits.TAKEN_RETRY_S * 1000))
            return True
        self._port.refused(parcel, message.code, message.detail)
        if message.code is Code.QUOTA:
            smallest = self._quota_bytes
            size = parcel.size_bytes
            self._quota_bytes = size if smallest is None else min(size, smallest)
        return True

    # --- what to do -----------------------------------------------------------------------

    def decide(self) -> list[Message]:
        """What to send now; only called while the log is settled."""
        if not self._begun:
            return []
        if self.is_due():
            self._look_again_ms = None
            self._left_out.clear()
            self._stale = True
        if self._stale:
            self._look()
        if (asked := self._ask()) is not None:
            return asked
        return [*self._drop_some(), *self._upload(), *self._download()]

    def _look(self) -> None:
        """Read anew what is to be carried; what is under way goes on."""
        self._stale = False
        sends, fetches = self._port.to_send(), self._port.to_fetch()
        known = (*sends, *fetches, *self._port.to_find())
        for parcel in known:
            if parcel.blob not in self._states:
                self._states[parcel.blob] = nothing_of(parcel.blob)
                self._to_ask.append(parcel.blob)
        now_ms = self._port.now_ms()
        self._sends = {one.blob: one for one in sends if one.blob not in self._uploads}
        self._fetches = {}
        for parcel in fetches:
            if parcel.not_before_ms > now_ms:
                self._wait_until(parcel.not_before_ms)
            elif parcel.blob not in self._downloads:
                self._fetches[parcel.blob] = parcel
        self._wanted = set(self._fetches)
        self._parcels = {one.blob: one for one in known}
        self._collected = False
        self._left_bytes = {
            SENDING: sum(one.size_bytes for one in self._sends.values())
            + sum(_left_of(one.parcel, one.next) for one in self._uploads.values()),
            RECEIVING: sum(one.size_bytes for one in self._fetches.values())
            + sum(_left_of(one.parcel, one.next_to_come) for one in self._downloads.values()),
        }

    def _ask(self) -> list[Message] | None:
        """Ask what the relay holds, a batch at a time; None when that is known."""
        if self._asked:
            return []
        if not self._to_ask:
            return None
        batch = [
            self._to_ask.popleft() for _ in range(min(len(self._to_ask), limits.BLOBS_BATCH_MAX))
        ]
        self._asked = tuple(batch)
        return [AskBlobs(self._asked)]

    def _upload(self) -> list[Message]:
        messages: list[Message] = []
        while self._in_flight(self._uploads.values()) < limits.CHUNKS_IN_FLIGHT_MAX:
            upload = next((one for one in self._uploads.values() if self._may_go_on(one)), None)
            if upload is None and not self._begin_upload():
                break
            if upload is None:
                continue
            sealed = self._port.read_chunk(upload.parcel, upload.next)
            parcel = upload.parcel
            if sealed is None:
                # Gone, or damaged here: what the relay has of it came from the same file.
                del self._uploads[parcel.blob]
                self._left_out.add(parcel.blob)
                if upload.next:
                    self._drop(parcel.blob)
                continue
            messages.append(Chunk(parcel.blob, parcel.size_bytes, upload.next, sealed))
            upload.next += 1
            upload.in_flight += 1
        return messages

    @staticmethod
    def _may_go_on(upload: _Upload) -> bool:
        if upload.next >= upload.parcel.chunks:
            return False
        return upload.acknowledged or not upload.in_flight

    def _begin_upload(self) -> bool:
        """Take up the next content to be sent; False if there is none."""
        while self._sends:
            parcel = self._sends.pop(next(iter(self._sends)))
            state = self._states.get(parcel.blob, nothing_of(parcel.blob))
            too_big = self._quota_bytes is not None and parcel.size_bytes >= self._quota_bytes
            if state.whole or parcel.blob in self._left_out or too_big:
                self._left_bytes[SENDING] -= parcel.size_bytes
            if state.whole or parcel.blob in self._left_out:
                continue
            if too_big:
                self._port.refused(parcel, Code.QUOTA, "no room for a smaller one either")
                continue
            self._uploads[parcel.blob] = _Upload(parcel, state.held)
            self._left_bytes[SENDING] -= parcel.size_bytes - _left_of(parcel, state.held)
            return True
        return False

    def _download(self) -> list[Message]:
        messages: list[Message] = []
        while self._chunks_asked() < limits.CHUNKS_IN_FLIGHT_MAX:
            download = next(
                (one for one in self._downloads.values() if one.next_to_ask < one.parcel.chunks),
                None,
            )
            if download is None:
                if not self._begin_download():
                    break
                continue
            messages.append(PullChunk(download.parcel.blob, download.next_to_ask))
            download.next_to_ask += 1
        return messages

    def _begin_download(self) -> bool:
        while self._fetches:
            parcel = self._fetches.pop(next(iter(self._fetches)))
            state = self._states.get(parcel.blob, nothing_of(parcel.blob))
            if not state.whole or parcel.blob in self._left_out:
                self._left_bytes[RECEIVING] -= parcel.size_bytes
                continue
            # The last chunk is always asked for: with it the content is checked.
            start = min(self._port.received(parcel), parcel.chunks - 1)
            self._downloads[parcel.blob] = _Download(parcel, start, start)
            self._left_bytes[RECEIVING] -= parcel.size_bytes - _left_of(parcel, start)
            return True
        return False

    def _drop_some(self) -> list[Message]:
        if not self._collected and not self._uploads and not self._downloads:
            self._collected = True
            for blob in self._port.collect():
                self._drop(blob)
        if self._waits_for_drop or not self._dropping:
            return []
        batch = tuple(self._dropping)[: limits.BLOBS_BATCH_MAX]
        for blob in batch:
            del self._dropping[blob]
        self._waits_for_drop = batch
        return [DropBlobs(batch)]

    # --- small steps ------------------------------------------------------------------------

    def _told(self, state: BlobState) -> Parcel | None:
        """Note a blob's state; the content that is on the relay whole, news to us."""
        blob = state.blob
        self._states[blob] = state
        parcel = self._parcels.get(blob)
        if parcel is None:
            return None
        if state.held and state.size_bytes != parcel.size_bytes:
            # Somebody sent another size under this name: nothing that could be of use.
            self._states[blob] = nothing_of(blob)
            self._drop(blob)
            return None
        if blob in self._downloads and not state.whole:
            del self._downloads[blob]
            self._port.give_up(parcel)
        upload = self._uploads.get(blob)
        if upload is not None:
            return self._acknowledged(upload, state)
        return parcel if state.whole else None

    def _acknowledged(self, upload: _Upload, state: BlobState) -> Parcel | None:
        parcel = upload.parcel
        upload.in_flight = max(0, upload.in_flight - 1)
        upload.acknowledged = True
        self._moved(SENDING, parcel.size_bytes // parcel.chunks)
        if state.whole:
            del self._uploads[parcel.blob]
            self.counts.sent += 1
            return parcel
        if not upload.in_flight and upload.next != state.held:
            # Where the relay has more or less than we thought, it is right, but not for ever.
            upload.next = state.held
            upload.setbacks += 1
            if upload.setbacks > limits.SETBACKS_MAX:
                del self._uploads[parcel.blob]
                self._left_out.add(parcel.blob)
                self._port.give_up(parcel)
        return None

    def _ask_all_again(self) -> None:
        if self._restarts_left == 0:
            raise ProtocolError("it changes its mind about files again and again")
        self._restarts_left -= 1
        self._states.clear()
        self._to_ask.clear()
        self._asked = ()
        for upload in self._uploads.values():
            self._port.give_up(upload.parcel)
        for download in self._downloads.values():
            self._port.give_up(download.parcel)
        self._uploads.clear()
        self._downloads.clear()
        self._stale = True

    def _drop(self, blob: bytes) -> None:
        """Have the relay hold a blob no longer; once in a connection, so it cannot go on."""
        if blob not in self._dropped_once:
            self._dropped_once.add(blob)
            self._dropping[blob] = None

    def _wait_until(self, then_ms: int) -> None:
        soonest = self._look_again_ms
        self._look_again_ms = then_ms if soonest is None else min(soonest, then_ms)

    @staticmethod
    def _in_flight(uploads: Iterable[_Upload]) -> int:
        return sum(one.in_flight for one in uploads)

    def _chunks_asked(self) -> int:
        return sum(one.next_to_ask - one.next_to_come for one in self._downloads.values())

    def _moved(self, stage: str, size_bytes: int) -> None:
        self._done_bytes[stage] += size_bytes
        self._left_bytes[stage] -= size_bytes


def _left_of(parcel: Parcel, chunk: int) -> int:
    """The bytes of a content from a chunk on, nearly."""
    return parcel.size_bytes // parcel.chunks * (parcel.chunks - chunk)
