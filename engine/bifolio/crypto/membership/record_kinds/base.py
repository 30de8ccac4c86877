"""A kind of record: its fields, and what every kind checks alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar

from bifolio.crypto.encoding import HASH_BYTES, FieldValue
from bifolio.crypto.envelope import CHAIN_ID_BYTES, GENERATION_MAX, SEQ_MAX
from bifolio.crypto.keys import PUBLIC_KEY_BYTES, SEAL_BYTES, is_usable_box_key
from bifolio.crypto.membership.records import Record
from bifolio.crypto.membership.rights import ChainEnd, Cut, KeyBatch, Rights, Role
from bifolio.errors import MembershipError

CONTENT_KEY_BYTES = 32
NONCE_BYTES = 32
COMMITMENT_BYTES = 32

#: A generation's number: which one it is, counted from 0, in the upper 16 bits; below, what keeps
#: two that were made after one predecessor apart.
GENERATION_STEP = 2**16

#: A carried record may be ahead of the log that won by as many generations: what stood between
#: was made by who lost the right.
_STEPS_AT_FORK_MAX = 64

_SEALED_KEY_BYTES = CONTENT_KEY_BYTES + SEAL_BYTES
#: A key sealed under another: nonce and tag.
_SEALED_EARLIER_BYTES = CONTENT_KEY_BYTES + 24 + 16
_ROLES = tuple(role.value for role in Role)
_TYPE_NAMES: dict[type, str] = {bytes: "bytes", int: "a whole number", str: "text", list: "a list"}


class RecordKind(ABC):
    """One kind of record: its name, the latest version that is known, its fields' types."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    #: Whether nobody may go on behind such a record who does not know the kind.
    is_critical: ClassVar[bool] = True
    #: Whether it brings a content key (``NewKeys``).
    brings_key: ClassVar[bool] = False
    #: Whether its field ``cut`` ends the right to write of its author, or of one whom it names.
    ends_right: ClassVar[bool] = False
    required: ClassVar[Mapping[str, type]]
    optional: ClassVar[Mapping[str, type]] = {}

    @property
    def critical_fields(self) -> frozenset[str]:
        """The fields that this program knows and an earlier one must not go on without."""
        fields = (*self.required, *self.optional)
        return frozenset(name for name in fields if name[0].isupper())

    @abstractmethod
    def enter(self, record: Record, rights: Rights) -> None:
        """Check a record, whose author's signature is good, and note what it says.

        Raises:
            MembershipError: it breaks a rule; nothing was noted.
        """

    def keep(self, record: Record, rights: Rights) -> None:
        """Note of a record that lost and does not hold what is needed of it all the same: the
        content key that it brought, if any, as members sealed under it meanwhile; and the end of
        who came in by its log alone."""
        for keep in (self._keep_key, self._keep_end):
            try:
                keep(record, rights)
            except MembershipError:
                continue  # it has another form

    def _keep_key(self, record: Record, rights: Rights) -> None:
        if self.brings_key:
            NewKeys(self.read(record), record.header.author).keep(rights)

    def _keep_end(self, record: Record, rights: Rights) -> None:
        if not self.ends_right:
            return
        fields, author = self.read(record), record.header.author
        device = fields.get("device", author)
        if device != author:
            check_owner(record, rights, "give roles")
        if fields["cut"] is not None:
            rights.end_stranger(device, read_cuts(fields["cut"], (device,))[device])

    def knows(self, record: Record) -> bool:
        """Whether nothing is in the record that one must know and this program does not."""
        return record.critical_fields <= self.required.keys() | self.optional.keys()

    def read(self, record: Record) -> dict[str, Any]:
        """The known fields, those that are not there as None.

        Raises:
            MembershipError: one is missing or of another type.
        """
        fields: dict[str, Any] = {}
        for name, kind in (*self.required.items(), *self.optional.items()):
            value = record.fields.get(name)
            if value is None and name in self.required:
                raise MembershipError(f"its field '{name}' is missing")
            if value is not None and type(value) is not kind:
                raise MembershipError(f"its field '{name}' is not {_TYPE_NAMES[kind]}")
            fields[name] = value
        return fields


