"""A TCP proxy between computers and a relay that cuts the line after so many bytes."""

from __future__ import annotations

from tests.support.proxy import Direction, Proxy


class CuttingProxy(Proxy):
    """``cut_after_bytes`` is how much more may pass, both ways together, before every connection
    is cut; None for no end. ``passed_bytes`` counts all that passed.
    """

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.cut_after_bytes: int | None = None
        self.passed_bytes = 0

    def may_pass(self, direction: Direction, piece: bytes) -> bool:
        """Whether the piece is within what may pass."""
        del direction  # both ways count together
        if self.cut_after_bytes is not None:
            if len(piece) > self.cut_after_bytes:
                return False
            self.cut_after_bytes -= len(piece)
        self.passed_bytes += len(piece)
        return True
