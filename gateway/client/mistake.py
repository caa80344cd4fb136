"""What a user got wrong, in one line."""

from __future__ import annotations


class Mistake(Exception):
    """A mistake of the user's: the message is one line for stderr, nothing was sent because of it, and the exit code is 2."""
