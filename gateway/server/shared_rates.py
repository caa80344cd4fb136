"""One budget for a caller in all replicas, out of a table that they have in common.

A replica does not ask for each request: it takes as many at once as its caller lately made in a moment, and answers them out of its
own hand. What it takes counts as made, and lapses after `share.LAPSE_SECONDS`; so that in any minute all replicas together answer no
more than the requests of a minute and those seconds, and the burst. While the table cannot be reached, each replica counts by itself.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from gateway.errors import JournalUnavailable
from gateway.loaders import Clock
from gateway.model import Caller
from gateway.server.rates import Account, Allowance
from gateway.server.share import Share, Taken

_SECOND: Final = 10**9
_TAKE_SECONDS: Final = 0.25
_AT_ONCE: Final = 3
"""How many callers are asked about at the same time: the journal needs the database, too."""
_ALONE: Final = _SECOND
"""How long to count alone before the table is tried again."""


class Takings(Protocol):
    """What callers took in all replicas together."""

    async def take(self, caller: str, *, wanted: int, interval: int, burst: int) -> Taken:
        """Take some requests of a caller. Raises `JournalUnavailable`."""


class SharedRates:
    """Counts the requests of callers with all other replicas."""

    def __init__(self, takings: Takings, clock: Clock) -> None:
        self._takings = takings
        self._clock = clock
        self._alone_until = 0
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def pay(self, caller: Caller, account: Account) -> None:
        """Count a request. Raises `RateLimited` where it is one too many."""
        share = account.share = account.share or Share()
        while (now := self._now()) >= self._alone_until:
            if share.spend(now):
                return
            if now < share.refused_until:
                raise account.allowance.refusal(share.refused_until - now)
            if share.taking is None:
                share.taking = asyncio.create_task(self._take(caller.name, account.allowance, share))
            # Not awaited itself: a client who leaves must not take the share from the others.
            taking = share.taking
            await asyncio.wait([taking])
            taking.result()  # of a bug of ours
        account.pay(now)

    async def _take(self, name: str, allowance: Allowance, share: Share) -> None:
        try:
            async with asyncio.timeout(_TAKE_SECONDS), self._slots:
                wanted = share.wanted(self._now(), allowance.burst)
                taken = await self._takings.take(name, wanted=wanted, interval=allowance.interval, burst=allowance.burst)
            share.fill(taken, self._now())
        except (JournalUnavailable, TimeoutError):
            self._alone_until = self._now() + _ALONE
        finally:
            share.taking = None

    def _now(self) -> int:
        return int(self._clock.monotonic() * _SECOND)
