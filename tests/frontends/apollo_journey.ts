/** What a frontend does with Apollo Client and the recipe of README, told as one JSON object. */

import { CombinedGraphQLErrors } from "@apollo/client";
import { client } from "./apollo";
import { graphql } from "./gql";
import type { InvoiceFilter } from "./gql/graphql";

const PAGE = graphql(`
  query ApolloPage($filter: InvoiceFilter!, $first: Int!, $after: String) {
    invoices(filter: $filter, first: $first, after: $after) {
      edges { node { id number totals { total { amount } } customer { id billingAddress { city } } } }
      nodes { number }
      pageInfo { hasNextPage endCursor }
      sourceResults { source { id key } status count }
    }
  }
`);
const DETAIL = graphql(`
  query ApolloDetail($id: ID!) {
    node(id: $id) {
      id
      ... on Record { origin { nativeType nativeId } }
      ... on Invoice {
        number
        totals { vatBasis total { currency } }
        customer { id billingAddress { line1 postalCode } }
        details { ... on ShopctrlInvoiceDetails { shopId } }
      }
    }
  }
`);
const MISSING = graphql(`
  query ApolloMissing {
    shop: invoice(by: { native: { source: "shop", id: "88121" } }) { id number }
    till: invoice(by: { native: { source: "pos", id: "00000000-0000-4000-8000-000000000001" } }) { id number }
  }
`);
const STALE = graphql(`
  query ApolloStale { invoices(after: "of another list") { edges { node { id } } } }
`);
const COSTLY = graphql(`
  query ApolloCostly($first: Int!) {
    customers(first: $first) { edges { node { id invoices(first: $first) { edges { node { id orders { id lines { name } } } } } } } }
  }
`);
const CREATE = graphql(`
  mutation ApolloCreate($source: String!, $input: CreateInvoiceInput!, $key: String!) {
    createInvoice(source: $source, input: $input, idempotencyKey: $key) {
      ... on MutationPayload { outcome replayed userErrors { code field } }
      invoice { id number totals { total { amount currency } } }
    }
  }
`);
const CREATED = graphql(`
  fragment ApolloCreated on Invoice { id number totals { total { amount currency } } }
`);

const shop: InvoiceFilter = { sources: ["shop"] };
const till: InvoiceFilter = { sources: ["pos"] };

function codes(error: unknown): unknown[] {
  return CombinedGraphQLErrors.is(error) ? error.errors.map(({ path, extensions }) => [path?.join(".") ?? null, extensions?.code]) : [String(error)];
}

async function paged() {
  const list = client.watchQuery({ query: PAGE, variables: { filter: shop, first: 2 } });
  const seen = list.subscribe(() => undefined);
  let { data } = await list.refetch();
  for (let page = 2; page <= 3; page += 1) {
    ({ data } = await list.fetchMore({ variables: { after: data?.invoices?.pageInfo.endCursor } }));
  }
  seen.unsubscribe();
  return invoices(shop);
}

/** Read a list as it lies in the cache, without asking the gateway. */
function invoices(filter: InvoiceFilter) {
  const list = client.readQuery({ query: PAGE, variables: { filter, first: 2 } })?.invoices;
  return {
    edges: list?.edges.map(({ node }) => node.number),
    nodes: list?.nodes.length,
    hasNextPage: list?.pageInfo.hasNextPage,
    sources: list?.sourceResults.map(({ source, status }) => [source.key, status]),
  };
}

async function atOnce() {
  const { data } = await client.query({ query: PAGE, variables: { filter: shop, first: 6 }, fetchPolicy: "no-cache" });
  return data?.invoices?.edges.map(({ node }) => node.number);
}

async function otherFilter() {
  await client.query({ query: PAGE, variables: { filter: till, first: 2 } });
  return { till: invoices(till).edges?.length, shop: invoices(shop).edges?.length };
}

/** Two queries ask for different fields of the same values; both are answered by the cache afterwards. */
async function values() {
  const list = client.readQuery({ query: PAGE, variables: { filter: shop, first: 2 } });
  const id = list?.invoices?.edges[0]?.node.id ?? "";
  await client.query({ query: DETAIL, variables: { id } });
  const again = client.readQuery({ query: PAGE, variables: { filter: shop, first: 2 } });
  return { list: again?.invoices?.edges[0]?.node, detail: client.readQuery({ query: DETAIL, variables: { id } })?.node };
}

async function errors() {
  const missing = await client.query({ query: MISSING });
  const stale = await client.query({ query: STALE });
  await client.query({ query: PAGE, variables: { filter: shop, first: 2, after: "of another list" }, fetchPolicy: "network-only" });
  const costly = await client.query({ query: COSTLY, variables: { first: 100 } });
  return {
    missing: { shop: missing.data?.shop?.number, till: missing.data?.till, cached: client.readQuery({ query: MISSING })?.till, codes: codes(missing.error) },
    stale: { data: stale.data, codes: codes(stale.error), kept: invoices(shop).edges?.length },
    costly: { data: costly.data ?? null, codes: codes(costly.error) },
  };
}

async function create(amount: string, key: string) {
  const input = {
    number: "F-2026-9301",
    issueDate: "2026-11-22",
    total: { amount },
    orders: [{ number: { source: "commerce", number: "N-100341" } }],
  };
  const { data } = await client.mutate({ mutation: CREATE, variables: { source: "commerce", input, key } });
  return data?.createInvoice;
}

async function written() {
  const first = await create("6000.00", "invoice-F-2026-9301");
  const again = await create("6000.00", "invoice-F-2026-9301");
  const other = await create("1.00", "invoice-F-2026-9301");
  const id = client.cache.identify({ __typename: "Invoice", id: first?.invoice?.id });
  const cached = id === undefined ? null : client.readFragment({ id, fragment: CREATED, fragmentName: "ApolloCreated" });
  return {
    tries: [first, again, other].map((payload) => [payload?.outcome, payload?.replayed, payload?.userErrors.map(({ code }) => code)]),
    cached: cached?.totals?.total,
  };
}

const told = {
  paged: await paged(),
  atOnce: await atOnce(),
  otherFilter: await otherFilter(),
  values: await values(),
  errors: await errors(),
  written: await written(),
};
console.log(JSON.stringify(told, (key, value: unknown) => (key === "__typename" ? undefined : value)));
