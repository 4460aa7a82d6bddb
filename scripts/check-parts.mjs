// SPDX-License-Identifier: Apache-2.0
//
// What the checkers of logs (check-log.mjs) and of bundles (check-bundle.mjs) share, written from docs/formats alone: canonical JSON,
// forms, keys, record lines, envelopes and statements, signed notes, the tree, cosigners and policies. It keeps nothing, and runs in
// browsers too.
import { Buffer, hmac, rawKey, sha256, verify } from './check-primitives.mjs'

export { Buffer, hmac, sha256, verify }

export class Fault extends Error { constructor(what, kind) { super(what); this.kind = kind } }
export const need = (ok, what, kind) => { if (!ok) throw new Fault(what, kind) }
export const known = (ok, what) => need(ok, what, 'later') // what a later version may say, and this one does not know
export const show = s => String(s).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, c => `\\u{${c.codePointAt(0).toString(16)}}`)
export const faultOf = f => { try { f() } catch (e) { return e } } // what f throws, if anything
// ---- canonical JSON and base64: read, write again, compare
export function write(v, depth = 16) {
  const odd = typeof v === 'number' ? !Number.isSafeInteger(v) : typeof v === 'string' && (!v.isWellFormed() || /[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(v))
  need(depth >= 0 && v !== null && !odd, 'not canonical JSON: null, a number or text that is not admitted, or too deep')
  if (typeof v !== 'object') return JSON.stringify(v)
  if (Array.isArray(v)) return `[${v.map(x => write(x, depth - 1)).join(',')}]`
  const names = Object.keys(v).sort() // ASCII only, so that this is byte order
  need(names.every(k => /^[A-Za-z0-9_.-]{1,64}$/.test(k)), 'not canonical JSON: a key that is not admitted')
  return `{${names.map(k => `"${k}":${write(v[k], depth - 1)}`).join(',')}}`
}
export const decode = bytes => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
export function parse(bytes) {
  const text = decode(bytes), value = JSON.parse(text)
  return need(write(value) === text, 'not canonical JSON') ?? value
}
export function base64(s, length) {
  const bytes = Buffer.from(String(s), 'base64'), n = length ?? bytes.length
  return need(bytes.toString('base64') === s && bytes.length === n, `not base64 of ${length ?? 'any'} bytes`) ?? bytes
}
// ---- forms: a pattern for text, a lower bound for an integer, a test, [items], or {fields}
export const TEXT = /^/, WORDS = /./s, CODE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, HEX16 = /^[0-9a-f]{32}$/, HEX32 = /^[0-9a-f]{64}$/
export const ID = /^(?!0{32})[0-9a-f]{32}$/, DIGEST = /^(?!0{64})[0-9a-f]{64}$/, TRUE = v => v === true, ANY = () => true
export const ORIGIN = /^(?=.{1,255}$)[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*$/
export function fits(form, v, at) {
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
export function publicKey(raw) {
  const y = BigInt(`0x${Buffer.from(raw).reverse().toString('hex')}`) % 2n ** 255n
  need(y < P && !SMALL.includes(y), 'a public key that must be refused')
  return rawKey(raw)
}
export const idOf = k => sha256(`truceline-key/v1\n${k.alg}\n`, base64(k.public, 32)).toString('hex', 0, 16)
function splitVerifierKey(vkey) {
  const [, name, hash, b64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(vkey) ?? [], raw = base64(b64)
  need(name && hash === sha256(name, '\n', raw).toString('hex', 0, 4), 'not a verifier key')
  return { name, hash, vkey, raw }
}
export function parseVerifierKey(vkey) { // of a log
  const k = splitVerifierKey(vkey)
  need(ORIGIN.test(k.name) && k.raw[0] === 1 && k.raw.length === 33, 'not the verifier key of a log')
  return { ...k, key: publicKey(k.raw.subarray(1)) }
}
// ---- kinds: the subjects they need and ?may have, and the bodies of those that change keys
const KINDS = Object.fromEntries(`mission.opened, member.admitted, member.left, key.added, key.rotated, key.revoked, officer.enrolled, officer.named,
  cosigner.named, agreement.adopted, report.filed, account.filed ?report, account.amended account ?report, account.withdrawn account, account.set_aside account,
  batch.opened, batch.closed batch, batch.withdrawn batch, incident.opened, incident.linked account incident, incident.unlinked link,
  incident.aliased incident into, source.graded, linkage.fitted, act.undone act, clock.ticked, notice.filed, account.sealed incident,
  filing.declined incident, filing.vouched account, share.released account, account.opened account, recipient.named, audience.keyed, audience.shared,
  body.erased record, erasure.confirmed record, identity.filed account, identity.asked identity, identity.released request, identity.read identity,
  release.proposed ?incident, release.consented release, release.answered release, release.made release`.split(/,\s+/).map(k => k.split(' ')).map(([k, ...roles]) => [k, roles]))
const NO_BODY = ['clock.ticked', 'erasure.confirmed', 'release.consented'], AUDIENCES = ['public', 'members', 'mechanism', 'named', 'own'] // and which of them a kind may have:
const CONTENT = /^(report\.filed|account\.(filed|amended)|identity\.\w+)$/, APART = /^identity\./, MEMBERS = /^(audience|body|erasure|release\.(proposed|consented|answered)$)/, SHARED = /^(account|incident|act|notice|filing|share|release)\./
const audiencesOf = k => k === 'officer.named' ? ['own'] : APART.test(k) ? ['named'] : MEMBERS.test(k) ? ['members'] : AUDIENCES.slice(0, CONTENT.test(k) ? 4 : SHARED.test(k) ? 2 : 1)
const KEY = { alg: /^ed25519$/, public: s => publicKey(base64(s, 32)) }, CONTINUED = { log_key: WORDS, origin: ORIGIN, root: DIGEST, size: 1 }
const ADMISSION = { code: CODE, 'keys?': [KEY], name: WORDS, role: /^(party|third_party|monitor|observer|desk|registry)$/ }
export const BODIES = { // log_key of mission.opened is for the checkers
  'mission.opened': { 'continues?': CONTINUED, log_key: WORDS, registry: { code: CODE, keys: list => Array.isArray(list) && list.length && !fits([KEY], list, 'keys'), name: WORDS, role: /^registry$/ }, title: WORDS },
  'member.admitted': ADMISSION, 'member.left': { member: CODE, reason: /\P{White_Space}/u }, 'key.added': { key: KEY, member: CODE },
  'key.rotated': { new: KEY, old: HEX16 }, 'key.revoked': { key: HEX16, member: CODE, 'note?': TEXT, reason: /^(lost|compromised|retired)$/ },
  'officer.enrolled': { 'key?': KEY, officer: ID }, 'release.made': { items: b => shows(b), 'replaces?': ID, title: /\P{White_Space}/u } }
const PATH = /^(?=.{1,256}$)(\/[A-Za-z0-9_.-]+|\[(0|[1-9][0-9]*)\])+$/
const LEAF = s => { const v = JSON.parse(s); return write(v) === s && (typeof v !== 'object' || !Object.keys(v).length) }
const DISCLOSURE = { commitments: s => base64(s).length && base64(s).length % 32 === 0, envelope: s => base64(s).length, fields: [{ path: PATH, salt: DIGEST, value: LEAF }],
  index: 0, leaf_salt: DIGEST, logged_at: 0 }
const shows = list => Array.isArray(list) && list.length && list.every((d, i) => { // the items of a release
  fits(DISCLOSURE, d, `items[${i}]`)
  return d.fields.length && d.fields.length <= 256 && d.fields.every((f, j) => !j || d.fields[j - 1].path < f.path)
})
export const keysIn = b => b.registry?.keys ?? b.keys ?? [b.new ?? b.key].filter(k => k?.public) // that a body puts on the roster
// ---- line, envelope, statement
const TYPE = 'application/vnd.truceline.statement.v1+json', LATER = /^"application\/vnd\.truceline\.statement\.v(?!1\+)[1-9]\d*\+json"$/
const LINE = { 'body?': ANY, 'body_salt?': DIGEST, 'enc?': /^(none|box)$/, envelope: ANY, index: 0, leaf_salt: HEX32, logged_at: 0 }
const ENVELOPE = { payload: base64, payloadType: s => s === TYPE, signatures: [{ keyid: HEX16, sig: s => base64(s, 64) }] }
const ALGS = ['hmac-sha256', 'hmac-sha256-fields'] // how a body is committed to: whole, or field by field where not everybody may read it
const STATEMENT = { audience: CODE, claimed_at: 0, 'crit?': [TEXT], 'exercise?': TRUE, id: ID, kind: CODE, kind_v: 1, member: CODE, mission: ID,
  'officer?': ID, origin: ORIGIN, 'readers?': [CODE], rules: 1, 'subjects?': [{ id: ID, role: CODE }], 'supersedes?': ID, v: 1,
  'body?': b => typeof b.alg === 'string' && CODE.test(b.alg) && (!ALGS.includes(b.alg) || !fits({ alg: CODE, commitment: DIGEST }, b, 'body')),
  'ext?': v => typeof v === 'object' && !Array.isArray(v) && Object.values(v).every(x => typeof x === 'string') }
export const LINE_MAX = 49152 + 16384 + 1024
export function parseLine(bytes) {
  need(bytes.length <= LINE_MAX, 'a line is too long')
  const line = parse(bytes)
  fits(LINE, line, 'line')
  const has = k => Object.hasOwn(line, k)
  return need(has('body') === has('enc') && has('body_salt') === (line.enc === 'none'), 'body, body_salt, enc: not together') ?? line
}
const BOX = { alg: /^xchacha20-poly1305$/, body: s => base64(s).length >= 52, wraps: [{ epoch: ID, key: s => base64(s, 72) }] }
export const boxed = st => CONTENT.test(st.kind) && !['public', 'own'].includes(st.audience) // whether its body is encrypted
export function fitsBox(box) {
  fits(BOX, box, 'box')
  const { wraps } = box
  need(Buffer.byteLength(write(box)) <= 49152 && wraps.length && wraps.every((w, j) => j < 8 && !(wraps[j - 1]?.epoch >= w.epoch)), 'box: too long, or its wraps')
}
function parseStatement(bytes) { // in the order of records.md, "What is not known"
  need(bytes.length <= 8192, 'the statement is too long')
  const st = parse(bytes)
  known(!(Number.isInteger(st.v) && st.v > 1), `v ${st.v}`)
  fits(STATEMENT, st, 'statement')
  for (const [j, c] of (st.crit ?? []).entries()) need(Object.hasOwn(st.ext ?? {}, c) && !(st.crit[j - 1] >= c), 'crit: not in ext, or not in order')
  const { readers = [] } = st
  need(readers.every((r, j) => j < 32 && r !== st.member && !(readers[j - 1] >= r)), 'readers: too many, not in order, or with the member itself')
  known(Object.hasOwn(KINDS, st.kind) && st.kind_v === 1 && !st.crit && (!st.body || ALGS.includes(st.body.alg)),
    `kind ${st.kind} version ${st.kind_v}, crit ${st.crit}, or alg ${st.body?.alg}`)
  const given = AUDIENCES.includes(st.audience) // what goes with another is for a later version
  need(!st.body === NO_BODY.includes(st.kind) && !st.supersedes === (st.kind !== 'account.amended') && (!given ||
    (audiencesOf(st.kind).includes(st.audience) && [undefined, ALGS[+!['public', 'own'].includes(st.audience)]].includes(st.body?.alg) && (!readers.length === (st.audience !== 'named') || APART.test(st.kind)))), 'body, supersedes, audience, readers: not of the kind')
  const roles = (st.subjects ?? []).map(s => s.role), admitted = KINDS[st.kind]
  need(new Set(roles).size === roles.length && admitted.every(r => r[0] === '?' || roles.includes(r)) &&
    roles.every(r => r === 'batch' || admitted.includes(r) || admitted.includes(`?${r}`)), 'statement.subjects: not those of the kind')
  return known(given && st.rules === 1, `audience ${st.audience} or rules ${st.rules}`) ?? st
}
export function openEnvelope({ envelope }) { // of a line: the statement, and what its signatures are over
  need(Buffer.byteLength(write(envelope)) <= 16384, 'too long')
  known(!LATER.test(JSON.stringify(envelope.payloadType)), envelope.payloadType)
  fits(ENVELOPE, envelope, 'envelope')
  const { signatures } = envelope, payload = base64(envelope.payload)
  need(signatures.length && signatures.every((s, j) => j < 16 && !(signatures[j - 1]?.keyid >= s.keyid)), 'signatures: none, too many, or not in order')
  return { st: parseStatement(payload), signatures, pae: Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload]) }
}
const leaves = (v, path) => typeof v !== 'object' || !Object.keys(v).length ? [[path, write(v)]]
  : Object.keys(v).flatMap(k => leaves(v[k], Array.isArray(v) ? `${path}[${k}]` : `${path}/${k}`))
export const fieldCommitment = (salt, path, value) => hmac(salt, 'truceline-field/v1\n', path, '\n', value)
export const fieldsRoot = all => sha256('truceline-fields/v1\n', all).toString('hex') // of the commitments, one after the other
export function commitmentOf(line, st) { // the body's, by the way that the statement names
  const salt = line.body_salt
  if (st.body.alg === ALGS[0]) return hmac(salt, 'truceline-body/v1\n', write(line.body)).toString('hex')
  const all = leaves(line.body, '').map(([p, v]) => fieldCommitment(hmac(salt, 'truceline-field-salt/v1\n', p).toString('hex'), p, v))
  do all.push(hmac(salt, 'truceline-field-decoy/v1\n', Buffer.from(all.length.toString(16).padStart(8, '0'), 'hex'))); while (all.length % 32)
  return fieldsRoot(Buffer.concat(all.sort(Buffer.compare)))
}
// ---- entries, the tree, and heads
export const ENTRY = 'truceline-leaf/v1\n'
export const entryOf = (line, envelope = write(line.envelope)) => Buffer.concat([Buffer.from(ENTRY), hmac(line.leaf_salt, 'truceline-entry/v1\n',
  Buffer.from(line.logged_at.toString(16).padStart(16, '0'), 'hex'), envelope)])
export const leafHash = entry => sha256('\0', entry)
const nodeHash = (l, r) => sha256('\x01', l, r)
const NOTE = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n\n((?:\u2014 [^\p{White_Space}\p{Cc}+]+ \S+\n){1,64})$/u
export function parseNote(bytes) { // a signed checkpoint; whose its signatures are, is not looked at
  need(bytes.length <= 262144, 'too long')
  const [, origin, size, root, lines] = NOTE.exec(decode(bytes)) ?? []
  need(lines && Number.isSafeInteger(+size) && base64(root, 32), 'not of its form')
  const signatures = lines.slice(0, -1).split('\n').map(l => l.split(' ')).map(([, name, s]) => ({ name, raw: base64(s) }))
  need(new Set(lines.split('\n')).size === signatures.length + 1 && signatures.every(s => s.raw.length > 4), 'a line twice, or empty')
  return { origin, size: +size, root, signatures, text: `${origin}\n${size}\n${root}\n` }
}
const linesBy = (note, k) => note.signatures.filter(s => s.name === k.name && s.raw.toString('hex', 0, 4) === k.hash)
export function signedByLog(note, log) {
  const ours = linesBy(note, log)
  need(note.origin === log.name && ours.length === 1 && ours[0].raw.length === 68, 'not of the log, or not signed once by its key')
  need(verify(Buffer.from(note.text), log.key, ours[0].raw.subarray(4)), 'the signature is wrong')
}
// ---- proofs (RFC 6962): the roots that a path leads to
const low = n => Math.trunc(n / 2)
export function includes(path, index, size, leaf, root) {
  let fn = index, sn = size - 1, r = leaf
  for (const p of path) {
    need(sn > 0, 'the path is too long')
    if (fn % 2 || fn === sn) {
      r = nodeHash(base64(p), r)
      while (fn % 2 === 0 && fn) [fn, sn] = [low(fn), low(sn)]
    } else r = nodeHash(r, base64(p))
    ;[fn, sn] = [low(fn), low(sn)]
  }
  need(index < size && sn === 0 && r.toString('base64') === root, 'not proved to be in the tree')
}
export function continues(proof, old, now) {
  if (old.size === 0 || old.size === now.size) return need(!proof.length && old.root === (old.size ? now.root : sha256().toString('base64')), 'another tree')
  need(old.size < now.size, 'a larger tree')
  let fn = old.size - 1, sn = now.size - 1
  while (fn % 2) [fn, sn] = [low(fn), low(sn)]
  const path = proof.map(p => base64(p)), first = fn ? path.shift() : base64(old.root)
  need(first, 'the proof is too short')
  let a = first, b = first
  for (const p of path) {
    need(sn > 0, 'the proof is too long')
    if (fn % 2 || fn === sn) {
      [a, b] = [nodeHash(p, a), nodeHash(p, b)]
      while (fn % 2 === 0 && fn) [fn, sn] = [low(fn), low(sn)]
    } else b = nodeHash(b, p)
    ;[fn, sn] = [low(fn), low(sn)]
  }
  need(sn === 0 && a.toString('base64') === old.root && b.toString('base64') === now.root, 'the head does not continue it')
}
// ---- cosigners and policies (C2SP tlog-cosignature, tlog-policy)
export function cosignerKey(vkey) {
  const k = splitVerifierKey(vkey)
  need(k.raw[0] === 4 && k.raw.length === 33 && Buffer.byteLength(k.name) <= 512 && !/[\p{White_Space}\p{Cc}]/u.test(k.name), 'not the key of a cosigner')
  return { ...k, key: rawKey(k.raw.subarray(1)) }
}
export const bytesOf = vkey => vkey.slice(vkey.indexOf('+', vkey.indexOf('+') + 1) + 1)
export function parsePolicy(text) {
  const p = { logs: [], witnesses: [], groups: new Map() }, names = new Set(['none']), taken = new Set(), ids = new Set()
  const word = (s, max) => need(s && Buffer.byteLength(s) <= max && !/[\0-\x20\x7f#]/.test(s), 'a name or address that cannot be')
  const enter = (list, kind, k, url) => {
    const id = `${k.name}+${k.hash}`, bytes = kind + k.raw.toString('hex', 1)
    if (url !== undefined) word(url, 2048)
    need(list.push(k) <= 48 && !ids.has(id) && !ids.has(bytes), 'a key twice, or too many')
    ids.add(id).add(bytes)
  }
  const logKey = vkey => { const k = splitVerifierKey(vkey); return need(k.raw[0] === 1 && k.raw.length === 33, 'not the key of a log') ?? k }
  const mldsa = vkey => { const k = splitVerifierKey(vkey); return k.raw[0] === 6 && k.raw.length === 1313 && word(k.name, 512) === undefined && k }
  const keyOf = (vkey, of) => { let k; faultOf(() => { k = mldsa(vkey) }); return k || of(vkey) } // of a later kind: never counted
  const name = s => { word(s, 512); need(!names.has(s), 'a name twice'); names.add(s) }
  need(Buffer.byteLength(text) <= 262144, 'too long')
  for (const line of text.split('\n')) {
    need(!/[\0-\x08\x0a-\x1f\x7f]/.test(line), 'a control character')
    const [kind, ...args] = line.split(/[ \t]+/).filter(Boolean), n = args.length
    if (!kind || kind[0] === '#') continue
    need(!line.includes('#'), 'a comment inside a line')
    if (kind === 'log' && (n === 1 || n === 2)) enter(p.logs, 'log', keyOf(args[0], logKey), args[1])
    else if (kind === 'witness' && (n === 2 || n === 3)) {
      name(args[0])
      enter(p.witnesses, 'witness', { ...keyOf(args[1], cosignerKey), called: args[0] }, args[2])
    } else if (kind === 'group' && n >= 3 && p.groups.size < 48) {
      const list = args.slice(2), k = { any: 1, all: list.length }[args[1]] ?? +args[1]
      need(['any', 'all', String(k)].includes(args[1]) && Number.isInteger(k) && k >= 1 && k <= list.length, 'not a threshold')
      for (const m of list) { need(m !== 'none' && names.has(m) && !taken.has(m), 'a member that is not there, or in two groups'); taken.add(m) }
      name(args[0])
      p.groups.set(args[0], { k, list })
    } else if (kind === 'quorum' && n === 1 && p.quorum === undefined && names.has(args[0])) p.quorum = args[0]
    else need(false, `not a line of a policy: ${line}`)
  }
  return need(p.quorum !== undefined, 'no quorum') ?? p
}
export const met = (p, has, name = p.quorum) => name === 'none' || (p.groups.has(name)
  ? p.groups.get(name).list.filter(m => met(p, has, m)).length >= p.groups.get(name).k : has.has(name))
export function cosignature(note, k) { // the time of the good cosignature of a key, or nothing; a bad one throws
  const [line, ...more] = k.key ? linesBy(note, k) : []
  if (!line) return
  const time = line.raw.length === 76 ? line.raw.readBigUInt64BE(4) : -1n
  need(!more.length && time >= 0n && time < 2n ** 63n && verify(Buffer.from(`cosignature/v1\ntime ${time}\n${note.text}`), k.key, line.raw.subarray(12)),
    `the cosignature of ${k.name} is wrong, or stands there twice`)
  return Number(time)
}
export const cosignedBy = (p, note) => p.witnesses.map(k => ({ ...k, at: cosignature(note, k) })).filter(k => k.at !== undefined)
export function turn(p, signed, order) { // the time with which those who signed become a quorum
  const has = new Set()
  if (p.quorum === 'none') return
  return signed.filter(k => k.at >= 1577836800 && k.at <= 253402300799).sort((a, b) => order * (a.at - b.at)).find(k => met(p, has.add(k.called)))?.at
}
