// SPDX-License-Identifier: Apache-2.0
//
// An independent checker of Truceline logs, written from docs/formats alone: node scripts/check-log.mjs DIR-or-URL [VKEY]
//
// Does steps 2 to 8 of ledger.md, "How to verify a log", but for the form of bodies that change no keys; of a folder also the files
// of earlier sizes. Not the rules, proofs and refusals. A file that is missing or of a wrong length ends it. Without VKEY the key is
// taken from record 0: the log then only agrees with itself. Prints "index layer: what" for each problem ("-" for no index), then
// the outcome: OK (exit 0), FAILED (1), INCOMPLETE or UPDATE NEEDED (3). Wrong usage exits 2. Notes go to stderr.
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

class Fault extends Error { constructor(what, kind) { super(what); this.kind = kind } }
const need = (ok, what, kind) => { if (!ok) throw new Fault(what, kind) }
const known = (ok, what) => need(ok, what, 'later') // what a later version may say, and this one does not know
const show = s => String(s).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, c => `\\u{${c.codePointAt(0).toString(16)}}`)
const problem = (index, layer, what) => { process.exitCode = 1; console.log(show(`${index} ${layer}: ${what}`)) }
const faultOf = f => { try { f() } catch (e) { return e } } // what f throws, if anything
const passes = (index, layer, f) => { const e = faultOf(f); if (e) problem(index, layer, e.message); return !e }
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest()
const hmac = (salt, ...parts) => parts.reduce((h, p) => h.update(p), createHmac('sha256', Buffer.from(salt, 'hex'))).digest()
// ---- canonical JSON and base64: read, write again, compare
function write(v, depth = 16) {
  const odd = typeof v === 'number' ? !Number.isSafeInteger(v) : typeof v === 'string' && (!v.isWellFormed() || /[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(v))
  need(depth >= 0 && v !== null && !odd, 'not canonical JSON: null, a number or text that is not admitted, or too deep')
  if (typeof v !== 'object') return JSON.stringify(v)
  if (Array.isArray(v)) return `[${v.map(x => write(x, depth - 1)).join(',')}]`
  const names = Object.keys(v).sort() // ASCII only, so that this is byte order
  need(names.every(k => /^[A-Za-z0-9_.-]{1,64}$/.test(k)), 'not canonical JSON: a key that is not admitted')
  return `{${names.map(k => `"${k}":${write(v[k], depth - 1)}`).join(',')}}`
}
const decode = bytes => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
function parse(bytes) {
  const text = decode(bytes), value = JSON.parse(text)
  return need(write(value) === text, 'not canonical JSON') ?? value
}
function base64(s, length) {
  const bytes = Buffer.from(String(s), 'base64'), n = length ?? bytes.length
  return need(bytes.toString('base64') === s && bytes.length === n, `not base64 of ${length ?? 'any'} bytes`) ?? bytes
}
// ---- forms: a pattern for text, a lower bound for an integer, a test, [items], or {fields}
const TEXT = /^/, WORDS = /./s, CODE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, HEX16 = /^[0-9a-f]{32}$/, HEX32 = /^[0-9a-f]{64}$/
const ID = /^(?!0{32})[0-9a-f]{32}$/, DIGEST = /^(?!0{64})[0-9a-f]{64}$/, TRUE = v => v === true, ANY = () => true
const ORIGIN = /^(?=.{1,255}$)[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*$/
function fits(form, v, at) {
  need(form instanceof RegExp ? typeof v === 'string' && form.test(v) : typeof form === 'number' ? Number.isInteger(v) && v >= form
    : typeof form === 'function' ? form(v) : typeof v === 'object' && Array.isArray(v) === Array.isArray(form), `${at}: not of its form`)
  if (Array.isArray(form)) v.forEach((x, i) => fits(form[0], x, `${at}[${i}]`))
  if (Object.getPrototypeOf(form) !== Object.prototype) return
  for (const k of Object.keys(v)) need(Object.hasOwn(form, k) || Object.hasOwn(form, `${k}?`), `${at}.${k}: unknown field`)
  for (const [name, f] of Object.entries(form)) { // "name?" may be left out, and must be when it is empty
    const k = name.replace('?', '')
    if (!Object.hasOwn(v, k)) { need(k !== name, `${at}.${k}: missing`); continue }
    need(k === name || f === ANY || !/^(""|\[\]|{}|false)$/.test(JSON.stringify(v[k])), `${at}.${k}: empty, so it must be left out`)
    fits(f, v[k], `${at}.${k}`)
  }
}
// ---- keys
const P = 2n ** 255n - 19n, SMALL = [0n, 1n, P - 1n, 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n] // points of small order
function publicKey(raw) {
  const y = BigInt(`0x${Buffer.from(raw).reverse().toString('hex')}`) % 2n ** 255n
  need(y < P && !SMALL.includes(y), 'a public key that must be refused')
  return createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' })
}
const idOf = k => sha256(`truceline-key/v1\n${k.alg}\n`, base64(k.public, 32)).toString('hex', 0, 16)
function parseVerifierKey(vkey) {
  const [, name, hash, b64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(vkey) ?? [], raw = base64(b64, 33)
  need(ORIGIN.test(name) && raw[0] === 1 && hash === sha256(name, '\n', raw).toString('hex', 0, 4), 'not the verifier key of a log')
  return { name, hash, vkey, key: publicKey(raw.subarray(1)) }
}
// ---- kinds: the subjects they need and ?may have, and the bodies of those that change keys
const KINDS = Object.fromEntries(`mission.opened, member.admitted, member.left, key.added, key.rotated, key.revoked, officer.enrolled, officer.named,
  cosigner.named, agreement.adopted, report.filed, account.filed ?report, account.amended account ?report, account.withdrawn account, account.set_aside account,
  batch.opened, batch.closed batch, batch.withdrawn batch, incident.opened, incident.linked account incident, incident.unlinked link,
  incident.aliased incident into, source.graded, linkage.fitted, act.undone act, clock.ticked`.split(/,\s+/).map(k => k.split(' ')).map(([k, ...roles]) => [k, roles]))
const KEY = { alg: /^ed25519$/, public: s => publicKey(base64(s, 32)) }, CONTINUED = { log_key: WORDS, origin: ORIGIN, root: DIGEST, size: 1 }
const ADMISSION = { code: CODE, 'keys?': [KEY], name: WORDS, role: /^(party|third_party|monitor|observer|desk|registry)$/ }
const BODIES = {
  'mission.opened': { 'continues?': CONTINUED, log_key: s => s === log.vkey, registry: { ...ADMISSION, role: /^registry$/ }, title: WORDS },
  'member.admitted': ADMISSION, 'member.left': { member: CODE, reason: /\P{White_Space}/u }, 'key.added': { key: KEY, member: CODE },
  'key.rotated': { new: KEY, old: HEX16 }, 'key.revoked': { key: HEX16, member: CODE, 'note?': TEXT, reason: /^(lost|compromised|retired)$/ },
  'officer.enrolled': { 'key?': KEY, officer: ID } }
// ---- line, envelope, statement
const TYPE = 'application/vnd.truceline.statement.v1+json', LATER = /^"application\/vnd\.truceline\.statement\.v(?!1\+)[1-9]\d*\+json"$/
const LINE = { 'body?': ANY, 'body_salt?': DIGEST, 'enc?': /^none$/, envelope: ANY, index: 0, leaf_salt: HEX32, logged_at: 0 }
const ENVELOPE = { payload: base64, payloadType: s => s === TYPE, signatures: [{ keyid: HEX16, sig: s => base64(s, 64) }] }
const STATEMENT = { audience: CODE, claimed_at: 0, 'crit?': [TEXT], 'exercise?': TRUE, id: ID, kind: CODE, kind_v: 1, member: CODE, mission: ID,
  'officer?': ID, origin: ORIGIN, rules: 1, 'subjects?': [{ id: ID, role: CODE }], 'supersedes?': ID, v: 1,
  'body?': b => typeof b.alg === 'string' && CODE.test(b.alg) && (b.alg !== 'hmac-sha256' || !fits({ alg: CODE, commitment: DIGEST }, b, 'body')),
  'ext?': v => typeof v === 'object' && !Array.isArray(v) && Object.values(v).every(x => typeof x === 'string') }
function parseLine(text) {
  need(text.length <= LINE_MAX, 'a line is too long')
  const line = parse(Buffer.from(text, 'latin1'))
  fits(LINE, line, 'line')
  return need(new Set(['body', 'body_salt', 'enc'].map(k => Object.hasOwn(line, k))).size === 1, 'body, body_salt, enc: not together') ?? line
}
function parseStatement(bytes) { // in the order of records.md, "What is not known"
  need(bytes.length <= 8192, 'the statement is too long')
  const st = parse(bytes)
  known(!(Number.isInteger(st.v) && st.v > 1), `v ${st.v}`)
  fits(STATEMENT, st, 'statement')
  for (const [j, c] of (st.crit ?? []).entries()) need(Object.hasOwn(st.ext ?? {}, c) && !(st.crit[j - 1] >= c), 'crit: not in ext, or not in order')
  known(Object.hasOwn(KINDS, st.kind) && st.kind_v === 1 && !st.crit && [undefined, 'hmac-sha256'].includes(st.body?.alg),
    `kind ${st.kind} version ${st.kind_v}, crit ${st.crit}, or alg ${st.body?.alg}`)
  need(!st.body === (st.kind === 'clock.ticked') && !st.supersedes === (st.kind !== 'account.amended') &&
    st.audience !== (st.kind === 'officer.named' ? 'public' : 'own'), 'body, supersedes or audience: missing, or not of the kind')
  const roles = (st.subjects ?? []).map(s => s.role), admitted = KINDS[st.kind]
  need(new Set(roles).size === roles.length && admitted.every(r => r[0] === '?' || roles.includes(r)) &&
    roles.every(r => r === 'batch' || admitted.includes(r) || admitted.includes(`?${r}`)), 'statement.subjects: not those of the kind')
  return known(['public', 'own'].includes(st.audience) && st.rules === 1, `audience ${st.audience} or rules ${st.rules}`) ?? st
}
// ---- records, folded in order (records.md, "The roster of keys")
const keys = new Map(), members = new Set(), officers = new Set(), seen = new Map(), lacking = { records: 0, bodies: 0, unsure_signatures: 0 }
let log, registry, mission, logged = 0, own = 0, later, unread, unsure = false // log: the verifier key; unsure: keys may have changed unseen
function checkRecord(line, entry) {
  const { index: i, envelope: { signatures } } = line
  const envelope = Buffer.from(write(line.envelope)), time = Buffer.from(line.logged_at.toString(16).padStart(16, '0'), 'hex')
  const made = Buffer.concat([Buffer.from(ENTRY), hmac(line.leaf_salt, 'truceline-entry/v1\n', time, envelope)])
  if (!passes(i, 'leaf', () => need(entry.equals(made), 'the line is not that of the log\'s entry'))) { unsure = true; return }
  const inOrder = passes(i, 'leaf', () => need(line.logged_at >= logged, 'logged_at is below that of the record before'))
  logged = line.logged_at
  let st, payload, body, committed = false
  const malformed = faultOf(() => {
    need(envelope.length <= 16384, 'too long')
    known(!LATER.test(JSON.stringify(line.envelope.payloadType)), line.envelope.payloadType)
    fits(ENVELOPE, line.envelope, 'envelope')
    need(signatures.length && signatures.every((s, j) => j < 16 && !(signatures[j - 1]?.keyid >= s.keyid)), 'signatures: none, too many, or not in order')
    st = parseStatement(payload = base64(line.envelope.payload))
  })
  if (malformed?.kind === 'later') { unsure = true; later ??= `record ${i}, ${malformed.message}`; return }
  if (malformed) return problem(i, 'envelope', malformed.message)
  const form = Object.hasOwn(BODIES, st.kind) && BODIES[st.kind], given = Object.hasOwn(line, 'body')
  if (st.kind === 'officer.named') own++
  else if (st.body && !given) lacking.bodies++
  const bodyFault = given && faultOf(() => {
    need(st.body && st.kind !== 'officer.named', 'a body, where the kind has none or it is the member\'s own')
    const bytes = Buffer.from(write(line.body))
    need((committed = hmac(line.body_salt, 'truceline-body/v1\n', bytes).toString('hex') === st.body.commitment), 'not the one committed to')
    need(bytes.length <= 49152, 'too long')
    if (form) fits(form, line.body, 'body')
    body = line.body
  })
  const right = passes(i, 'envelope', () => {
    mission ??= st.mission
    need(!seen.has(st.id), `its id is that of record ${seen.get(st.id)}`)
    seen.set(st.id, i)
    need((i === 0) === (st.kind === 'mission.opened'), 'record 0, and no other, is mission.opened')
    need(st.mission === mission && st.origin === log.name, 'another mission or origin')
    const sure = checkSignatures(i, st, payload, signatures, form && body)
    if (form && body && sure && inOrder) changeRoster(i, st, body, signatures.map(s => s.keyid))
  })
  if (bodyFault) problem(i, 'body', bodyFault.message)
  if (form && !committed && right && inOrder) unsure = true
}
const keysIn = b => b.registry?.keys ?? b.keys ?? [b.new ?? b.key].filter(k => k?.public) // that a body puts on the roster
const rosterKey = (k, member, from, officer) => ({ key: publicKey(base64(k.public, 32)), member, from, until: Infinity, officer })
function checkSignatures(i, st, payload, signatures, body) { // gives whether they are known to be good
  const brings = ['mission.opened', 'key.rotated'].includes(st.kind) // keys that count in this record already
  const fresh = new Map((brings && body ? keysIn(body) : []).map(k => [idOf(k), rosterKey(k, st.member, i)]))
  const unseen = unsure || (brings && !body)
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload])
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
const ENTRY = 'truceline-leaf/v1\n', LINE_MAX = 49152 + 16384 + 1024, widths = new Map() // widths: of the log's files, by path without .p/W
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
const CHECKPOINT = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n\n((?:\u2014 [^\p{White_Space}\p{Cc}+]+ \S+\n){1,64})$/u
async function readCheckpoint() { // also takes the log's key from record 0 when none was given
  const [, origin, size, root, lines] = CHECKPOINT.exec(decode(await read('checkpoint', 262144))) ?? []
  need(lines && Number.isSafeInteger(+size) && base64(root, 32), 'checkpoint: not of its form')
  log ??= parseVerifierKey(JSON.parse(String(await read(pathOf('records', 0, Math.min(size, 256)), 256 * (LINE_MAX + 1))).split('\n')[0]).body.log_key)
  const signatures = lines.slice(0, -1).split('\n').map(l => l.split(' ')).map(([, name, s]) => ({ name, raw: base64(s) }))
  need(new Set(lines.split('\n')).size === signatures.length + 1 && signatures.every(s => s.raw.length > 4), 'checkpoint: a line twice, or empty')
  const ours = signatures.filter(s => s.name === log.name && s.raw.toString('hex', 0, 4) === log.hash)
  need(origin === log.name && ours.length === 1 && ours[0].raw.length === 68, 'checkpoint: not of the log, or not signed once by its key')
  need(verify(null, Buffer.from(`${origin}\n${size}\n${root}\n`), log.key, ours[0].raw.subarray(4)), 'checkpoint: the signature is wrong')
  return { size: +size, root }
}
function* recordsIn(bytes, file, from, to) { // the lines of a record bundle; one that does not belong there is a problem
  const lines = bytes.toString('latin1').split('\n')
  need(lines.pop() === '', `${file}: no line feed at the end`)
  for (const text of lines) {
    let line
    if (!passes('-', 'files', () => need((line = parseLine(text)).index >= from && line.index < to, `${file}: index ${line.index} here`))) continue
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
  return Buffer.concat(all.map(e => sha256('\0', e.subarray(2))))
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
        const b = now.get(a.index) ?? a, both = 'body' in a && 'body' in b
        need(common(a, both) === common(b, both), `${file}: record ${a.index} is another in the fuller one`)
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
  [gaps, `not given, or resting on that, so not checked: ${JSON.stringify(lacking)}`]]) if (said) console.error(show(`note: ${what}`))
