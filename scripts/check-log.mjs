// SPDX-License-Identifier: Apache-2.0
//
// An independent checker of Truceline logs, written from docs/formats alone: node scripts/check-log.mjs DIR-or-URL [VKEY]. Needs
// check-parts.mjs beside it.
//
// Does steps 2 to 8 of ledger.md, "How to verify a log", but for the form of bodies that change no keys; of a folder also the files
// of earlier sizes. Not the rules, proofs and refusals. A file that is missing or of a wrong length ends it. Without VKEY the key is
// taken from record 0: the log then only agrees with itself. Prints "index layer: what" for each problem ("-" for no index), then
// the outcome: OK (exit 0), FAILED (1), INCOMPLETE or UPDATE NEEDED (3). Wrong usage exits 2. Notes go to stderr.
import { verify } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { BODIES, ENTRY, Fault, LINE_MAX, base64, boxed, commitmentOf, entryOf, faultOf, fits, fitsBox, idOf, keysIn, leafHash, need, openEnvelope,
  parseLine, parseNote, parseVerifierKey, publicKey, sha256, show, signedByLog, write } from './check-parts.mjs'

const problem = (index, layer, what) => { process.exitCode = 1; console.log(show(`${index} ${layer}: ${what}`)) }
const passes = (index, layer, f) => { const e = faultOf(f); if (e) problem(index, layer, e.message); return !e }
// ---- records, folded in order (records.md, "The roster of keys")
const keys = new Map(), members = new Set(), officers = new Set(), seen = new Map(), lacking = { records: 0, bodies: 0, unsure_signatures: 0 }
const FORMS = { ...BODIES, 'mission.opened': { ...BODIES['mission.opened'], log_key: s => s === log.vkey } }
let log, registry, mission, logged = 0, own = 0, sealed = 0, later, unread, unsure = false // log: the verifier key; unsure: keys may have changed unseen
function checkRecord(line, entry) {
  const i = line.index
  if (!passes(i, 'leaf', () => need(entry.equals(entryOf(line)), 'the line is not that of the log\'s entry'))) { unsure = true; return }
  const inOrder = passes(i, 'leaf', () => need(line.logged_at >= logged, 'logged_at is below that of the record before'))
  logged = line.logged_at
  let st, signatures, pae, body, committed = false
  const malformed = faultOf(() => ({ st, signatures, pae } = openEnvelope(line)))
  if (malformed?.kind === 'later') { unsure = true; later ??= `record ${i}, ${malformed.message}`; return }
  if (malformed) return problem(i, 'envelope', malformed.message)
  const form = Object.hasOwn(FORMS, st.kind) && FORMS[st.kind], given = Object.hasOwn(line, 'body')
  if (st.kind === 'officer.named') own++
  else if (boxed(st)) sealed++
  else if (st.body && !given) lacking.bodies++
  const bodyFault = given && faultOf(() => {
    need(st.body && st.kind !== 'officer.named', 'a body, where the kind has none or it is the member\'s own')
    need(boxed(st) === (line.enc === 'box'), 'given in a box, where it is none, or the reverse: it leaked')
    if (boxed(st)) return fitsBox(line.body)
    need((committed = commitmentOf(line, st) === st.body.commitment), 'not the one committed to')
    need(Buffer.byteLength(write(line.body)) <= 49152, 'too long')
    if (form) fits(form, line.body, 'body')
    body = line.body
  })
  const right = passes(i, 'envelope', () => {
    mission ??= st.mission
    need(!seen.has(st.id), `its id is that of record ${seen.get(st.id)}`)
    seen.set(st.id, i)
    need((i === 0) === (st.kind === 'mission.opened'), 'record 0, and no other, is mission.opened')
    need(st.mission === mission && st.origin === log.name, 'another mission or origin')
    const sure = checkSignatures(i, st, pae, signatures, form && body)
    if (form && body && sure && inOrder) changeRoster(i, st, body, signatures.map(s => s.keyid))
  })
  if (bodyFault) problem(i, 'body', bodyFault.message)
  if (form && !committed && right && inOrder) unsure = true
}
const rosterKey = (k, member, from, officer) => ({ key: publicKey(base64(k.public, 32)), member, from, until: Infinity, officer })
function checkSignatures(i, st, pae, signatures, body) { // gives whether they are known to be good
  const brings = ['mission.opened', 'key.rotated'].includes(st.kind) // keys that count in this record already
  const fresh = new Map((brings && body ? keysIn(body) : []).map(k => [idOf(k), rosterKey(k, st.member, i)]))
  const unseen = unsure || (brings && !body)
  let node = false // whether a key of the member signed that is no officer's, and not the new one of a rotation
  for (const { keyid, sig } of signatures) {
    const k = fresh.get(keyid) ?? keys.get(keyid)
    need(k || unseen, `signed by a key that is not on the roster: ${keyid}`)
    need(!k || verify(null, pae, k.key, base64(sig, 64)), `the signature is wrong: ${keyid}`)
    need(!k || (k.member === st.member && k.from <= i && i < k.until), `signed by a key that is not ${st.member}'s at this index: ${keyid}`)
    need(!k?.officer || k.officer === st.officer, `signed by another officer's key: ${keyid}`)
    node ||= !k?.officer && !(st.kind === 'key.rotated' && fresh.has(keyid))
  }
  need(node, 'not signed by a node of the member')
  if (unseen) lacking.unsure_signatures += signatures.length
  return !unseen
}
function changeRoster(i, st, body, signers) { // throws before it changes anything
  const added = keysIn(body).map(idOf), who = body.registry?.code ?? body.code ?? body.member ?? st.member // whose keys change
  const ended = body.old ?? (st.kind === 'key.revoked' && body.key), old = keys.get(ended), leaves = st.kind === 'member.left'
  need(members.has(who) !== ['mission.opened', 'member.admitted'].includes(st.kind), `${who} is not on the roster, or is already`)
  need(st.member === (st.kind === 'member.admitted' ? registry : who) || (leaves && st.member === registry), `${st.member} may not file this for ${who}`)
  need(!added.some((k, j) => keys.has(k) || added.indexOf(k) < j) && !officers.has(body.officer), 'adds a key or officer known already')
  need(!ended || (old?.member === who && old.from <= i && i < old.until), `ends a key that is not ${who}'s at this index`)
  need(!leaves || who !== registry, 'the registry cannot leave')
  need(!body.old || (!old.officer && [body.old, ...added].every(k => signers.includes(k))), 'an officer\'s key, or not both signed')
  if (i === 0) registry = who
  for (const [id, k] of keys) if (id === ended || (leaves && k.member === who)) k.until = Math.min(k.until, i + 1)
  for (const k of keysIn(body)) keys.set(idOf(k), rosterKey(k, who, i && i + 1, body.officer))
  if (body.officer) officers.add(body.officer)
  members[leaves ? 'delete' : 'add'](who)
}
// ---- the log and its files
const [, , address, givenKey, ...tooMany] = process.argv, remote = /^https?:\/\//i.test(address)
const widths = new Map() // of the log's files, by path without .p/W
const read = (file, max) => load(file, max).catch(e => { throw e instanceof Fault ? e : new Fault(`${file}: ${e.message}`, 'unread') })
async function load(file, max) {
  if (!remote) {
    const stat = fs.statSync(path.join(address, file), { throwIfNoEntry: false })
    need(stat?.isFile() && stat.size <= max, `${file}: missing, not a file, or too long`, !stat && file === 'checkpoint' && 'unread')
    return fs.readFileSync(path.join(address, file))
  }
  const answer = await fetch(`${address.replace(/\/+$/, '')}/${file}`, { signal: AbortSignal.timeout(60_000) })
  need(answer.status === 200, `${file}: status ${answer.status}`, (file === 'checkpoint' || ![404, 410].includes(answer.status)) && 'unread')
  let bytes = Buffer.alloc(0)
  for await (const part of answer.body) need((bytes = Buffer.concat([bytes, part])).length <= max, `${file}: too long`)
  return bytes
}
function pathOf(kind, n, w) {
  const base = `${kind}/${String(n).padStart(Math.ceil(String(n).length / 3) * 3, '0').replace(/\d{3}(?=\d)/g, 'x$&/')}`
  widths.set(base, w)
  return w < 256 ? `${base}.p/${w}` : base
}
async function readCheckpoint() { // also takes the log's key from record 0 when none was given
  const file = await read('checkpoint', 262144)
  return inside('checkpoint', async () => {
    const note = parseNote(file)
    log ??= parseVerifierKey(JSON.parse(String(await read(pathOf('records', 0, Math.min(note.size, 256)), 256 * (LINE_MAX + 1))).split('\n')[0]).body.log_key)
    signedByLog(note, log)
    return note
  })
}
const inside = (what, f) => f().catch(e => { throw e instanceof Fault && !e.kind ? new Fault(`${what}: ${e.message}`) : e })
function* recordsIn(bytes, file, from, to) { // the lines of a record bundle; one that does not belong there is a problem
  const lines = bytes.toString('latin1').split('\n')
  need(lines.pop() === '', `${file}: no line feed at the end`)
  for (const text of lines) {
    let line
    if (!passes('-', 'files', () => need((line = parseLine(Buffer.from(text, 'latin1'))).index >= from && line.index < to, `${file}: index ${line.index} here`))) continue
    from = line.index + 1
    yield line
  }
}
async function checkGroup(n, w) { // gives the leaf hashes
  const file = pathOf('records', n, w), entries = await read(pathOf('tile/entries', n, w), w * 52), bundle = await read(file, w * (LINE_MAX + 1))
  need(entries.length === w * 52, `entries of group ${n}: not of their length`)
  const all = Array.from({ length: w }, (_, j) => entries.subarray(52 * j, 52 * j + 52))
  all.forEach((e, j) => passes(256 * n + j, 'files', () => need(e.indexOf(`\0\x32${ENTRY}`) === 0, 'the entry is not of its form')))
  let next = 256 * n
  const skipTo = i => { lacking.records += i - next; unsure ||= i > next; next = i + 1 }
  for (const line of recordsIn(bundle, file, next, next + w)) {
    skipTo(line.index)
    checkRecord(line, all[line.index % 256].subarray(2))
  }
  skipTo(256 * n + w)
  return Buffer.concat(all.map(e => leafHash(e.subarray(2))))
}
function rootOf(hashes) {
  if (hashes.length <= 32) return hashes.length ? hashes : sha256()
  const k = 32 * 2 ** Math.floor(Math.log2(hashes.length / 32 - 1))
  return sha256('\x01', rootOf(hashes.subarray(0, k)), rootOf(hashes.subarray(k)))
}
async function checkTiles(level, hashes) {
  const tiles = Array.from({ length: Math.ceil(hashes.length / 8192) }, (_, n) => hashes.subarray(n * 8192, (n + 1) * 8192))
  for (const [n, tile] of tiles.entries()) {
    const found = await read(pathOf(`tile/${level}`, n, tile.length / 32), 8192)
    passes('-', 'files', () => need(found.equals(tile), `tile ${n} of level ${level}: not what the entries give`))
  }
  const above = tiles.filter(t => t.length === 8192).map(rootOf)
  if (above.length) await checkTiles(level + 1, Buffer.concat(above))
}
const common = ({ body, body_salt, enc, ...rest }, both) => write(both ? { body, body_salt, enc, ...rest } : rest)
async function checkOtherFiles() { // of a folder: those of earlier sizes agree with the fuller ones
  for (const f of fs.readdirSync(address, { recursive: true, withFileTypes: true }).filter(f => !f.isDirectory())) {
    const file = path.relative(address, path.join(f.parentPath ?? f.path, f.name)).split(path.sep).join('/')
    const [, base, , w = 256] = /^(.*?)(\.p\/([1-9]\d*))?$/s.exec(file), full = widths.get(base)
    if (!(+w < full)) { if (file !== 'checkpoint' && +w !== full) console.error(show(`note: not a file of the log: ${file}`)); continue }
    const [found, fuller] = await Promise.all([file, full < 256 ? `${base}.p/${full}` : base].map(x => read(x, Infinity)))
    const length = (base.startsWith('tile/entries/') ? 52 : 32) * w, from = +base.replace(/\D/g, '') * 256 // from: of records, without a level
    passes('-', 'files', () => {
      if (!base.startsWith('records/')) return need(found.length === length && fuller.indexOf(found) === 0, `${file}: not what the fuller one begins with`)
      const now = new Map([...recordsIn(fuller, file, from, from + full)].map(l => [l.index, l]))
      for (const a of recordsIn(found, file, from, from + +w)) { // either may lack lines and bodies; what both have agrees
        const b = now.get(a.index) ?? a, both = 'body' in a && 'body' in b, boxes = both && a.enc === 'box' && b.enc === 'box' // a box may be made anew
        need(common(a, both && !boxes) === common(b, both && !boxes), `${file}: record ${a.index} is another in the fuller one`)
      }
    })
  }
}
const misused = faultOf(() => {
  need(address && !tooMany.length && (remote || fs.statSync(address).isDirectory()), 'no folder or address')
  if (givenKey !== undefined) log = parseVerifierKey(givenKey)
})
if (misused) { console.error(show(misused.message), '\nusage: node scripts/check-log.mjs DIR-or-URL [VKEY]'); process.exit(2) }
process.stdout.on('error', () => process.exit(1))
let size = 0, root = '-'
try {
  ({ size, root } = await readCheckpoint())
  const groups = []
  for (let n = 0; n * 256 < size; n++) groups.push(await checkGroup(n, Math.min(256, size - n * 256)))
  await checkTiles(0, Buffer.concat(groups))
  passes('-', 'files', () => need(rootOf(Buffer.concat(groups)).toString('base64') === root, 'the root is not that of the entries'))
  if (!remote) await checkOtherFiles()
} catch (e) { if (e.kind === 'unread') unread = e.message; else problem('-', 'files', e.message) }
const gaps = lacking.records + lacking.bodies + lacking.unsure_signatures > 0
const outcome = process.exitCode ? 'FAILED' : unread ? 'INCOMPLETE' : later ? 'UPDATE NEEDED' : gaps ? 'INCOMPLETE' : 'OK'
if (outcome !== 'OK') process.exitCode ||= 3
console.log(`${outcome} ${size} records, root ${root}`)
for (const [said, what] of [[unread, `could not be read: ${unread}`], [later, `of a later version: ${later}`], [own, `${own} bodies are their members' own`],
  [sealed, `${sealed} bodies are encrypted for those who may read them, and were not judged`],
  [gaps, `not given, or resting on that, so not checked: ${JSON.stringify(lacking)}`]]) if (said) console.error(show(`note: ${what}`))
