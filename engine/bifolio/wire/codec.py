"""How one value of a message is read, checked, written and described.

A message is a msgpack array: its type's number, then its fields in order. The reader takes one
value after the other and looks at each value's first byte before decoding it, so that no peer
can make it build a tree: 24 MB of empty arrays would otherwise become more than a gigabyte of
Python objects. May not know which messages there are. May import no other module of Bifolio.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgpack

#: Positions and counts: above any log, and within what SQLite and every msgpack library hold.
COUNT_MAX = 2**53 - 1


class Reader:
    """Reads the values of one message in order; anything unexpected is a ``ValueError``."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._unpacker = msgpack.Unpacker(
            raw=False, strict_map_key=True, max_buffer_size=max(len(raw), 1), max_ext_len=0
        )
        self._unpacker.feed(raw)

    def scalar(self) -> object:
        """The next value, if it is no container."""
        if self._is_container(self._next_byte()):
            raise ValueError("a list stands where a single value belongs")
        return self._decoded(self._unpacker.unpack)

    def nothing(self) -> bool:
        """Whether the next value is null, which is then taken."""
        if self._next_byte() != 0xC0:
            return False
        self._unpacker.skip()
        return True

    def array(self, length_max: int) -> int:
        """The length of the array that begins here; its elements come next."""
        self._next_byte()
        length = self._decoded(self._unpacker.read_array_header)
        if not isinstance(length, int) or length > length_max:
            raise ValueError(f"a list of {length} where at most {length_max} belong")
        return length

    def mapping(self, length_max: int) -> int:
        """The number of pairs of the map that begins here; keys and values come next."""
        self._next_byte()
        length = self._decoded(self._unpacker.read_map_header)
        if not isinstance(length, int) or length > length_max:
            raise ValueError(f"a map of {length} where at most {length_max} belong")
        return length

    def skip(self) -> None:
        """Pass over one value, whatever it is, without building it."""
        self._decoded(self._unpacker.skip)

    def end(self) -> None:
        """Check that nothing follows."""
        if self._unpacker.tell() != len(self._raw):
            raise ValueError("bytes follow its end")

    def _next_byte(self) -> int:
        position: int = self._unpacker.tell()
        if position >= len(self._raw):
            raise ValueError("it ends too early")
        first: int = self._raw[position]
        return first

    @staticmethod
    def _decoded(read: Callable[[], object]) -> object:
        try:
            return read()
        except (msgpack.UnpackException, UnicodeDecodeError) as error:
            raise ValueError("it is no whole msgpack") from error

    @staticmethod
    def _is_container(first: int) -> bool:
        # fixmap and fixarray; ext 8/16/32; fixext 1..16; array and map 16/32 (msgpack's table).
        return (
            0x80 <= first <= 0x9F
            or 0xC7 <= first <= 0xC9
            or 0xD4 <= first <= 0xD8
            or 0xDC <= first <= 0xDF
        )


class Codec(Protocol):
    """One kind of value: ``check`` raises ``ValueError`` for a value that is none."""

    def read(self, reader: Reader) -> object: ...
    def check(self, value: object) -> None: ...
    def pack(self, value: object) -> object: ...
    def describe(self) -> str: ...


