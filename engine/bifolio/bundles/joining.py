"""A ticket that is used with a bundle, and one that is made for it: sharing without a relay.

The invite is a record that an owner signs, so it needs no relay to be good; it travels in the
bundle, and the join that follows it travels back in the joiner's own.
"""

from __future__ import annotations

from pathlib import Path

from bifolio.bundles.file import Bundle
from bifolio.bundles.importing import BundleInbox, read_members_of
from bifolio.bundles.members import merge_members, read_log
from bifolio.crypto.membership import Role, invite_keys, make_join
from bifolio.crypto.ticket import Ticket
from bifolio.errors import (
    AlreadyAttachedError,
    BundleBeforeTicketError,
    EnvelopeError,
    MembershipError,
    NotAMemberError,
    NotTheOwnerError,
)
from bifolio.replica.membership import InviteTerms, LibraryMembership, check_ticket
from bifolio.replica.replica import Replica
from bifolio.replication import joining

_SECRET_BYTES = 32


def invite(
    replica: Replica, member_log: LibraryMembership, terms: InviteTerms | None = None
) -> str:
    """A ticket for a bundle that is made after it; no relay is asked.

    Raises:
        NotTheOwnerError, NotAMemberError, NewerMembershipError: this computer cannot invite.
    """
    if member_log.role() is None:
        raise NotAMemberError
    if member_log.role() is not Role.OWNER:
        raise NotTheOwnerError("invite", owners=member_log.owner_names())
    secret = replica.runtime.random_bytes(_SECRET_BYTES)
    member_log.learn([member_log.invite(secret, terms)])
    membership, cursor = member_log.membership(), replica.meta.cursor
    assert membership is not None
    return Ticket(
        relay=replica.meta.relay_url,
        library=replica.library_id,
        secret=secret,
        epoch=cursor.epoch if cursor else bytes(16),
        position=cursor.position if cursor else 0,
        chain_hash=cursor.chain_hash if cursor else bytes(32),
        membership_head=membership.head,
    ).encode()


def join(replica: Replica, member_log: LibraryMembership, ticket: Ticket, bundle_path: Path) -> int:
    """Become a member with a ticket by a bundle, and merge it; a library of its own joins the
    ticket's. ``prepare`` comes before it.

    Returns:
        the trashed references that stay in the backup only.

    Raises:
        BundleError: as ``prepare``; the file was altered since.
    """
    left_out = 0
    with Bundle.open(bundle_path) as bundle:
        records = _check(replica, ticket, bundle)
        with replica.database.transaction():
            if replica.library_id != ticket.library:
                left_out = joining.begin(replica, member_log, ticket.library)
            if ticket.relay:
                replica.meta.relay_url = ticket.relay
            joining.keep_ticket(replica, ticket.secret)
        merge_members(replica, member_log, records)
        if member_log.role() is None or not member_log.has_key():
            member_log.learn([member_log.join(ticket.secret)])
        inbox = BundleInbox(replica, member_log)
        inbox.take(bundle)
    joining.settle_offers(replica)
    inbox.finish()
    with replica.database.transaction():  # what was there before it came is not new
        replica.meta.log_read_through = replica.changes.last_number()
    return left_out


def prepare(replica: Replica, ticket: Ticket, bundle_path: Path) -> None:
    """Find out what stands in the way of ``join``, before anything is changed here.

    Raises:
        AlreadyAttachedError: the library is another one, and attached.
        BundleBeforeTicketError: the bundle does not hold the ticket's invite.
        BundleError: it is none, damaged, newer or another library's.
        TicketError: the ticket lets nobody in any more.
    """
    if replica.library_id != ticket.library and replica.meta.relay_url:
        raise AlreadyAttachedError(
            library_id=replica.library_id.hex(), ticket_library_id=ticket.library.hex()
        )
    with Bundle.open(bundle_path) as bundle:
        _check(replica, ticket, bundle)


def _check(replica: Replica, ticket: Ticket, bundle: Bundle) -> list[bytes]:
    """Check a bundle by its ticket; the records of its membership log."""
    bundle.check_of(ticket.library)
    records = read_members_of(bundle)
    try:
        membership = read_log(replica, records)
        if membership.library_id != ticket.library:
            raise EnvelopeError("its members are those of another library")
    except (MembershipError, EnvelopeError) as error:
        raise bundle.refuse(EnvelopeError(error.reason)) from error
    if membership.role_of(replica.keys.sign_public) is None:
        if membership.invite(invite_keys(ticket.secret).sign_public) is None:
            raise BundleBeforeTicketError(bundle.path)
        check_ticket(membership, ticket.secret, replica.keys.sign_public)
        make_join(membership, replica.keys, ticket_secret=ticket.secret)
    return records
