"""References of a library as a citation style writes them."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.exports import citations
from bifolio.exports.export import csl_items
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import FormattedCitation


def cite(
    replica: Replica, refs: Sequence[str], *, style: str, form: str, locale: str | None
) -> FormattedCitation:
    """Format references, each once, in the order given (see ``citations.cite``)."""
    with replica.snapshot():
        found = [replica.references.read(one) for one in lookup.live_ids(replica, refs)]
        rows = [row for row in found if row is not None]
        items = csl_items(replica, rows)
    cited = citations.cite(items, style=style, form=citations.Form(form), locale=locale)
    keys = {row.id: lookup.shown_key(row) for row in rows}
    return cited.with_fields(failed=tuple(keys[one] for one in cited.failed))
