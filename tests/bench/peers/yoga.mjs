import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { makeContext, resolvers, settings, typeDefs } from './mapping.mjs'
import { get } from './pool.mjs'

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => makeContext(get),
  logging: false,
  graphiql: false,
})
createServer(yoga).listen(settings.port, '127.0.0.1')
