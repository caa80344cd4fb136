"""The HTTP side: routes, callers, and how results and errors become answers."""

from gateway.server.app import make_server
from gateway.server.attempt_counts import AttemptCounts
from gateway.server.callers import Admission, Authenticator, Callers
from gateway.server.documents import DocumentEndpoint, LinkSigner
from gateway.server.graphql import Graph, GraphqlEndpoint, document_limits
from gateway.server.jwks import FetchKeys, Keys, KeysAnswer, KeysNotFetched
from gateway.server.jwt import Tokens
from gateway.server.load import Load
from gateway.server.metrics_page import MetricsPage
from gateway.server.numbers import Numbers
from gateway.server.observed import Observer
from gateway.server.rates import Rates, make_rates
from gateway.server.reload import Reloads, differences, with_what_is_fixed
from gateway.server.shared_rates import SharedRates
from gateway.server.sources_page import SourcesPage
from gateway.server.standing import Standing
from gateway.server.switch import Connections, Serving, SwitchingApp
from gateway.server.trusted import TrustedDocuments
from gateway.server.trusted_check import Checked, DocumentCheck, Refusal
from gateway.server.trusted_manifest import read_manifest

__all__ = [
    "Admission",
    "AttemptCounts",
    "Authenticator",
    "Callers",
    "Checked",
    "Connections",
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
    "MetricsPage",
    "Numbers",
    "Observer",
    "Rates",
    "Refusal",
    "Reloads",
    "Serving",
    "SharedRates",
    "SourcesPage",
    "Standing",
    "SwitchingApp",
    "Tokens",
    "TrustedDocuments",
    "differences",
    "document_limits",
    "make_rates",
    "make_server",
    "read_manifest",
    "with_what_is_fixed",
]
