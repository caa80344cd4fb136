"""The journal: what was asked for under which key, and what became of it. The only room that knows SQL.

It keeps the promise that a key is written once at the most: every change of an attempt names the revision it starts from, and
whoever comes second is told so.
"""

from gateway.journal.cleaning import keep_clean
from gateway.journal.journal import Bodies, Cleaned, Forgotten, Journal

__all__ = ["Bodies", "Cleaned", "Forgotten", "Journal", "keep_clean"]
