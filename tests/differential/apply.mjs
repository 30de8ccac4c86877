// Applies updates to Yjs documents in the order given and prints what each root map then holds.
// In: one JSON line for each history, a list of base64 updates. Out: one JSON line for each.
import * as Y from 'yjs'
import { createInterface } from 'node:readline'

for await (const line of createInterface({ input: process.stdin })) {
  const document = new Y.Doc()
  const map = document.getMap('r')
  for (const update of JSON.parse(line)) {
    Y.applyUpdate(document, new Uint8Array(Buffer.from(update, 'base64')))
  }
  console.log(JSON.stringify(map.toJSON()))
}
