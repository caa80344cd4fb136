// The subgraph of Hive Gateway: the upstream's reads as Mesh's JSON schema handler makes fields of them.
import { defineConfig } from '@graphql-mesh/compose-cli'
import { loadJSONSchemaSubgraph } from '@omnigraph/json-schema'

const settings = JSON.parse(process.env.BENCH_PEER)
const QUERY = '/commerce/query/2.0'

const shopRow = { OrderCode: 'x', Date: 'x', MainStatusId: 12, CurrencyCode: 'EUR', OrderTotalIncVat: 1.5, OrderTotalExVat: 1.5 }
const webRow = { Id: 1, OrderNo: 'x', OrderDate: 'x', DeliveryMode: 'x', BuyerCustomerId: 1 }
const webCustomer = { Id: 1, CustomerCode: 'x', EmailAddress: 'x', PhoneNumber: 'x', CellPhoneNumber: 'x' }

const read = (field, path, responseTypeName, responseSample) => ({
  type: 'Query',
  method: 'GET',
  field,
  path,
  responseTypeName,
  responseSample,
})

export const composeConfig = defineConfig({
  subgraphs: [
    {
      sourceHandler: loadJSONSchemaSubgraph('Upstream', {
        endpoint: settings.upstream,
        operations: [
          read('shopRows', '/v1/Shops/1/Orders?emailAddress={args.email}&pageSize={args.first}&pageNumber=1', 'ShopRow', [shopRow]),
          read('shopOrder', '/v1/Orders/{args.id}', 'ShopOrder', shopRow),
          read('shopOrderByCode', '/v1/Shops/1/Orders/{args.code}', 'ShopWhole', { CustomerId: 1 }),
          read('shopCustomer', '/v1/Customers/{args.id}', 'ShopCustomer', { CustomerCode: 'x', CompanyName: 'x', EMail: 'x' }),
          read(
            'webPage',
            `${QUERY}/Orders/Orders?$filter={args.where}&$select=${settings.ordersSelect}&$expand=Buyer&$orderby=Id&$top={args.top}`,
            'WebPage',
            { value: [webRow] },
          ),
          read('webOrders', `${QUERY}/Orders/Orders?$filter={args.where}&$select=${settings.ordersSelect}`, 'WebOrders', { value: [webRow] }),
          read('webCustomers', `${QUERY}/Customers/Customers?$filter={args.where}&$select=${settings.customersSelect}`, 'WebCustomers', {
            value: [webCustomer],
          }),
        ],
      }),
    },
  ],
})
