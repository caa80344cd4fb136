"""How the model's values are declared: frozen to whoever reads and checks the code, and cheap to make.

A frozen dataclass sets each field by way of `object.__setattr__`, which takes three to four times as long; a page of a hundred
objects makes thousands of them. Type checkers see `dataclasses.dataclass`, and refuse every assignment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, **options: bool) -> object:
        """Declare a value: compared by its fields, hashable where they are, and not changed once it is made."""
        return dataclass(unsafe_hash=frozen, **options)


__all__ = ["value"]
