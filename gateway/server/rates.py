"""How many requests a caller may make in a minute, and have in hand at once: one caller cannot take the gateway from the others.

The count is this process's own. Where there are several, those of a minute are counted by `shared_rates` for all of them; those in hand
are counted for each.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gateway.errors import LimitExceeded
from gateway.loaders import Clock
from gateway.model import Caller
from gateway.server.share import Share
from gateway.settings import SIGNED_IN, Settings

_MINUTE: Final = 60 * 10**9
"""In nanoseconds, as all times here: whole numbers add up exactly, so that the rate holds for however long it is counted."""
_BURST: Final = 10
"""The part of a minute's requests that may come at once: a tenth."""
MAX_SIGNED_IN: Final = 50_000
"""Signed-in callers that are remembered at the same time: some ten megabytes."""
_LOOKED_AT: Final = 4
"""How many of them are looked at for each new one."""
_IN_HAND_SECONDS: Final = 1.0
"""When to ask again while too many requests are in hand: nobody knows when one of them ends."""


class RateLimited(LimitExceeded):
    """The caller asks for too much at once; nothing of this request was begun. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__("RATE_LIMITED", message)
        self.retry_after = max(1, math.ceil(retry_after))

    @property
    def extensions(self) -> dict[str, object]:
        """Add the wait in whole seconds."""
        return {**super().extensions, "retryAfter": self.retry_after}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may take."""

    requests_per_minute: int
    max_in_flight: int

    @property
    def interval(self) -> int:
        """From one request to the next at an even pace; rounded so that it never allows more."""
        return -(-_MINUTE // self.requests_per_minute)

    @property
    def burst(self) -> int:
        """How many may come at once after a rest."""
        return max(1, self.requests_per_minute // _BURST)

    def refusal(self, wait: int) -> RateLimited:
        """Make what refuses one request too many; `wait` is in nanoseconds."""
        return RateLimited(f"this caller may make {self.requests_per_minute} requests a minute; ask again later", wait / 10**9)


class Account:
    """What one caller took. `paid_until` is when all its requests so far would have come at an even pace.

    `share` is what this process has taken for it out of the budget of all processes; None: it has taken none.
    """

    __slots__ = ("_in_flight", "_paid_until", "allowance", "share")

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self._paid_until = 0
        self._in_flight = 0
        self.share: Share | None = None

    def is_idle(self, now: int) -> bool:
        """Say whether it is as good as a new one."""
        return self._in_flight == 0 and self._paid_until <= now and (self.share is None or self.share.is_idle(now))

    def enter(self) -> None:
        """Have one more request in hand. Raises `RateLimited` where it is one too many."""
        if self._in_flight >= self.allowance.max_in_flight:
            raise RateLimited(f"this caller has {self._in_flight} requests in hand, which is the most; ask again", _IN_HAND_SECONDS)
        self._in_flight += 1

    def pay(self, now: int) -> None:
        """Count a request. Raises `RateLimited`, and counts nothing, where it is one too many."""
        interval = self.allowance.interval
        paid_until = max(self._paid_until, now) + interval
        too_early = paid_until - now - self.allowance.burst * interval
        if too_early > 0:
            raise self.allowance.refusal(too_early)
        self._paid_until = paid_until

    def give_back(self) -> None:
        """End a request that was in hand."""
        self._in_flight -= 1


class Rates:
    """The accounts of all callers.

    Those of configured callers are kept for good. Of signed-in ones there may be any number, so each new one makes room by
    forgetting some that are idle; where none is, it is refused: a debt is never forgotten. A caller that is neither (the only
    one there is where no caller is configured) has no limits.
    """

    def __init__(
        self, clock: Clock, configured: Mapping[str, Allowance], signed_in: Allowance | None, *, max_signed_in: int = MAX_SIGNED_IN
    ) -> None:
        self._clock = clock
        self._configured = {name: Account(allowance) for name, allowance in configured.items()}
        self._signed_in_allowance = signed_in
        self._max_signed_in = max_signed_in
        self._signed_in: OrderedDict[str, Account] = OrderedDict()
        """The one looked at longest ago first."""

    def take_over(self, earlier: Rates) -> None:
        """Go on with the accounts of an earlier configuration whose allowance is still the same: nobody is let off a debt."""
        for name, account in earlier._configured.items():
            if name in self._configured and self._configured[name].allowance == account.allowance:
                self._configured[name] = account
        if self._signed_in_allowance == earlier._signed_in_allowance:
            self._signed_in = earlier._signed_in

    @contextmanager
    def taken(self, caller: Caller) -> Iterator[None]:
        """Have a request of a caller in hand for as long as the block runs. Raises `RateLimited` at once where it is one too many."""
        with self.in_hand(caller) as account:
            if account is not None:
                account.pay(self._now())
            yield

    @contextmanager
    def in_hand(self, caller: Caller) -> Iterator[Account | None]:
        """As `taken`, with a request that is still to be counted: gives the account; None for a caller without limits."""
        account = self._configured.get(caller.name) or self._account_of_signed_in(caller.name, self._now())
        if account is None:
            yield None
            return
        account.enter()
        try:
            yield account
        finally:
            account.give_back()

    def _now(self) -> int:
        return int(self._clock.monotonic() * 10**9)

    def _account_of_signed_in(self, name: str, now: int) -> Account | None:
        if self._signed_in_allowance is None or not name.startswith(SIGNED_IN):
            return None
        known = self._signed_in.get(name)
        return self._open(name, self._signed_in_allowance, now) if known is None else known

    def _open(self, name: str, allowance: Allowance, now: int) -> Account:
        self._forget_idle(now)
        if len(self._signed_in) >= self._max_signed_in:
            raise RateLimited("too many callers ask at the same time; ask again", _IN_HAND_SECONDS)
        account = self._signed_in[name] = Account(allowance)
        return account

    def _forget_idle(self, now: int) -> None:
        """Look at the few that were not looked at for longest; those that are not idle come again when all others had their turn."""
        for _ in range(min(_LOOKED_AT, len(self._signed_in))):
            name, account = self._signed_in.popitem(last=False)
            if not account.is_idle(now):
                self._signed_in[name] = account


def make_rates(settings: Settings, clock: Clock) -> Rates:
    """Make the accounts that a configuration asks for."""
    configured = {caller.name: Allowance(caller.requests_per_minute, caller.max_in_flight) for caller in settings.callers}
    jwt = settings.jwt
    return Rates(clock, configured, None if jwt is None else Allowance(jwt.requests_per_minute, jwt.max_in_flight))
