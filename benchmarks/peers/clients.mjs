// Clients of a running server: node clients.mjs PROTOCOL URL TASK ..., PROTOCOL y-websocket or
// hocuspocus. Each prints one JSON object.
//   load LIBRARY              one client brings a library, and stays until it is ended
//   fill COUNT                a new client, until it holds so many references
//   write WRITERS EDITS       writers with so many small edits each, until an observer has them all
//   read READERS EDITS        one edit after the other: seconds until half and the last reader have it
import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'
import WebSocket from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'

const [protocol, url, task, ...rest] = process.argv.slice(2)
const room = 'library'
setMaxListeners(0, process)

function connect () {
  const doc = new Y.Doc()
  return new Promise((resolve) => {
    if (protocol === 'hocuspocus') {
      const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket })
      const one = new HocuspocusProvider({ websocketProvider, name: room, document: doc, onSynced: () => resolve(doc) })
      one.attach()
    } else {
      const one = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true })
      one.on('sync', (synced) => { if (synced) resolve(doc) })
    }
  })
}

// One by one: of many that come at once to pycrdt-websocket some are never told that they have all.
async function connectAll (count) {
  const docs = []
  while (docs.length < count) docs.push(await connect())
  return docs
}

const until = (doc, holds) => new Promise((resolve) => {
  const look = () => { if (holds()) { doc.off('update', look); resolve(performance.now()) } }
  doc.on('update', look)
  look()
})

async function load (library) {
  const doc = await connect()
  const found = readFileSync(library, 'utf8').split('\n').filter(Boolean).map(JSON.parse)
  const references = doc.getMap('references')
  doc.transact(() => { for (const one of found) references.set(one.id, new Y.Map(Object.entries(one.fields))) })
  const other = await connect()
  await until(other, () => other.getMap('references').size === found.length)
  return { references: found.length }
}

async function fill (count) {
  const began = performance.now()
  const doc = await connect()
  const ended = await until(doc, () => doc.getMap('references').size >= Number(count))
  return { references: doc.getMap('references').size, wall_s: (ended - began) / 1000 }
}

async function write (writers, edits) {
  const total = Number(writers) * Number(edits)
  const observer = await connect()
  const docs = await connectAll(Number(writers))
  const before = observer.getMap('edits').size
  const began = performance.now()
  const over = until(observer, () => observer.getMap('edits').size - before === total)
  for (let number = 0; number < Number(edits); number++) {
    docs.forEach((doc, writer) => doc.getMap('edits').set(`${process.pid} ${writer} ${number}`, 'a small edit'))
    await new Promise(setImmediate)
  }
  return { updates: total, wall_s: (await over - began) / 1000 }
}

async function read (readers, edits) {
  const docs = await connectAll(Number(readers))
  const writer = await connect()
  const half = []
  const last = []
  for (let number = 0; number < Number(edits); number++) {
    const key = `${process.pid} ${number}`
    const waits = docs.map((doc) => until(doc, () => doc.getMap('edits').has(key)))
    const began = performance.now()
    writer.getMap('edits').set(key, 'a small edit')
    const times = (await Promise.all(waits)).sort((one, other) => one - other)
    half.push((times[times.length >> 1] - began) / 1000)
    last.push((times.at(-1) - began) / 1000)
  }
  const middle = (values) => values.sort((one, other) => one - other)[values.length >> 1]
  return { readers: docs.length, half_s: middle(half), last_s: middle(last) }
}

const cpu = process.cpuUsage()
const found = await { load, fill, write, read }[task](...rest)
const used = process.cpuUsage(cpu)
console.log(JSON.stringify({ ...found, cpu_s: (used.user + used.system) / 1e6 }))
if (task !== 'load') process.exit(0)
