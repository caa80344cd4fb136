import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { RESTDataSource } from '@apollo/datasource-rest'
import { makeContext, resolvers, settings, typeDefs } from './mapping.mjs'

class Upstream extends RESTDataSource {
  baseURL = settings.upstream

  read(target) {
    return this.get(target)
  }
}

const server = new ApolloServer({ typeDefs, resolvers })
await startStandaloneServer(server, {
  listen: { port: settings.port, host: '127.0.0.1' },
  context: async () => {
    const upstream = new Upstream({ cache: server.cache })
    return makeContext((target) => upstream.read(target))
  },
})
