"""Records that lost against others after one predecessor, made again on top of the winners."""

from __future__ import annotations

from typing import ClassVar

from bifolio.crypto.membership.record_kinds.base import RecordKind
from bifolio.crypto.membership.records import Record
from bifolio.crypto.membership.rights import Rights
from bifolio.errors import MembershipError


class CarryKind(RecordKind):
    """Records of a log that lost, whole and as they were signed.

    ``records`` are in their log's order, the first one on a head that is known. The log judges each
    of them by the rights of now (``rules``); the key of a ticket need not sign a join again. Who
    brings them is a member, or becomes one by what is brought: its own join may be what lost.
    """

    name = "carry"
    required: ClassVar = {"records": list}

    def check(self, record: Record) -> None:
        """Check the record's form."""
        records = self.read(record)["records"]
        if not records or any(type(one) is not bytes for one in records):
            raise MembershipError("it carries no records")
        record.check_others()

    def enter(self, record: Record, rights: Rights) -> None:  # noqa: ARG002
        """Of a carried record that carried others: what it brought is judged by itself."""
        self.check(record)
