"""A token that several replicas use: one of them asks for it, the others take it out of a store that they have in common.

What goes into the store is sealed with a key that is made of all that the token endpoint is posted, so that only who could ask for
the token can read it. The name of the token is made of the same, and tells nothing. Without the store each replica asks for itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

from gateway.errors import JournalUnavailable
from gateway.transport.seal import Seal

_STORE_SECONDS: Final = 1.0
"""How long the store has for an answer; a request waits meanwhile."""
_LOOK_SECONDS: Final = 0.1


class Token(NamedTuple):
    """A token, when to renew it, and when it expires: in seconds from the moment on that it was given."""

    text: str
    due_seconds: float
    life_seconds: float


class Turn(Protocol):
    """What a replica that needs a token may do."""

    @property
    def sealed(self) -> bytes | None:
        """One that it does not have yet; None: there is none."""

    @property
    def revision(self) -> int:
        """Which one it is."""

    @property
    def life_seconds(self) -> float:
        """How long that one is valid."""

    @property
    def may_ask(self) -> bool:
        """Whether to ask the endpoint, and say what came of it: nobody else does so meanwhile."""

    @property
    def is_being_asked(self) -> bool:
        """Whether somebody else does so."""

    @property
    def wait_seconds(self) -> float:
        """When to come again."""


class TokenStore(Protocol):
    """Keeps tokens for all replicas, and sees to it that one at a time asks. Every method raises `JournalUnavailable`."""

    async def turn(self, name: str, endpoint: str, *, known: int, spare: int) -> Turn:
        """Say what to do; `known` is the revision of the token that does not do, `spare` how many requests to leave to others."""

    async def keep(self, name: str, endpoint: str, sealed: bytes, *, due_seconds: float, life_seconds: float) -> int:
        """Keep a token; gives its revision."""

    async def give_up(self, name: str, endpoint: str, *, hold_seconds: float) -> None:
        """Note that none was given, and let nobody ask for so long."""


class TooSoon(Exception):
    """Nobody has a token, and the endpoint may not be asked before `seconds` have passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too soon")
        self.seconds = seconds


Ask = Callable[[], Awaitable[Token]]


class SharedToken:
    """The token that one source's credentials stand for, in a store."""

    def __init__(self, store: TokenStore, url: str, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._store = store
        self._url = url
        self._endpoint = hashlib.sha256(url.encode()).hexdigest()
        self._sleep = sleep
        self._known = 0
        """The revision of the token that was given out last."""
        self._seal: tuple[bytes, Seal] | None = None

    async def obtain(
        self, content: Callable[[], bytes], *, ask: Ask, ask_alone: Ask, hold_of: Callable[[Exception], float], spare: int
    ) -> Token:
        """Give another token than the last one: one that is there, or one that is asked for, which may be by another replica.

        `content` gives what is posted for it, which may be something else once it was refused. `ask` asks when it is this replica's
        turn; what it raises is raised here, and `hold_of` says for how many seconds nobody should ask then. `ask_alone` asks where the
        store cannot be reached. Raises `TooSoon`.
        """
        seal = await self._seal_of(content())
        while True:
            try:
                async with asyncio.timeout(_STORE_SECONDS):
                    turn = await self._store.turn(seal.name, self._endpoint, known=self._known, spare=spare)
            except (JournalUnavailable, TimeoutError):
                self._known = 0
                return await ask_alone()
            opened = None if turn.sealed is None else seal.open(turn.sealed)
            at_hand = None if opened is None else Token(opened.decode(), turn.life_seconds / 2, turn.life_seconds)
            if turn.may_ask:
                return await self._ask(seal, content, ask, hold_of, at_hand, turn.revision)
            if at_hand is not None or turn.sealed is not None:
                self._known = turn.revision
            if at_hand is not None:
                return at_hand
            if turn.sealed is None and not turn.is_being_asked:
                raise TooSoon(turn.wait_seconds)
            await self._sleep(_LOOK_SECONDS)

    async def _ask(
        self,
        seal: Seal,
        content: Callable[[], bytes],
        ask: Ask,
        hold_of: Callable[[Exception], float],
        at_hand: Token | None,
        revision: int,
    ) -> Token:
        try:
            token = await ask()
        except Exception as error:
            await self._tell(self._store.give_up(seal.name, self._endpoint, hold_seconds=hold_of(error)))
            if at_hand is None:
                raise
            self._known = revision  # it is about to expire, and still does
            return at_hand
        seal = await self._seal_of(content())
        kept = self._store.keep(
            seal.name, self._endpoint, seal.close(token.text.encode()), due_seconds=token.due_seconds, life_seconds=token.life_seconds
        )
        self._known = await self._tell(kept) or 0
        return token

    async def _tell(self, telling: Awaitable[int | None]) -> int | None:
        """Tell the store; None where it is not reached, which costs the others a request and nobody a token."""
        with suppress(JournalUnavailable, TimeoutError):
            async with asyncio.timeout(_STORE_SECONDS):
                return await telling
        return None

    async def _seal_of(self, content: bytes) -> Seal:
        if self._seal is None or self._seal[0] != content:
            self._seal = content, await asyncio.to_thread(Seal.of, "token", self._url, content)
        return self._seal[1]
