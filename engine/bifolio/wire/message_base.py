"""What all messages share: the values that they are made of, and how one becomes bytes."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, Struct

from bifolio import limits

#: A hash, where there is none.
NO_HASH = bytes(32)
NO_EPOCH = bytes(16)

#: Positions and counts: above any log, and within what SQLite and every msgpack library hold.
COUNT_MAX: Final = 2**53 - 1

Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Key = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
Number = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Versions = Annotated[tuple[Number, ...], Meta(max_length=16)]
Detail = Annotated[str, Meta(max_length=1000)]

ENCODER = msgspec.msgpack.Encoder()

#: How msgspec names the place of what is wrong in a message: the first index is the field's.
_PLACE = re.compile(r"^(.*?)(?: - at `\$\[(\d+)\](.*)`)?$", re.DOTALL)


class Message(Struct, frozen=True, array_like=True):
    """What all messages share; ``__post_init__`` of one holds what binds several of its fields."""

    NAME: ClassVar[str] = ""

    def check(self) -> None:
        """Check every field and what binds them, by the rules that a reader applies.

        Raises:
            ValueError: says which field and what was expected.
        """
        built = msgspec.to_builtins(self, builtin_types=(bytes,))
        try:
            msgspec.convert(built, type(self), builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise ValueError(with_field_name(str(error), type(self))) from error

    def serialize(self) -> bytes:
        """The message's bytes; a ``ValueError`` if we ourselves made it wrong."""
        self.check()
        raw = ENCODER.encode(self)
        if len(raw) > limits.MESSAGE_BYTES_MAX:
            raise ValueError(f"{self.NAME} of {len(raw)} bytes is larger than a message may be")
        return raw


class Unknown(Message, frozen=True):
    """A message of a type that this version does not know; nothing of it was read."""

    NAME = "of a later version"
    number: Number


class Ignorable(Unknown, frozen=True):
    """A message of an unknown type that its sender lets the other side pass over."""

    NAME = "of a later version that may be passed over"


def with_field_name(text: str, message_type: type[Message]) -> str:
    """msgspec's words for what is wrong, with the field's name for its place."""
    found = _PLACE.match(text)
    if found is None or found[2] is None:
        return text
    names = message_type.__struct_fields__
    number = int(found[2]) - 1
    inside = f" at {found[3]}" if found[3] else ""
    return f"{names[number] if 0 <= number < len(names) else 'type'}: {found[1]}{inside}"
