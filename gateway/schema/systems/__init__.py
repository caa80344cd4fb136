"""What one invoice system alone adds to the graph: a member of the enum, its details of an invoice, its inputs.

Each module here knows one system and exports `SYSTEM`. A new system is a new module; nothing else names it.
"""

from __future__ import annotations

from enum import Enum
from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import strawberry

from gateway.schema.system import System

SYSTEMS: Final[tuple[System, ...]] = tuple(import_module(f"{__name__}.{found.name}").SYSTEM for found in iter_modules(__path__))

if TYPE_CHECKING:
    SourceSystem: TypeAlias = Any  # the members come from the modules, so no checker can know them
else:
    SourceSystem = strawberry.enum(Enum("SourceSystem", [(system.name, system.name) for system in SYSTEMS]))

_DETAILS: Any = reduce(or_, (system.details for system in SYSTEMS))
InvoiceDetails = Annotated[_DETAILS, strawberry.union("InvoiceDetails", description="Fields that one source alone has.")]

__all__ = ["SYSTEMS", "InvoiceDetails", "SourceSystem"]