def check_owner(record: Record, rights: Rights, act: str) -> None:
    """Check that the author is an owner now."""
    if rights.role(record.header.author) is not Role.OWNER:
        raise MembershipError(f"its author is no owner of the library, and only owners {act}")


def check_another_owner(rights: Rights, device: bytes) -> None:
    """Check that somebody owns the library when this device does not."""
    if rights.owners() == [device]:
        raise MembershipError("a library keeps at least one owner, and this is the last")


def read_role(text: str) -> Role:
    """The role of this name."""
    if text not in _ROLES:
        raise MembershipError(f"its role is {text!r:.20}; there are {', '.join(_ROLES)}")
    return Role(text)


def check_key(public: bytes) -> None:
    """Check the length of a public key."""
    if len(public) != PUBLIC_KEY_BYTES:
        raise MembershipError("a key in it has the wrong length")


def check_box_key(box_public: bytes) -> None:
    """Check that something can be sealed to a key."""
    if not is_usable_box_key(box_public):
        raise MembershipError("there is no sealing to a public key in it")


def check_sealed_key(generation: int, sealed_key: bytes) -> None:
    """Check the form of a content key for somebody."""
    _check_generation_number(generation)
    if len(sealed_key) != _SEALED_KEY_BYTES:
        raise MembershipError("the content key in it has the wrong length")


def _check_generation_number(generation: int) -> None:
    if not 0 <= generation <= GENERATION_MAX:
        raise MembershipError(f"it names key generation {generation}")


def read_rows(rows: Sequence[FieldValue], types: Sequence[type], name: str) -> list[list[Any]]:
    """A field's rows, each a list of values of these types."""
    # By columns and sets, because there are hundreds of thousands of rows in a long log.
    is_right = set(map(type, rows)) <= {list}
    found: list[list[Any]] = list(rows) if is_right else []  # type: ignore[arg-type]
    is_right &= set(map(len, found)) <= {len(types)}
    if not is_right or any(
        not set(map(type, _column(found, place))) <= {kind} for place, kind in enumerate(types)
    ):
        raise MembershipError(f"a row of its field '{name}' has another form")
    return found


def read_earlier(rows: Sequence[FieldValue]) -> list[tuple[int, bytes]]:
    """Rows ``[generation, its content key sealed under a later one]``."""
    found = read_rows(rows, (int, bytes), "earlier")
    if any(len(sealed) != _SEALED_EARLIER_BYTES for _, sealed in found):
        raise MembershipError("a row of its field 'earlier' has another form")
    return [(generation, sealed) for generation, sealed in found]


def _column(rows: Sequence[Sequence[Any]], place: int) -> Iterator[Any]:
    """One value of each row."""
    return map(itemgetter(place), rows)


def read_cuts(rows: Sequence[FieldValue], devices: Sequence[bytes]) -> dict[bytes, Cut]:
    """Where the chains of each of these devices end.

    Rows are ``[device, chain, seq, hash]``, ascending, no chain twice.
    """
    cuts: dict[bytes, dict[bytes, ChainEnd]] = {device: {} for device in devices}
    before: tuple[bytes, bytes] | None = None
    for device, chain, seq, head in read_rows(rows, (bytes, bytes, int, bytes), "cut"):
        if before is not None and (device, chain) <= before:
            raise MembershipError("the rows of its field 'cut' do not ascend")
        before = (device, chain)
        if device not in cuts:
            raise MembershipError("its field 'cut' is about another device")
        if len(chain) != CHAIN_ID_BYTES or len(head) != HASH_BYTES or not 1 <= seq <= SEQ_MAX:
            raise MembershipError("a row of its field 'cut' has another form")
        cuts[device][chain] = ChainEnd(seq, head)
    return dict(cuts)


