// An S3 server with the bucket "bucket" on loopback, until standard input ends. It takes the key pair S3RVER/S3RVER,
// or none, and does not check signatures of version 4. Prints its URL and versions as JSON. Its one argument is a folder
// of its own.
import { readFileSync } from 'node:fs'
import S3rver from 's3rver'

const server = new S3rver({
  address: '127.0.0.1', port: 0, silent: true, directory: process.argv[2], configureBuckets: [{ name: 'bucket' }]
})
const { port } = await server.run()
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)))
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, versions: dependencies }))
process.stdin.resume().on('end', () => process.exit())
