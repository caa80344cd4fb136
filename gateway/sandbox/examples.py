"""Questions that the sandbox's data answers, for the demo and its explorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


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

_LINES: Final = """\
query InvoiceWithLines {
  invoice(by: { number: { source: "commerce", number: "F-2026-0088" } }) {
    number
    type
    totals { exclVat { amount } vat { amount } inclVat { amount currency } }
    lines { position itemNumber name quantity unitPriceExclVat { amount } vatPercent netAmount { amount } }
    notes { role text }
    customFields { code value }
    details { __typename }
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

_DRY_RUN: Final = """\
mutation DryRun {
  createInvoice(
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

_TERMS: Final = """\
mutation ChangeTerms {
  setInvoiceSettings(
    customer: { number: { source: "subscriptions", number: "40017" } }
    settings: { invoiceEmail: "ekonomi@malarakeri.example", reverseTax: false }
    idempotencyKey: "demo-terms-40017"
  ) {
    outcome
    confirmation
    settings { invoiceEmail paymentTerms { code } version }
    previous { invoiceEmail version }
    userErrors { code field message }
  }
}
"""

EXAMPLES: Final = (
    Example(
        "One question, four systems", "An invoice with its orders and customer from three systems, and terms from a fourth.", _FOUR_SYSTEMS
    ),
    Example("An invoice with its lines", "Lines, VAT in percent, notes, and the fields that one system alone has.", _LINES),
    Example("What each source can do", "Capabilities and cost in upstream calls; asks nobody.", _SOURCES),
    Example("Dry run of a write", "Validates and shows the exact request without sending it.", _DRY_RUN),
    Example(
        "Invoice an order",
        "Has the order system invoice what is left. Run it twice: the same key gives the same answer, and sends nothing.",
        _FROM_ORDER,
    ),
    Example("Change invoicing terms", "Reads, lays the given fields over, writes all, and shows what was there before.", _TERMS),
)
