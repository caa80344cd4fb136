"""What goes on beside the writes: bodies and the trail are dropped when their time is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from gateway.errors import JournalUnavailable
from gateway.journal.journal import Journal

_LOG: Final = logging.getLogger("gateway")
_EVERY_SECONDS: Final = 3600.0


async def keep_clean(
    journal: Journal, *, keep_days: int, audit_days: int, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> NoReturn:
    """Clean the journal now and every hour, until cancelled. A journal that cannot be reached is cleaned the next time."""
    while True:
        try:
            cleaned = await journal.clean(keep_days=keep_days, audit_days=audit_days)
            _LOG.info("journal: %s", cleaned)
            await journal.takings.forget()
            await journal.windows.forget()
        except JournalUnavailable as error:
            _LOG.warning("journal: not cleaned: %s", error.message)
        await pause(_EVERY_SECONDS)
