"""The kinds of sources there are. A new one is a folder here and a line below."""

from typing import Final

from gateway.sources import compilator, nimpos, norce, shopctrl
from gateway.sources.base import SourceSpec

SOURCES: Final[tuple[SourceSpec, ...]] = (nimpos.SPEC, compilator.SPEC, shopctrl.SPEC, norce.SPEC)
