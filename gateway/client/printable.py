"""Text for terminals."""

from __future__ import annotations


def printable(text: str) -> str:
    """Give text in one line, without what a terminal would take for an order."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
