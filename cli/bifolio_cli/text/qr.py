"""A text as a QR code made of block characters, for a camera in front of a terminal."""

from __future__ import annotations

import io


def qr_text(text: str) -> str:
    """The lines of the code, with a quiet zone around it."""
    import segno

    drawn = io.StringIO()
    segno.make_qr(text, error="l", boost_error=False).terminal(drawn, compact=True)
    return drawn.getvalue()
