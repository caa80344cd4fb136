"""All numbers of a gateway: what is counted and how things stand, of this process and of those that serve beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from gateway.loaders import Source
from gateway.server.standing import Standing
from gateway.telemetry import Family, Metrics, Processes

_LOG: Final = logging.getLogger("gateway")
PUBLISH_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where they come from. `processes` None: this one serves alone."""

    metrics: Metrics
    standing: Standing
    processes: Processes | None = None

    async def families(self, sources: Iterable[Source]) -> Sequence[Family]:
        """Give them as they are now; those of other processes as they were a few seconds ago."""
        own = await self._own(sources)
        return own if self.processes is None else self.processes.with_others(own)

    async def keep_published(self, sources: Callable[[], Iterable[Source]]) -> NoReturn:
        """Tell the other processes now and then, until cancelled."""
        while True:
            await self.publish(sources())
            await asyncio.sleep(PUBLISH_SECONDS)

    async def publish(self, sources: Iterable[Source]) -> None:
        """Tell the other processes, if there are any; where that fails, a line says so and all else goes on."""
        if self.processes is None:
            return
        try:
            self.processes.publish(await self._own(sources))
        except OSError as error:
            _LOG.warning("metrics: other workers cannot be told: %s", error.strerror)

    def leave(self) -> None:
        """Tell the other processes nothing any more, as this one ends."""
        if self.processes is not None:
            self.processes.leave()

    async def _own(self, sources: Iterable[Source]) -> list[Family]:
        return [*self.metrics.families(), *await self.standing.families(list(sources))]
