"""The HTTP side: routes, callers, and how results and errors become answers."""

from gateway.server.app import make_server
from gateway.server.documents import DocumentEndpoint, LinkSigner
from gateway.server.graphql import Explain, GraphqlEndpoint
from gateway.server.load import Load

__all__ = ["DocumentEndpoint", "Explain", "GraphqlEndpoint", "LinkSigner", "Load", "make_server"]
