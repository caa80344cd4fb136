"""HTML made of parts: whatever is not markup already is text, and is escaped."""

from __future__ import annotations

from html import escape
from typing import Final

_VOID: Final = frozenset({"link", "meta", "wbr"})


class Markup(str):
    """HTML. Only `element` and `raw` make it."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | None) -> Markup:
    """Make an element; an attribute that is None is left out. `class_` stands for class, `aria_label` for aria-label."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    opening = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    return Markup(f"<{name}{opening}>" if name in _VOID else f"<{name}{opening}>{together(*content)}</{name}>")


def together(*content: str) -> Markup:
    """Put parts one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in content))


def raw(text: str) -> Markup:
    """Take a text of our own as it is: a document's first line, a style sheet."""
    return Markup(text)
