"""The HTTP side: routes, callers, and how results and errors become answers."""

from gateway.server.app import make_server
from gateway.server.documents import DocumentEndpoint, LinkSigner
from gateway.server.graphql import Explain, GraphqlEndpoint

__all__ = ["DocumentEndpoint", "Explain", "GraphqlEndpoint", "LinkSigner", "make_server"]
