"""The TLS settings of a source: whom it trusts, and the certificate that it shows."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import certifi


def tls_context(*, ca_file: Path | None, client_cert: Path | None, client_key: Path | None) -> ssl.SSLContext | None:
    """Make the TLS settings of a source; None when it has none of its own. Raises `OSError` when a file is no certificate."""
    if ca_file is None and client_cert is None:
        return None
    context = _trusting(certifi.where() if ca_file is None else str(ca_file))
    if client_cert is not None:
        # An empty password: a key that needs one is an error, not a question at the terminal.
        context.load_cert_chain(str(client_cert), None if client_key is None else str(client_key), password="")  # nosec B106
    return context


@cache
def usual_tls_context() -> ssl.SSLContext:
    """Give the TLS settings of sources that have none of their own. Shared: reading the certificates of all authorities is slow."""
    return _trusting(certifi.where())


def _trusting(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    context.set_alpn_protocols(["http/1.1"])  # the one that is spoken; without it some servers end the handshake
    return context
