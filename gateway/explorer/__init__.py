"""The explorer at `/`: GraphiQL over this gateway, as files of this process, so that it works without a network.

The files are built by node when the project is installed. Where there was none, the page tells how to get them.
"""

from __future__ import annotations

from gateway.explorer.journey import Journey
from gateway.explorer.pages import BUNDLE, explorer_routes

__all__ = ["BUNDLE", "Journey", "explorer_routes"]
