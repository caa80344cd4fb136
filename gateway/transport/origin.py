"""Where a request goes: the server of an address, and the target that it is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import idna

_ADDRESS: Final = re.compile(r"(https?://[^/?]+)(.*)", re.DOTALL)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A server. `host` is a name in ASCII or an IP address, without brackets; `authority` is what `Host` says."""

    host: str
    port: int
    is_tls: bool
    authority: str


def split(url: str) -> tuple[str, str]:
    """Give the text of the origin, and path and query as they stand in the address, `/` where there is no path.

    Raises `ValueError` for what is no address of HTTP.
    """
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise ValueError("no address of HTTP")
    origin, target = match.groups()
    return origin, target if target.startswith("/") else f"/{target}"


def origin_of(text: str) -> Origin:
    """Read the text of an origin, as `split` gives it. Raises `ValueError`."""
    parts = urlsplit(text)
    if not parts.hostname or "@" in parts.netloc:
        raise ValueError("no host")
    host = parts.hostname if parts.hostname.isascii() else idna.encode(parts.hostname, uts46=True).decode("ascii")
    usual = _PORTS[parts.scheme]
    port = parts.port or usual
    shown = f"[{host}]" if ":" in host else host
    return Origin(host, port, parts.scheme == "https", shown if port == usual else f"{shown}:{port}")
