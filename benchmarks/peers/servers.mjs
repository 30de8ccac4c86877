// A server of a peer on a free port of 127.0.0.1: node servers.mjs y-websocket|hocuspocus.
// Prints its port. Neither keeps anything on the disk.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { WebSocketServer } from 'ws'

const require = createRequire(import.meta.url)

if (process.argv[2] === 'hocuspocus') {
  const { Server } = await import('@hocuspocus/server')
  const server = new Server({ address: '127.0.0.1', port: 0, quiet: true })
  await server.listen()
  console.log(server.address.port)
} else {
  const { setupWSConnection } = require('y-websocket/bin/utils')
  const http = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', setupWSConnection)
  http.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (one) => sockets.emit('connection', one, request))
  })
  http.listen(0, '127.0.0.1', () => console.log(http.address().port))
}
