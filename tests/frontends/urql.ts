/** A client of urql with the cache that Apollo's recipe in README makes: the same lists, the same values without an id. */

import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import schema from "./introspection";

const VALUES = [
  "Address",
  "Money",
  "Origin",
  "ShopctrlInvoiceDetails",
  "SourceResult",
  "Totals",
  "UserError",
];

export const client = new Client({
  url: "http://127.0.0.1:8000/graphql",
  preferGetMethod: false,
  exchanges: [
    cacheExchange({
      schema,
      keys: Object.fromEntries(VALUES.map((name) => [name, () => null])),
      resolvers: { Query: { customers: relayPagination(), invoices: relayPagination(), orders: relayPagination() } },
    }),
    fetchExchange,
  ],
});
