"""How often something may happen: buckets of tokens, which fill with time. Pure."""

from __future__ import annotations

from collections import OrderedDict


class TokenBucket:
    """``at_once`` things at once, and from then on ``per_s`` a second."""

    __slots__ = ("_at_once", "_at_s", "_per_s", "_tokens")

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._tokens = at_once
        self._at_s: float | None = None

    def try_take(self, now_s: float) -> bool:
        """Take a token if there is one."""
        if self.wait_s(now_s) > 0:
            return False
        self._tokens -= 1
        return True

    def wait_s(self, now_s: float) -> float:
        """How long it takes until there is a token."""
        if self._at_s is not None:
            gained = max(now_s - self._at_s, 0.0) * self._per_s
            self._tokens = min(self._tokens + gained, self._at_once)
        self._at_s = now_s
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._per_s


class Buckets:
    """A bucket for each of those who were seen last, ``kept`` of them."""

    def __init__(self, per_s: float, at_once: float, *, kept: int) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._kept = kept
        self._buckets: OrderedDict[bytes, TokenBucket] = OrderedDict()

    def of(self, who: bytes) -> TokenBucket:
        """Its bucket; a full one for somebody new."""
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = TokenBucket(self._per_s, self._at_once)
            if len(self._buckets) > self._kept:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(who)
        return bucket
