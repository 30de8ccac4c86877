// What offline edits of two replicas cost to merge: node merge.mjs yjs|loro LIBRARY EDITS EDITS.
// The library is one document of a map for each reference, the note a text; each edit is an update.
// Prints one JSON object; nothing is durable.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'
import { LoroDoc, LoroMap, LoroText } from 'loro-crdt'

const lines = (path) => readFileSync(path, 'utf8').split('\n').filter(Boolean).map(JSON.parse)

class YjsReplica {
  constructor () {
    this.doc = new Y.Doc()
    this.references = this.doc.getMap('references')
    this.updates = []
    this.doc.on('update', (update, origin) => { if (origin !== 'remote') this.updates.push(update) })
  }

  add (id, fields) {
    const map = new Y.Map(Object.entries(fields))
    map.set('note', new Y.Text())
    this.references.set(id, map)
  }

  load (records) { this.doc.transact(() => { for (const one of records) this.add(one.id, one.fields) }) }
  commit (act) { this.doc.transact(act) }
  find (id) { return this.references.get(id) }
  set (map, field, value) { map.set(field, value) }
  append (map, text) { const note = map.get('note'); note.insert(note.length, text) }
  remove (id) { this.references.delete(id) }
  state () { return Y.encodeStateAsUpdate(this.doc) }
  apply (update) { Y.applyUpdate(this.doc, update, 'remote') }
  content () { return this.references.toJSON() }
  take () { const found = this.updates; this.updates = []; return found }
}

class LoroReplica {
  constructor () {
    this.doc = new LoroDoc()
    this.references = this.doc.getMap('references')
    this.updates = []
    this.version = this.doc.version()
  }

  add (id, fields) {
    const map = this.references.setContainer(id, new LoroMap())
    for (const [name, value] of Object.entries(fields)) map.set(name, value)
    map.setContainer('note', new LoroText())
  }

  load (records) { for (const one of records) this.add(one.id, one.fields); this.doc.commit(); this.take() }

  commit (act) {
    act()
    this.doc.commit()
    this.updates.push(this.doc.export({ mode: 'update', from: this.version }))
    this.version = this.doc.version()
  }

  find (id) { return this.references.get(id) }
  set (map, field, value) { map.set(field, value) }
  append (map, text) { const note = map.get('note'); note.insert(note.length, text) }
  remove (id) { this.references.delete(id) }
  state () { return this.doc.export({ mode: 'snapshot' }) }
  apply (update) { this.doc.import(update) }
  content () { return this.doc.toJSON().references }
  take () { const found = this.updates; this.updates = []; this.version = this.doc.version(); return found }
}

function edit (replica, one) {
  const map = replica.find(one.ref)
  if (one.op !== 'new' && map === undefined) return
  replica.commit(() => {
    if (one.op === 'new') replica.add(one.ref, one.fields)
    else if (one.op === 'set') replica.set(map, one.field, one.value)
    else if (one.op === 'append') replica.append(map, one.text)
    else replica.remove(one.ref)
  })
}

function digest (replica) {
  const content = replica.content()
  const sorted = Object.keys(content).sort().map((id) => [id, Object.entries(content[id]).sort()])
  return [sorted.length, createHash('sha256').update(JSON.stringify(sorted)).digest('hex')]
}

const [kind, library, ...scripts] = process.argv.slice(2)
const Replica = { yjs: YjsReplica, loro: LoroReplica }[kind]
const replicas = [new Replica(), new Replica()]
replicas[0].load(lines(library))
replicas[1].apply(replicas[0].state())
for (const one of replicas) one.take()
replicas.forEach((one, number) => { for (const op of lines(scripts[number])) edit(one, op) })
const updates = replicas.map((one) => one.take())
const cpu = process.cpuUsage()
const began = performance.now()
for (const update of updates[1]) replicas[0].apply(update)
for (const update of updates[0]) replicas[1].apply(update)
const wall = performance.now() - began
const used = process.cpuUsage(cpu)
const [[count, first], [, second]] = replicas.map(digest)
if (first !== second) throw new Error('the two replicas differ')
console.log(JSON.stringify({
  references: count,
  hash: first,
  updates: updates[0].length + updates[1].length,
  bytes: updates.flat().reduce((sum, one) => sum + one.length, 0),
  wall_s: wall / 1000,
  cpu_s: (used.user + used.system) / 1e6
}))
