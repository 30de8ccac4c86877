"""Which envelopes this program can read, and what each of them says.

The one place that knows it: how each version of a header is opened, and how each kind and version
of a content is read. What is not in its tables is kept whole by every receiver, for a newer
program that has it. May not know where envelopes come from, nor what becomes of their changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bifolio.crypto.envelope import KIND_CHANGES, VERSION, Envelope, Header, open_envelope
from bifolio.crypto.membership.record_kinds import KINDS, RecordKind
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.wire.changes import (
    BODY_VERSION,
    OLD_BODY_VERSION,
    Body,
    body_version,
    parse_old_body,
)

#: Opens an envelope with the library's content key of its generation.
Opener = Callable[[Envelope, bytes], bytes]

#: Reads the changes in a plaintext.
Reader = Callable[[bytes], Body]


@dataclass(frozen=True, slots=True)
class EnvelopeFormats:
    """What one program can read.

    ``openers`` are by version of the header, ``readers`` by kind and version of the content, and
    ``record_kinds`` are the membership records by which an author's right is judged.
    ``critical_parts`` are the parts of a content with a capital letter that they understand;
    ``past_readers`` read what a replica merged under an earlier program, and nothing that comes
    from anybody now.
    """

    openers: Mapping[int, Opener]
    readers: Mapping[tuple[int, int], Reader]
    record_kinds: Mapping[str, RecordKind] = field(default_factory=lambda: KINDS)
    critical_parts: tuple[str, ...] = ()
    past_readers: Mapping[tuple[int, int], Reader] = field(default_factory=lambda: PAST_READERS)

    @property
    def name(self) -> str:
        """All of it in one line: where it changes, what could not be read may be readable."""
        openers = " ".join(map(str, sorted(self.openers)))
        readers = " ".join(f"{kind}.{version}" for kind, version in sorted(self.readers))
        kinds = " ".join(
            ".".join((one.name, str(one.version), *sorted(one.critical_fields)))
            for _, one in sorted(self.record_kinds.items())
        )
        parts = "".join(f" {part}" for part in sorted(self.critical_parts))
        return f"headers {openers}; contents {readers}{parts}; members {kinds}"

    def check(self, header: Header) -> None:
        """Whether an envelope may be opened at all.

        Raises:
            NewerFormatError: only a newer program knows how.
        """
        if header.version not in self.openers:
            raise NewerFormatError(f"header version {header.version}")
        if all(kind != header.kind for kind, _ in self.readers):
            raise NewerFormatError(f"kind {header.kind}")

    def read(self, envelope: Envelope, content_key: bytes) -> Body:
        """What a received envelope says; the caller has verified the signature.

        Raises:
            NewerFormatError: it is in order, and only a newer program can read it.
            EnvelopeError: another key, damaged, or of a version that is no longer written.
        """
        plaintext, what = self._open(envelope, content_key)
        if what in self.past_readers:
            raise EnvelopeError("an earlier version of Bifolio wrote it, which is no longer read")
        return self._read(plaintext, what)

    def read_past(self, envelope: Envelope, content_key: bytes) -> Body:
        """``read`` of an envelope that is merged here, maybe under an earlier program."""
        plaintext, what = self._open(envelope, content_key)
        if what in self.past_readers:
            return self.past_readers[what](plaintext)
        return self._read(plaintext, what)

    def _open(self, envelope: Envelope, content_key: bytes) -> tuple[bytes, tuple[int, int]]:
        """The plaintext, and its kind and version."""
        self.check(envelope.header)
        plaintext = self.openers[envelope.header.version](envelope, content_key)
        return plaintext, (envelope.header.kind, body_version(plaintext))

    def _read(self, plaintext: bytes, what: tuple[int, int]) -> Body:
        reader = self.readers.get(what)
        if reader is None:
            kind, version = what
            raise NewerFormatError(f"kind {kind}, content version {version}")
        return reader(plaintext)


#: What a replica may find in its own past.
PAST_READERS: Mapping[tuple[int, int], Reader] = {(KIND_CHANGES, OLD_BODY_VERSION): parse_old_body}

#: What this program can read.
ENVELOPE_FORMATS = EnvelopeFormats(
    openers={VERSION: open_envelope}, readers={(KIND_CHANGES, BODY_VERSION): Body.parse}
)
