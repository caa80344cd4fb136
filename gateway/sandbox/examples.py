"""Questions that the sandbox's data answers, for the demo and its explorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

LINKS: Final = MappingProxyType({"rules": ("organization_number",), "file": str(Path(__file__).with_name("links.csv"))})
"""`[links]` of the demo. The file names the customer of the system that publishes no list of them to look for a number in."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question to a gateway over the sandbox."""

    title: str
    description: str
    query: str
    variables: Mapping[str, object] = field(default_factory=dict)


_FOUR_SYSTEMS: Final = """\
query FourSystems {
  till: invoice(by: { native: { source: "pos", id: "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6" } }) {
    ...Invoice
  }
  shop: invoice(by: { native: { source: "shop", id: "88121" } }) {
    ...Invoice
  }
  web: invoice(by: { number: { source: "commerce", number: "F-2026-0088" } }) {
    ...Invoice
  }
  terms: customer(by: { number: { source: "subscriptions", number: "40017" } }) {
    name
    organizationNumber
    invoiceSettings {
      currency
      paymentTerms { code }
      invoiceEmail
      version
    }
  }
}

fragment Invoice on Invoice {
  number
  issueDate
  dueDate
  paymentStatus
  totals { total { amount currency currencyOrigin } vatBasis }
  customer { name organizationNumber }
  orders { number orderedAt totals { total { amount } } }
  warnings { code message }
}
"""

_ONE_CUSTOMER: Final = """\
query OneCustomer {
  customer(by: { number: { source: "subscriptions", number: "40034" } }) {
    ...Party
    invoiceSettings { paymentTerms { code } invoiceEmail }
    links {
      nodes { rule customer { ...Party } }
      sourceResults { source { key } status message }
    }
  }
}

fragment Party on Customer {
  name
  number
  organizationNumber
  origin { source { key } }
  orders(first: 2) {
    nodes { number orderedAt totals { total { amount currency } } }
  }
  invoices(first: 2) {
    nodes { number issueDate totals { total { amount currency } } }
    sourceResults { status message }
  }
}
"""

_WHOLE: Final = """\
query WholeInvoice {
  invoice(by: { native: { source: "shop", id: "88121" } }) {
    number
    type
    totals { exclVat { amount } vat { amount } inclVat { amount currency } }
    lines { position itemNumber name quantity unitPriceExclVat { amount } vatPercent netAmount { amount } }
    orders { number orderedAt customer { name } }
    document { fileName mediaType url }
    warnings { code message }
  }
}
"""

_UNPAID: Final = """\
query Unpaid {
  invoices(filter: { sources: ["pos", "commerce"], paymentStatus: [UNPAID, PARTIALLY_PAID] }, first: 10) {
    nodes {
      number
      dueDate
      paymentStatus
      customer { name }
      totals { total { amount currency } }
      origin { source { key } }
    }
    sourceResults { source { key } status message count undecided }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_SOURCES: Final = """\
query WhatEachSourceCanDo {
  sources {
    key
    system
    health
    capabilities { operation support batching upstreamOperation note }
  }
}
"""

_DRY_RUNS: Final = """\
mutation DryRuns {
  invoice: createInvoice(
    source: "commerce"
    dryRun: true
    input: {
      orders: [{ number: { source: "commerce", number: "N-100341" } }]
      number: "F-2026-9001"
      issueDate: "2026-11-22"
      total: { amount: "6000.00", currency: "SEK" }
    }
  ) {
    outcome
    userErrors { code field message }
    request { method path body sent }
  }
  fromOrder: createInvoiceFromOrder(order: { native: { source: "shop", id: "54712" } }, dryRun: true) {
    outcome
    userErrors { code field message }
    request { method path body sent }
  }
  terms: setInvoiceSettings(
    customer: { number: { source: "subscriptions", number: "40017" } }
    settings: { invoiceEmail: "ekonomi@malarakeri.example", reverseTax: false }
    dryRun: true
  ) {
    outcome
    userErrors { code field message }
    request { method path body sent }
  }
}
"""

_FROM_ORDER: Final = """\
mutation InvoiceAnOrder {
  createInvoiceFromOrder(
    order: { native: { source: "shop", id: "54712" } }
    idempotencyKey: "demo-54712"
  ) {
    outcome
    replayed
    confirmation
    invoice { id number issueDate totals { inclVat { amount currency } } }
    order { number customer { name } }
    userErrors { code message }
  }
}
"""

_SETTLE: Final = """\
query WhatBecameOfIt {
  attempt(idempotencyKey: "demo-54712") {
    outcome
    subject
    sentAt
    settledAt
    result { id ... on Invoice { number } }
  }
  unknown: attempts(filter: { outcome: [UNKNOWN] }) {
    nodes { idempotencyKey source { key } subject sentAt userErrors { message } }
  }
}
"""

EXAMPLES: Final = (
    Example(
        "One question, four systems", "An invoice with its orders and customer from three systems, and terms from a fourth.", _FOUR_SYSTEMS
    ),
    Example(
        "One customer in four systems",
        "Found by its organisation number, and by a file of links; with its orders and invoices.",
        _ONE_CUSTOMER,
    ),
    Example("A whole invoice", "With its lines, its orders, and where its PDF is.", _WHOLE),
    Example("What is unpaid", "A page says how each source did, what it could not be asked, and how many records do not say.", _UNPAID),
    Example("What each source can do", "Capabilities and cost in upstream calls; asks nobody.", _SOURCES),
    Example("A dry run of each write", "Validates and shows the exact requests without sending them.", _DRY_RUNS),
    Example(
        "Invoice an order",
        "Has the order system invoice what is left. Run it twice: the same key gives the same answer, and sends nothing.",
        _FROM_ORDER,
    ),
    Example(
        "What became of a write",
        "Of the one before, and of all whose outcome is unknown: looks again, settles what it can, and never sends.",
        _SETTLE,
    ),
)
