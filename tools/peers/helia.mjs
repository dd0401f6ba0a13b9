// A Helia node behind a trustless gateway on loopback, until standard input ends. Prints its URL and versions as JSON.
//
//   GET  /ipfs/{cid}?format=car|raw   what it holds
//   POST /add                         JSON {path: base64}: its own importer makes a directory, profile unixfs-v1-2025
//   POST /import                      a CAR
//   POST /fetch?cid=…&from=URL        gets a DAG from a trustless gateway
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { trustlessGateway } from '@helia/block-brokers'
import { car } from '@helia/car'
import { createHeliaHTTP } from '@helia/http'
import { httpGatewayRouting } from '@helia/routers'
import { unixfs } from '@helia/unixfs'
import { CarReader } from '@ipld/car'
import { CID } from 'multiformats/cid'

Promise.withResolvers ??= () => { // Node.js 20 lacks it
  const deferred = {}
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }))
  return deferred
}

const helia = await createHeliaHTTP({ blockBrokers: [], routers: [] })

const read = async (request) => Buffer.concat(await request.toArray())

const routes = {
  'POST /add': async (url, request) => {
    const files = Object.entries(JSON.parse(await read(request)))
    let root
    const entries = files.map(([path, content]) => ({ path, content: Buffer.from(content, 'base64') }))
    for await (const entry of unixfs(helia).addAll(entries, { profile: 'unixfs-v1-2025', wrapWithDirectory: true })) {
      root = entry.cid
    }
    return root.toString()
  },
  'POST /import': async (url, request) => {
    const reader = await CarReader.fromBytes(await read(request))
    await car(helia).import(reader)
    return String(await reader.getRoots())
  },
  'POST /fetch': async (url) => {
    const from = await createHeliaHTTP({
      blockBrokers: [trustlessGateway({ allowInsecure: true, allowLocal: true })],
      routers: [httpGatewayRouting({ gateways: [url.searchParams.get('from')] })]
    })
    let bytes = 0
    for await (const part of car(from).export(CID.parse(url.searchParams.get('cid')))) bytes += part.length
    await from.stop()
    return String(bytes)
  }
}

const serve = async (url, response) => {
  const cid = CID.parse(url.pathname.slice('/ipfs/'.length))
  if (!await helia.blockstore.has(cid)) {
    response.writeHead(404).end('not here')
  } else if (url.searchParams.get('format') === 'raw') {
    response.writeHead(200, { 'Content-Type': 'application/vnd.ipld.raw' })
    for await (const bytes of helia.blockstore.get(cid, { offline: true })) response.write(bytes)
    response.end()
  } else {
    response.writeHead(200, { 'Content-Type': 'application/vnd.ipld.car; version=1; order=dfs; dups=n' })
    Readable.from(car(helia).export(cid, { offline: true })).pipe(response)
  }
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://localhost')
    const route = routes[`${request.method} ${url.pathname}`]
    if (route) response.end(await route(url, request))
    else await serve(url, response)
  } catch (error) {
    response.writeHead(500).end(String(error?.stack))
  }
})
server.listen(0, '127.0.0.1', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)))
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, versions: dependencies }))
})
process.stdin.resume().on('end', () => process.exit())
