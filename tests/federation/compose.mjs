// Composes subgraphs as Apollo does: `node compose.mjs NAME URL FILE ...` prints the supergraph, or one line for each mistake.
import { readFileSync } from 'node:fs'
import { composeServices } from '@apollo/composition'
import { parse } from 'graphql'

const words = process.argv.slice(2)
const services = []
while (words.length > 0) {
  const [name, url, file] = words.splice(0, 3)
  services.push({ name, url, typeDefs: parse(readFileSync(file, 'utf8')) })
}
const { errors, supergraphSdl } = composeServices(services)
for (const error of errors ?? []) console.error(error.message)
process.exitCode = errors ? 1 : 0
if (supergraphSdl) process.stdout.write(supergraphSdl)
