import Fastify from 'fastify'
import mercurius from 'mercurius'
import { makeContext, resolvers, settings, typeDefs } from './mapping.mjs'
import { get } from './pool.mjs'

const { Node, ...rest } = resolvers
const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { ...rest, Node: { resolveType: Node.__resolveType } },
  jit: 1,
  context: () => makeContext(get),
})
await app.listen({ port: settings.port, host: '127.0.0.1' })
