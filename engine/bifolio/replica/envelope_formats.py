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
from bifolio.errors import NewerFormatError
from bifolio.wire.changes import BODY_VERSION, Body, body_version

#: Opens an envelope with the library's content key of its generation.
Opener = Callable[[Envelope, bytes], bytes]

#: Reads the changes in a plaintext.
Reader = Callable[[bytes], Body]


@dataclass(frozen=True, slots=True)
class EnvelopeFormats:
    """What one program can read.

    ``openers`` are by version of the header, ``readers`` by kind and version of the content, and
    ``record_kinds`` are the membership records by which an author's right is judged.
    """

    openers: Mapping[int, Opener]
    readers: Mapping[tuple[int, int], Reader]
    record_kinds: Mapping[str, RecordKind] = field(default_factory=lambda: KINDS)

    @property
    def name(self) -> str:
        """All of it in one line: where it changes, what could not be read may be readable."""
        openers = " ".join(map(str, sorted(self.openers)))
        readers = " ".join(f"{kind}.{version}" for kind, version in sorted(self.readers))
        kinds = " ".join(
            ".".join((one.name, str(one.version), *sorted(one.critical_fields)))
            for _, one in sorted(self.record_kinds.items())
        )
        return f"headers {openers}; contents {readers}; members {kinds}"

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
        """What an envelope says; the caller has verified the signature.

        Raises:
            NewerFormatError: it is in order, and only a newer program can read it.
            EnvelopeError: another key, or damaged.
        """
        self.check(envelope.header)
        plaintext = self.openers[envelope.header.version](envelope, content_key)
        kind, version = envelope.header.kind, body_version(plaintext)
        reader = self.readers.get((kind, version))
        if reader is None:
            raise NewerFormatError(f"kind {kind}, content version {version}")
        return reader(plaintext)


#: What this program can read.
ENVELOPE_FORMATS = EnvelopeFormats(
    openers={VERSION: open_envelope}, readers={(KIND_CHANGES, BODY_VERSION): Body.parse}
)