class _Scalar(ABC):
    """What the codecs of single values share: packed as it is, read as it comes."""

    def read(self, reader: Reader) -> object:
        value = reader.scalar()
        self.check(value)
        return value

    @abstractmethod
    def check(self, value: object) -> None:
        """Raise ``ValueError`` where the value is none of this kind."""

    def pack(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Fixed(_Scalar):
    """Bytes of one length."""

    size_bytes: int

    def check(self, value: object) -> None:
        if not isinstance(value, bytes) or len(value) != self.size_bytes:
            raise ValueError(f"expected {self.size_bytes} bytes")

    def describe(self) -> str:
        return f"{self.size_bytes} bytes"


@dataclass(frozen=True)
class Bounded(_Scalar):
    """Bytes up to a length."""

    size_bytes_max: int

    def check(self, value: object) -> None:
        if not isinstance(value, bytes) or len(value) > self.size_bytes_max:
            raise ValueError(f"expected at most {self.size_bytes_max} bytes")

    def describe(self) -> str:
        return f"at most {self.size_bytes_max:,} bytes"


@dataclass(frozen=True)
class Text(_Scalar):
    """A string up to a length in characters."""

    length_max: int

    def check(self, value: object) -> None:
        if not isinstance(value, str) or len(value) > self.length_max:
            raise ValueError(f"expected text of at most {self.length_max} characters")
        value.encode("utf-8")  # a lone surrogate is a UnicodeEncodeError, which is a ValueError

    def describe(self) -> str:
        return f"text, at most {self.length_max} characters"


@dataclass(frozen=True)
class Count(_Scalar):
    """A whole number from zero."""

    def check(self, value: object) -> None:
        if type(value) is not int or not 0 <= value <= COUNT_MAX:
            raise ValueError("expected a whole number from zero")

    def describe(self) -> str:
        return "whole number"


@dataclass(frozen=True)
class Flag(_Scalar):
    """True or false."""

    def check(self, value: object) -> None:
        if not isinstance(value, bool):
            raise ValueError("expected true or false")

    def describe(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Choice:
    """One of an enumeration's words."""

    words: type[StrEnum]

    def read(self, reader: Reader) -> object:
        value = reader.scalar()
        if not isinstance(value, str):
            raise ValueError("expected a word")
        return self.words(value)

    def check(self, value: object) -> None:
        if not isinstance(value, self.words):
            raise ValueError(f"expected one of {self.describe()}")

    def pack(self, value: object) -> object:
        return str(value)

    def describe(self) -> str:
        return "one of " + ", ".join(self.words)


@dataclass(frozen=True)
class Optional:
    """Null, or a value of the codec within."""

    inner: Codec

    def read(self, reader: Reader) -> object:
        return None if reader.nothing() else self.inner.read(reader)

    def check(self, value: object) -> None:
        if value is not None:
            self.inner.check(value)

    def pack(self, value: object) -> object:
        return None if value is None else self.inner.pack(value)

    def describe(self) -> str:
        return f"{self.inner.describe()}; or null"


@dataclass(frozen=True)
class Many:
    """A list of values of one codec."""

    inner: Codec
    length_max: int

    def read(self, reader: Reader) -> object:
        return tuple(self.inner.read(reader) for _ in range(reader.array(self.length_max)))

    def check(self, value: object) -> None:
        if not isinstance(value, tuple) or len(value) > self.length_max:
            raise ValueError(f"expected a list of at most {self.length_max}")
        for element in value:
            self.inner.check(element)

    def pack(self, value: object) -> object:
        assert isinstance(value, tuple)
        return [self.inner.pack(element) for element in value]

    def describe(self) -> str:
        return f"list of at most {self.length_max}: {self.inner.describe()}"


@dataclass(frozen=True)
class Row:
    """Values of several codecs in order, as one tuple, or as what ``make`` makes of them."""

    inner: tuple[Codec, ...]
    make: Callable[..., tuple[object, ...]] | None = None

    def read(self, reader: Reader) -> object:
        if reader.array(len(self.inner)) != len(self.inner):
            raise ValueError(f"expected {len(self.inner)} values")
        values = [codec.read(reader) for codec in self.inner]
        return self.make(*values) if self.make else tuple(values)

    def check(self, value: object) -> None:
        if not isinstance(value, tuple) or len(value) != len(self.inner):
            raise ValueError(f"expected {len(self.inner)} values")
        for codec, member in zip(self.inner, value, strict=True):
            codec.check(member)

    def pack(self, value: object) -> object:
        assert isinstance(value, tuple)
        return [codec.pack(member) for codec, member in zip(self.inner, value, strict=True)]

    def describe(self) -> str:
        return "(" + ", ".join(codec.describe() for codec in self.inner) + ")"


@dataclass(frozen=True)
class Counts:
    """A map from short names to whole numbers."""

    length_max: int

    def read(self, reader: Reader) -> object:
        value: dict[object, object] = {}
        for _ in range(reader.mapping(self.length_max)):
            name = reader.scalar()
            if not isinstance(name, str):
                raise ValueError("expected a name")
            value[name] = reader.scalar()
        self.check(value)
        return value

    def check(self, value: object) -> None:
        if not isinstance(value, Mapping) or len(value) > self.length_max:
            raise ValueError(f"expected at most {self.length_max} names with numbers")
        for name, number in value.items():
            Text(64).check(name)
            Count().check(number)

    def pack(self, value: object) -> object:
        assert isinstance(value, Mapping)
        return dict(value)

    def describe(self) -> str:
        return f"map of at most {self.length_max} names to whole numbers"
