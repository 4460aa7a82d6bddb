// SPDX-License-Identifier: Apache-2.0
//
// An independent checker of Truceline logs, written from docs/formats alone: node scripts/check-log.mjs DIR-or-URL [VKEY]
// [--policy FILE]. Needs check-parts.mjs and check-primitives.mjs beside it.
//
// Does steps 2 to 8 of ledger.md, "How to verify a log", but for the form of bodies that change no keys; of a folder also the files
// of earlier sizes; with a policy, who has cosigned, and the members' word on lines that were left out. Not the rules, proofs and
// refusals. A file that is missing or of a wrong length ends it. Without VKEY the key is taken from record 0: the log then only agrees
// with itself. Prints "index layer: what" for each problem ("-" for no index), then
// the outcome: OK (exit 0), FAILED (1), INCOMPLETE or UPDATE NEEDED (3). Wrong usage exits 2. Notes go to stderr.
import { verify } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { BODIES, CODE, ENTRY, Fault, LINE_MAX, WORDS, base64, boxed, bytesOf, commitmentOf, cosignedBy, cosignerKey, entryOf, faultOf, fits, fitsBox, idOf,
  keysIn, leafHash, met, need, openEnvelope, parseLine, parseNote, parsePolicy, parseVerifierKey, publicKey, sha256, show, signedByLog, write } from './check-parts.mjs'

