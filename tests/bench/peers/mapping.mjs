// What the Node peers share: rows of the upstream -> the graph, and data loaders. `get(target)` reads JSON from the upstream.
import { readFileSync } from 'node:fs'
import DataLoader from 'dataloader'

export const settings = JSON.parse(process.env.BENCH_PEER)
export const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8')

const STATUSES = { 12: 'OPEN' }
const CHUNK = 50
const QUERY = '/commerce/query/2.0'

const shopOrder = (row) => ({
  __typename: 'Order',
  source: 'shop',
  number: row.OrderCode,
  orderedAt: row.Date,
  status: STATUSES[row.MainStatusId],
  currency: row.CurrencyCode,
  totals: {
    total: { amount: String(row.OrderTotalIncVat), currency: row.CurrencyCode },
    exclVat: { amount: String(row.OrderTotalExVat), currency: row.CurrencyCode },
    inclVat: { amount: String(row.OrderTotalIncVat), currency: row.CurrencyCode },
  },
})
const shopCustomer = (row) => ({ number: row.CustomerCode, name: row.CompanyName, email: row.EMail })
const webOrder = (row) => ({
  __typename: 'Order',
  source: 'commerce',
  number: row.OrderNo,
  orderedAt: row.OrderDate,
  deliveryMethod: row.DeliveryMode,
  buyer: row.BuyerCustomerId,
})
const webCustomer = (row) => ({
  number: row.CustomerCode,
  email: row.EmailAddress,
  phone: row.PhoneNumber ?? row.CellPhoneNumber,
})

const inChunks = (ids, read) => {
  const chunks = []
  for (let start = 0; start < ids.length; start += CHUNK) chunks.push(read(ids.slice(start, start + CHUNK)))
  return Promise.all(chunks)
}
const byIds = (ids) => encodeURIComponent(ids.map((id) => `Id eq ${id}`).join(' or '))

async function rowsById(get, set, select, ids) {
  const pages = await inChunks(ids, (chunk) => get(`${QUERY}/${set}?$filter=${byIds(chunk)}&$select=${select}`))
  const rows = new Map()
  for (const page of pages) for (const row of page.value) rows.set(row.Id, row)
  return ids.map((id) => rows.get(Number(id)) ?? null)
}

export const makeContext = (get) => ({
  get,
  shopOrders: new DataLoader((codes) => Promise.all(codes.map((code) => get(`/v1/Shops/1/Orders/${code}`)))),
  shopCustomers: new DataLoader((ids) => Promise.all(ids.map((id) => get(`/v1/Customers/${id}`)))),
  webCustomers: new DataLoader((ids) => rowsById(get, 'Customers/Customers', settings.customersSelect, ids)),
  webOrders: new DataLoader((ids) => rowsById(get, 'Orders/Orders', settings.ordersSelect, ids)),
})

async function orders(_, { filter, first }, { get }) {
  if (filter.sources[0] === 'shop') {
    const email = encodeURIComponent(filter.email)
    const rows = await get(`/v1/Shops/1/Orders?emailAddress=${email}&pageSize=${first}&pageNumber=1`)
    return { nodes: rows.map(shopOrder) }
  }
  const where = encodeURIComponent(`ApplicationId eq 2210 and OrderDate ge ${filter.orderedFrom.replace('+00:00', 'Z')} and Id gt 0`)
  const page = await get(`${QUERY}/Orders/Orders?$filter=${where}&$select=${settings.ordersSelect}&$expand=Buyer&$orderby=Id&$top=${first + 1}`)
  return { nodes: page.value.slice(0, first).map(webOrder) }
}

async function customer(order, _, context) {
  if (order.source === 'commerce') return webCustomer(await context.webCustomers.load(order.buyer))
  const whole = await context.shopOrders.load(order.number)
  return shopCustomer(await context.shopCustomers.load(whole.CustomerId))
}

const keyOf = (id) => JSON.parse(Buffer.from(id, 'base64url').toString())[2]

export const resolvers = {
  Query: {
    orders,
    order: async (_, { by }, { get }) => shopOrder(await get(`/v1/Orders/${by.native.id}`)),
    nodes: async (_, { ids }, context) => (await context.webOrders.loadMany(ids.map(keyOf))).map(webOrder),
  },
  Order: { customer },
  Node: { __resolveType: () => 'Order' },
}