class NewKeys:
    """A content key, as a removal or a record of keys brings it to who stays.

    Fields: ``generation``, ``commitment`` (of a new one), ``keys`` rows ``[signing key of a member
    or an open invite, key sealed to it]``, ``earlier`` rows ``[generation, key sealed under it]``.
    """

    def __init__(self, fields: Mapping[str, Any], giver: bytes) -> None:
        self.generation: int = fields["generation"]
        self.commitment: bytes | None = fields["commitment"]
        self.keys = read_rows(fields["keys"], (bytes, bytes), "keys")
        self.earlier = read_earlier(fields["earlier"] or [])
        self.giver = giver
        self.is_used = True

    def check(self, rights: Rights, *, gone: frozenset[bytes] = frozenset()) -> None:
        """Check all of it against the rights before; ``gone`` get nothing.

        Of a record that lost against another one, what does not fit the log that won is left out.

        Raises:
            MembershipError: it breaks a rule.
        """
        _check_generation_number(self.generation)
        if not set(map(len, _column(self.keys, 1))) <= {_SEALED_KEY_BYTES}:
            raise MembershipError("the content key in it has the wrong length")
        recipients = set(_column(self.keys, 0))
        if len(recipients) < len(self.keys):
            raise MembershipError("it gives one recipient two keys")
        if rights.forked_at is not None:
            self._fit(rights)
            return
        self._check_generation(rights)
        if not recipients <= rights.may_be_given() or recipients & gone:
            raise MembershipError("it gives a key to who is neither a member nor invited")
        if any(generation not in rights.commitments for generation, _ in self.earlier):
            raise MembershipError("it seals a key of a generation that is not known")

    def _fit(self, rights: Rights) -> None:
        """Leave out what does not fit the log that won; the rest of the record holds all the same.

        Who is gone meanwhile has the key, and so has who came in by this log alone, by a ticket
        that was closed on the other one: that is noted, so that an owner learns that the next one
        is needed.
        """
        known = rights.commitments.get(self.generation)
        step = self.generation // GENERATION_STEP - rights.newest_generation() // GENERATION_STEP
        is_new = self.commitment is not None and len(self.commitment) == COMMITMENT_BYTES
        self.is_used = (
            self.commitment in (None, known)
            if known is not None
            else is_new and 0 < self.generation <= GENERATION_MAX and step <= _STEPS_AT_FORK_MAX
        )
        self.earlier = [row for row in self.earlier if row[0] in rights.commitments]

    def keep(self, rights: Rights) -> None:
        """Of a record that does not hold, note what is sealed under its key can be read by."""
        self.check(rights)
        if self.commitment is None or not self.is_used:
            return
        rights.lost_commitments.setdefault(self.generation, self.commitment)
        batch = KeyBatch(self.generation, self.giver, rights.length, dict(self.keys))
        rights.grant_to_many(batch)
        rights.seal_earlier_under(self.generation, self.earlier)

    def _check_generation(self, rights: Rights) -> None:
        known = rights.commitments.get(self.generation)
        if known is not None:
            if self.commitment is not None and self.commitment != known:
                raise MembershipError("it commits a key generation to another key")
            return
        if self.commitment is None or len(self.commitment) != COMMITMENT_BYTES:
            raise MembershipError("it begins a key generation without a commitment")
        step = self.generation // GENERATION_STEP - rights.newest_generation() // GENERATION_STEP
        if not 0 <= self.generation <= GENERATION_MAX or step != 1:
            raise MembershipError("its key generation does not follow the last one")

    def enter(self, rights: Rights) -> None:
        """Note it; ``check`` found nothing."""
        if not self.is_used:
            return
        if self.commitment is not None and self.generation not in rights.commitments:
            rights.commitments[self.generation] = self.commitment
            rights.key_makers[self.generation] = self.giver
        keys = dict(self.keys)
        rights.grant_to_many(KeyBatch(self.generation, self.giver, rights.length, keys))
        if self.earlier:
            rights.seal_earlier_under(self.generation, self.earlier)
