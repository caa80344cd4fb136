/** What the generated types allow, and what they refuse: each expected error below is one of the compiler. */

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { graphql } from "./gql";
import type { CreateInvoiceInput, PaymentStatus } from "./gql/graphql";

const INVOICE = graphql(`
  query TypedInvoice($by: Lookup!) {
    invoice(by: $by) {
      number
      issueDate
      createdAt
      paymentStatus
      totals { total { amount currency } }
      details {
        __typename
        ... on ShopctrlInvoiceDetails { shopId }
        ... on NimposInvoiceDetails { terminalId }
      }
    }
  }
`);

async function ask<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables) {
  const answer = await fetch("http://127.0.0.1:8000/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  return (await answer.json()) as { data?: Result };
}

function paid(status: PaymentStatus | null): string {
  switch (status) {
    case "PAID":
      return "yes";
    case "PARTIALLY_PAID":
    case "UNPAID":
      return "no";
    default:
      return "nobody knows"; // null, UNKNOWN and whatever a later release adds
  }
}

const { data } = await ask(INVOICE, { by: { native: { source: "shop", id: "88121" } } });
const invoice = data?.invoice;
const amount: string | undefined = invoice?.totals?.total?.amount;
const day: string | null | undefined = invoice?.issueDate;
const instant: string | null | undefined = invoice?.createdAt;
const shop = invoice?.details?.__typename === "ShopctrlInvoiceDetails" ? invoice.details.shopId : null;

// @ts-expect-error an amount is a text
const sum: number | undefined = invoice?.totals?.total?.amount;
// @ts-expect-error what a source may not say can be null
const number: string | undefined = invoice?.number;
// @ts-expect-error a JSON number is no amount
const input: CreateInvoiceInput = { total: { amount: 29.9 } };
// @ts-expect-error a lookup takes exactly one way
const lookup = () => ask(INVOICE, { by: { id: "1", native: { source: "shop", id: "88121" } } });

console.log(JSON.stringify({ amount, day, instant, shop, paid: paid(invoice?.paymentStatus ?? null) }));
