"""The HTTP side: routes, callers, and how results and errors become answers."""

from gateway.server.app import make_server
from gateway.server.callers import Admission, Authenticator, Callers
from gateway.server.documents import DocumentEndpoint, LinkSigner
from gateway.server.graphql import Graph, GraphqlEndpoint
from gateway.server.jwks import FetchKeys, Keys, KeysAnswer, KeysNotFetched
from gateway.server.jwt import Tokens
from gateway.server.load import Load
from gateway.server.rates import make_rates

__all__ = [
    "Admission",
    "Authenticator",
    "Callers",
    "DocumentEndpoint",
    "FetchKeys",
    "Graph",
    "GraphqlEndpoint",
    "Keys",
    "KeysAnswer",
    "KeysNotFetched",
    "LinkSigner",
    "Load",
    "Tokens",
    "make_rates",
    "make_server",
]