const problem = (index, layer, what) => { process.exitCode = 1; console.log(show(`${index} ${layer}: ${what}`)) }
const passes = (index, layer, f) => { const e = faultOf(f); if (e) problem(index, layer, e.message); return !e }
// ---- records, folded in order (records.md, "The roster of keys")
// Two rosters: `sure` as far as that can be said, and from the first left-out line on `given`, as if nothing had been kept back.
const sure = { keys: new Map(), members: new Set(), officers: new Set(), registry: undefined, unsure: false } // unsure: keys may have changed unseen
const seen = new Map(), lacking = { records: 0, bodies: 0, unsure_signatures: 0 }, asGiven = { records: 0, unsure_signatures: 0 } // of lacking: what a word settles
const FORMS = { ...BODIES, 'mission.opened': { ...BODIES['mission.opened'], log_key: s => s === log.vkey } }, CHANGES = k => Object.hasOwn(FORMS, k) && k !== 'release.made'
let log, given, mission, logged = 0, own = 0, sealed = 0, later, unread // log: the verifier key
const lose = () => { sure.unsure = true; if (given) given.unsure = true }
function leaveOut(from, to) { // the lines of these records are not there
  for (let i = from; i < to; i++) {
    reach(i)
    if (i > 0) given ??= { ...sure, keys: new Map([...sure.keys].map(([id, k]) => [id, { ...k }])), members: new Set(sure.members), officers: new Set(sure.officers) }
    sure.unsure = true
    lacking.records++
    asGiven.records++
  }
}
function checkRecord(line, entry) {
  const i = line.index
  reach(i)
  if (!passes(i, 'leaf', () => need(entry.equals(entryOf(line)), 'the line is not that of the log\'s entry'))) return lose()
  const inOrder = passes(i, 'leaf', () => need(line.logged_at >= logged, 'logged_at is below that of the record before'))
  logged = line.logged_at
  let st, signatures, pae, body, committed = false
  const malformed = faultOf(() => ({ st, signatures, pae } = openEnvelope(line)))
  if (malformed?.kind === 'later') { lose(); later ??= `record ${i}, ${malformed.message}`; return }
  if (malformed) return problem(i, 'envelope', malformed.message)
  const form = Object.hasOwn(FORMS, st.kind) && FORMS[st.kind], there = Object.hasOwn(line, 'body'), changes = CHANGES(st.kind)
  let good = false // the signatures are, at least as given
  if (st.kind === 'officer.named') own++
  else if (boxed(st)) sealed++
  else if (st.body && !there) lacking.bodies++
  const bodyFault = there && faultOf(() => {
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
    const signers = signatures.map(s => s.keyid), fold = r => changes && body && inOrder && changeRoster(r, i, st, body, signers)
    if ((good = checkSignatures(sure, i, st, pae, signatures, changes && body))) return fold(sure)
    lacking.unsure_signatures += signatures.length
    good = given && !faultOf(() => { need(checkSignatures(given, i, st, pae, signatures, changes && body)); fold(given) })
    if (good) asGiven.unsure_signatures += signatures.length
  })
  if (bodyFault) problem(i, 'body', bodyFault.message)
  if (changes && !committed && right && inOrder) lose()
  if (right && inOrder && !(bodyFault && committed)) nameCosigner(i, st, body, good)
}
const rosterKey = (k, member, from, officer) => ({ key: publicKey(base64(k.public, 32)), member, from, until: Infinity, officer })
function checkSignatures(r, i, st, pae, signatures, body) { // gives whether they are known to be good
  const brings = ['mission.opened', 'key.rotated'].includes(st.kind) // keys that count in this record already
  const fresh = new Map((brings && body ? keysIn(body) : []).map(k => [idOf(k), rosterKey(k, st.member, i)]))
  const unseen = r.unsure || (brings && !body)
  let node = false // whether a key of the member signed that is no officer's, and not the new one of a rotation
  for (const { keyid, sig } of signatures) {
    const k = fresh.get(keyid) ?? r.keys.get(keyid)
    need(k || unseen, `signed by a key that is not on the roster: ${keyid}`)
    need(!k || verify(null, pae, k.key, base64(sig, 64)), `the signature is wrong: ${keyid}`)
    need(!k || (k.member === st.member && k.from <= i && i < k.until), `signed by a key that is not ${st.member}'s at this index: ${keyid}`)
    need(!k?.officer || k.officer === st.officer, `signed by another officer's key: ${keyid}`)
    node ||= !k?.officer && !(st.kind === 'key.rotated' && fresh.has(keyid))
  }
  need(node, 'not signed by a node of the member')
  return !unseen
}
function changeRoster(r, i, st, body, signers) { // throws before it changes anything
  const { keys, members, officers } = r
  const added = keysIn(body).map(idOf), who = body.registry?.code ?? body.code ?? body.member ?? st.member // whose keys change
  const ended = body.old ?? (st.kind === 'key.revoked' && body.key), old = keys.get(ended), leaves = st.kind === 'member.left'
  need(members.has(who) !== ['mission.opened', 'member.admitted'].includes(st.kind), `${who} is not on the roster, or is already`)
  need(st.member === (st.kind === 'member.admitted' ? r.registry : who) || (leaves && st.member === r.registry), `${st.member} may not file this for ${who}`)
  need(!added.some((k, j) => keys.has(k) || added.indexOf(k) < j) && !officers.has(body.officer), 'adds a key or officer known already')
  need(!ended || (old?.member === who && old.from <= i && i < old.until), `ends a key that is not ${who}'s at this index`)
  need(!leaves || who !== r.registry, 'the registry cannot leave')
  need(!body.old || (!old.officer && [body.old, ...added].every(k => signers.includes(k))), 'an officer\'s key, or not both signed')
  if (i === 0) r.registry = who
  for (const [id, k] of keys) if (id === ended || (leaves && k.member === who)) k.until = Math.min(k.until, i + 1)
  for (const k of keysIn(body)) keys.set(idOf(k), rosterKey(k, who, i && i + 1, body.officer))
  if (body.officer) officers.add(body.officer)
  members[leaves ? 'delete' : 'add'](who)
}
// ---- the members' word on what was left out (ledger.md, "The members' word")
const cosigners = [], heads = [], COSIGNER = { role: /^(witness|mirror|rules|outside)$/, 'url?': WORDS, vkey: WORDS }
let policy
function nameCosigner(i, st, body, good) { // also of departures; what is not sure brings no key, and ends those that it may have ended
  if (!policy || !['cosigner.named', 'member.left'].includes(st.kind)) return
  const end = which => { for (const c of cosigners) if (which(c)) c.ended = true }
  if (st.kind === 'member.left') return end(c => !body || c.member === body.member)
  if (!body || faultOf(() => fits(COSIGNER, body, 'body'))) return end(c => c.member === st.member)
  const { role, vkey } = body, now = { member: st.member, role, vkey, bytes: bytesOf(vkey), ended: false }
  now.fault = role !== 'outside' && faultOf(() => {
    const k = cosignerKey(vkey)
    need(k.name === `${log.name}/${role}/${now.member}` && !k.raw.subarray(1).equals(log.raw.subarray(1)), 'not of its name, or the log\'s key')
    need(!cosigners.some(c => c.bytes === now.bytes && (c.member !== now.member || c.role !== role || c.vkey !== vkey || c.ended)), 'another\'s')
  })
  end(c => c.member === now.member && c.role === role && role !== 'outside')
  if (good) cosigners.push(now)
}
const ownerOf = k => { // whose key of which role it is, by its name
  const [, role, member] = k.name.startsWith(`${log.name}/`) ? /^\/(witness|rules)\/(.*)$/s.exec(k.name.slice(log.name.length)) ?? [] : []
  return CODE.test(member ?? '') ? { role, member } : {}
}
function reach(size) { // the records before were read: what those say who cosigned a head of so many
  for (const h of heads.filter(h => h.size === size && !h.said)) {
    h.said = new Set()
    h.settles = { ...asGiven }
    const { registry } = given ?? sure, stands = k => {
      const c = cosigners.findLast(c => c.member === ownerOf(k).member && c.vkey === k.vkey && c.role === 'rules')
      return c && !c.fault && !c.ended
    }
    const word = new Set(h.signed.filter(k => ownerOf(k).role === 'rules' && stands(k)).map(k => ownerOf(k).member))
    for (const k of policy.witnesses) if (k.key && ownerOf(k).role === 'witness' && registry && ownerOf(k).member !== registry && word.has(ownerOf(k).member)) h.said.add(k.called)
  }
}
async function readHeads(newest) { // the newest witnessed head, if there is a file of it, and the newest
  need(policy.logs.some(l => l.vkey === log.vkey), 'the policy is for another log')
  const b = await read('witnessed', 262144).catch(e => { if (!e.absent) throw e })
  let older
  if (b) { older = parseNote(b); signedByLog(older, log) }
  if (older && older.size <= newest.size) heads.push({ ...older, signed: cosignedBy(policy, older) })
  heads.push({ ...newest, signed: cosignedBy(policy, newest) })
}
const witnessedBy = h => policy.quorum === 'none' || met(policy, new Set(h.signed.map(k => k.called)))
function settle() { // what is good as given is good, up to the largest head of which a quorum says that all passed the rules
  const h = heads.filter(h => h.said && policy.quorum !== 'none' && met(policy, h.said)).sort((a, b) => b.size - a.size)[0]
  if (!h || process.exitCode || !sure.keys.size) return
  for (const k of Object.keys(h.settles)) lacking[k] -= h.settles[k]
  return h.settles.records && `${h.settles.records} lines were left out; that all of the first ${h.size} records passed the rules is the word of ${[...h.said].join(', ')}`
}
// ---- the log and its files
let address, givenKey, remote
const widths = new Map() // of the log's files, by path without .p/W
const read = (file, max) => load(file, max).catch(e => { throw e instanceof Fault ? e : new Fault(`${file}: ${e.message}`, 'unread') })
async function load(file, max) {
  if (!remote) {
    const stat = fs.statSync(path.join(address, file), { throwIfNoEntry: false })
    if (!stat && file === 'witnessed') throw Object.assign(new Fault('there is none'), { absent: true })
    need(stat?.isFile() && stat.size <= max, `${file}: missing, not a file, or too long`, !stat && file === 'checkpoint' && 'unread')
    return fs.readFileSync(path.join(address, file))
  }
  const answer = await fetch(`${address.replace(/\/+$/, '')}/${file}`, { signal: AbortSignal.timeout(60_000) })
  if ([404, 410].includes(answer.status) && file === 'witnessed') throw Object.assign(new Fault('there is none'), { absent: true })
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
    if (policy) await readHeads(note)
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
  const skipTo = i => { leaveOut(next, i); next = i + 1 }
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
    if (!(+w < full)) { if (!['checkpoint', 'witnessed'].includes(file) && +w !== full) console.error(show(`note: not a file of the log: ${file}`)); continue }
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
  const { positionals, values } = parseArgs({ args: process.argv.slice(2), allowPositionals: true, options: { policy: { type: 'string' } } })
  ;[address, givenKey] = positionals
  remote = /^https?:\/\//i.test(address)
  need(address && positionals.length <= 2 && (remote || fs.statSync(address).isDirectory()), 'no folder or address')
  if (givenKey !== undefined) log = parseVerifierKey(givenKey)
  if (values.policy !== undefined) policy = parsePolicy(fs.readFileSync(values.policy, 'utf8'))
})
if (misused) { console.error(show(misused.message), '\nusage: node scripts/check-log.mjs DIR-or-URL [VKEY] [--policy FILE]'); process.exit(2) }
process.stdout.on('error', () => process.exit(1))
let size = 0, root = '-', word, witnessed
try {
  ({ size, root } = await readCheckpoint())
  const groups = []
  for (let n = 0; n * 256 < size; n++) groups.push(await checkGroup(n, Math.min(256, size - n * 256)))
  await checkTiles(0, Buffer.concat(groups))
  const leaves = Buffer.concat(groups)
  passes('-', 'files', () => need(rootOf(leaves).toString('base64') === root, 'the root is not that of the entries'))
  for (const h of heads) passes('-', 'files', () => need(h.size === size || rootOf(leaves.subarray(0, 32 * h.size)).toString('base64') === h.root, 'witnessed: the log has signed another tree of so many'))
  if (!remote) await checkOtherFiles()
  reach(size)
  witnessed = heads.length && witnessedBy(heads[0])
  if (policy) word = settle()
} catch (e) { if (e.kind === 'unread') unread = e.message; else problem('-', 'files', e.message) }
const gaps = lacking.records + lacking.bodies + lacking.unsure_signatures > 0
const outcome = process.exitCode ? 'FAILED' : unread ? 'INCOMPLETE' : later ? 'UPDATE NEEDED' : gaps || (policy && !witnessed) ? 'INCOMPLETE' : 'OK'
if (outcome !== 'OK') process.exitCode ||= 3
console.log(`${outcome} ${size} records, root ${root}`)
for (const [said, what] of [[unread, `could not be read: ${unread}`], [later, `of a later version: ${later}`], [own, `${own} bodies are their members' own`],
  [word, word], [policy && !witnessed, 'the cosignatures that the policy asks for are not there'],
  [sealed, `${sealed} bodies are encrypted for those who may read them, and were not judged`],
  [gaps, `not given, or resting on that, so not checked: ${JSON.stringify(lacking)}`]]) if (said) console.error(show(`note: ${what}`))
