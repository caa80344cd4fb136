// The unified graph over that subgraph: the shared resolvers, whose reads are the subgraph's fields.
import { defineConfig } from '@graphql-hive/gateway'
import { makeContext, resolvers, typeDefs } from './mapping.mjs'

const ROW = '{ OrderCode Date MainStatusId CurrencyCode OrderTotalIncVat OrderTotalExVat }'
const WEB_ROWS = '{ value { Id OrderNo OrderDate DeliveryMode BuyerCustomerId } }'
const READS = [
  [/^\/v1\/Shops\/1\/Orders$/, 'shopRows', ROW, (_, q) => ({ email: q.get('emailAddress'), first: q.get('pageSize') })],
  [/^\/v1\/Shops\/1\/Orders\/(.+)$/, 'shopOrderByCode', '{ CustomerId }', ([, code]) => ({ code })],
  [/^\/v1\/Orders\/(.+)$/, 'shopOrder', ROW, ([, id]) => ({ id })],
  [/^\/v1\/Customers\/(.+)$/, 'shopCustomer', '{ CustomerCode CompanyName EMail }', ([, id]) => ({ id })],
  [/Orders\/Orders$/, 'webPage', WEB_ROWS, (_, q) => ({ where: q.get('$filter'), top: q.get('$top') })],
  [/Customers\/Customers$/, 'webCustomers', '{ value { Id CustomerCode EmailAddress PhoneNumber CellPhoneNumber } }', (_, q) => ({ where: q.get('$filter') })],
]

const contexts = new WeakMap()

function own(context, info) {
  let made = contexts.get(context)
  if (!made) {
    made = makeContext((target) => {
      const [path, query] = target.split('?')
      const arguments_ = new URLSearchParams(query)
      for (const [pattern, field, selectionSet, args] of READS) {
        const match = pattern.exec(path)
        if (!match) continue
        const name = field === 'webPage' && !arguments_.has('$top') ? 'webOrders' : field
        return context.Upstream.Query[name]({ root: {}, args: args(match, arguments_), context, info, selectionSet })
      }
    })
    contexts.set(context, made)
  }
  return made
}

const through = (resolver) => (root, args, context, info) => resolver(root, args, own(context, info))
const { Query, Order, Node } = resolvers

export const gatewayConfig = defineConfig({
  additionalTypeDefs: typeDefs.replace('type Query', 'extend type Query'),
  additionalResolvers: {
    Query: Object.fromEntries(Object.entries(Query).map(([name, resolver]) => [name, through(resolver)])),
    Order: { customer: through(Order.customer) },
    Node,
  },
  logging: 'error',
})
