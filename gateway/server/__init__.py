"""The HTTP side: routes, callers, and how results and errors become answers."""

from gateway.server.app import make_server
from gateway.server.callers import Admission, Authenticator, Callers
from gateway.server.documents import DocumentEndpoint, LinkSigner
from gateway.server.graphql import Graph, GraphqlEndpoint, document_limits
from gateway.server.jwks import FetchKeys, Keys, KeysAnswer, KeysNotFetched
from gateway.server.jwt import Tokens
from gateway.server.load import Load
from gateway.server.rates import make_rates
from gateway.server.sources_page import SourcesPage
from gateway.server.trusted import TrustedDocuments
from gateway.server.trusted_check import Checked, DocumentCheck, Refusal
from gateway.server.trusted_manifest import read_manifest

__all__ = [
    "Admission",
    "Authenticator",
    "Callers",
    "Checked",
    "DocumentCheck",
    "DocumentEndpoint",
    "FetchKeys",
    "Graph",
    "GraphqlEndpoint",
    "Keys",
    "KeysAnswer",
    "KeysNotFetched",
    "LinkSigner",
    "Load",
    "Refusal",
    "SourcesPage",
    "Tokens",
    "TrustedDocuments",
    "document_limits",
    "make_rates",
    "make_server",
    "read_manifest",
]
