/** What a frontend does with urql, told as one JSON object. */

import { graphql } from "./gql";
import { client } from "./urql";

const PAGE = graphql(`
  query UrqlPage($filter: InvoiceFilter!, $after: String) {
    invoices(filter: $filter, first: 2, after: $after) {
      edges { node { id number totals { total { amount } } } }
      pageInfo { hasNextPage endCursor }
      sourceResults { source { id key } status }
    }
  }
`);
const DETAIL = graphql(`
  query UrqlDetail($id: ID!) {
    node(id: $id) {
      id
      ... on Record { origin { nativeId } }
      ... on Invoice { number totals { vatBasis total { currency } } details { ... on ShopctrlInvoiceDetails { shopId } } }
    }
  }
`);
const MISSING = graphql(`
  query UrqlMissing {
    shop: invoice(by: { native: { source: "shop", id: "88121" } }) { id number }
    till: invoice(by: { native: { source: "pos", id: "00000000-0000-4000-8000-000000000001" } }) { id number }
  }
`);
const CREATE = graphql(`
  mutation UrqlCreate($source: String!, $input: CreateInvoiceInput!, $key: String!) {
    createInvoice(source: $source, input: $input, idempotencyKey: $key) {
      ... on MutationPayload { outcome replayed userErrors { code } }
      invoice { id number }
    }
  }
`);

const filter = { sources: ["shop"] };

async function paged() {
  let after: string | null = null;
  for (let page = 1; page <= 3; page += 1) {
    const answer: Awaited<ReturnType<typeof next>> = await next(after);
    after = answer.data?.invoices?.pageInfo.endCursor ?? null;
  }
  const cached = client.readQuery(PAGE, { filter })?.data?.invoices;
  return { edges: cached?.edges.map(({ node }) => node.number), hasNextPage: cached?.pageInfo.hasNextPage };
}

function next(after: string | null) {
  return client.query(PAGE, { filter, after }).toPromise();
}

/** Two queries ask for different fields of the same values; both are answered by the cache afterwards. */
async function values() {
  const id = client.readQuery(PAGE, { filter })?.data?.invoices?.edges[0]?.node.id ?? "";
  await client.query(DETAIL, { id }).toPromise();
  const list = client.readQuery(PAGE, { filter })?.data?.invoices?.edges[0]?.node.totals;
  return { list, detail: client.readQuery(DETAIL, { id })?.data?.node };
}

async function missing() {
  const { data, error } = await client.query(MISSING, {}).toPromise();
  return { shop: data?.shop?.number, till: data?.till, codes: error?.graphQLErrors.map(({ path, extensions }) => [path?.join("."), extensions["code"]]) };
}

async function create() {
  const input = {
    number: "F-2026-9302",
    issueDate: "2026-11-22",
    total: { amount: "1250.00" },
    orders: [{ number: { source: "commerce", number: "N-100341" } }],
  };
  const { data } = await client.mutation(CREATE, { source: "commerce", input, key: "invoice-F-2026-9302" }).toPromise();
  return [data?.createInvoice.outcome, data?.createInvoice.replayed, data?.createInvoice.invoice?.number];
}

console.log(JSON.stringify({ paged: await paged(), values: await values(), missing: await missing(), written: [await create(), await create()] }));
