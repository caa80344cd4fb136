// A second subgraph: notes on invoices, which it names by id, and on orders, which it names by where they come from.
// `node notes.mjs PORT FILE PREFIX`: the file is its SDL, the prefix begins the names of the types that it shares.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { parse } from 'graphql'
import { createYoga } from 'graphql-yoga'

const [port, file, prefix = ''] = process.argv.slice(2)
const idOf = (source, nativeId) => Buffer.from(JSON.stringify(['i', source, nativeId])).toString('base64url')
const shop = { key: 'shop' }

const resolvers = {
  Query: {
    notes: (_, { first }) =>
      Array.from({ length: first }, (_, at) => ({
        text: `note ${at}`,
        invoice: { id: idOf('shop', String(88121 + at)) },
        order: { origin: { source: shop, nativeId: '55012' } },
      })),
  },
  [`${prefix}Invoice`]: { remarks: ({ id }) => [`seen ${id}`] },
  [`${prefix}Order`]: { remark: ({ origin }) => `seen ${origin.source.key} ${origin.nativeId}` },
}
const schema = buildSubgraphSchema([{ typeDefs: parse(readFileSync(file, 'utf8')), resolvers }])
createServer(createYoga({ schema, logging: false, graphiql: false, batching: true })).listen(Number(port), '127.0.0.1')
