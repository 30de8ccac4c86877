"""What others saw of the relay's log, compared with what this replica saw.

Each envelope says where its author stood. A relay that tells two replicas different stories is
found out when an envelope of the one reaches the other, on whatever relay.
"""

from __future__ import annotations

from bifolio import limits
from bifolio.ids import device_tag
from bifolio.replica.replica import Replica
from bifolio.wire.changes import Attested


def compare(replica: Replica, device: bytes, attested: Attested | None) -> None:
    """Note where a member was told another log than this replica; inside a transaction.

    Args:
        device: the signing key of the envelope's author.
        attested: where it says that it stood.
    """
    if attested is None or device == replica.keys.sign_public:
        return  # what this replica saw before is no news to it
    same = replica.log_hashes.compare(attested.epoch, attested.n, attested.chain_hash)
    if same is not False:
        return
    known, tag = replica.meta.other_stories, device_tag(device)
    if tag not in known and len(known) < limits.OTHER_STORIES_MAX:
        replica.meta.other_stories = {**known, tag: attested.n}
