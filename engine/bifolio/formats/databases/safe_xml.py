"""Small XML texts inside other programs' databases: read without entities, DTD or network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element


def parse_xml(raw: object) -> _Element | None:
    """The root of an XML text, or None where there is none that can be read."""
    from lxml.etree import XMLParser, XMLSyntaxError, fromstring

    body = raw.encode("utf-8", errors="replace") if isinstance(raw, str) else raw
    if not isinstance(body, bytes) or not body.strip():
        return None
    parser = XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return fromstring(body, parser)
    except (XMLSyntaxError, ValueError):
        return None
