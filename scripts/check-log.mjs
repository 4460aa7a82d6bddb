// SPDX-License-Identifier: Apache-2.0
//
// An independent checker of Truceline logs. It was written from docs/formats alone, without reading the Go program,
// and shares nothing with it: where the two disagree, one of them or the specification is wrong.
//
//   node scripts/check-log.mjs DIR-or-URL [VKEY]
//
// Checks: the checkpoint (form, signature); every entry bundle; every tile of every level; the root; in a folder also
// files of earlier sizes; and for every record given: canonical JSON, leaf, logged_at, envelope, form of the statement,
// mission, origin, repeated ids, every signature against the roster of keys at that index, commitment and form of the
// body, and that what changes the roster may change it.
// Does not check: the other rules of rules.md (rights, guards, the pack, the state hash), proofs, refusals, and whether
// others see the same log. Without VKEY the key is taken from record 0: the log then only agrees with itself.
//
// Exit 0 and one line "OK <size> records, root <base64>"; or 1 and a line "index layer: what" for each problem ("-" for
// no index); or 2: wrong usage. What was not given or not checked, and files that are not of the log: notes on stderr.
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

const STATEMENT = 'application/vnd.truceline.statement.v1+json'
const LINE_MAX = 49152 + 16384 + 1024
const GROUP = 256

class Bad extends Error {} // what was read is wrong
class Update extends Error {} // what was read is of a later version: neither good nor bad
const need = (ok, what) => { if (!ok) throw new Bad(what) }
const show = text => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, c => `\\u{${c.codePointAt(0).toString(16)}}`)
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest()
const hmac = (keyHex, ...parts) => parts.reduce((h, p) => h.update(p), createHmac('sha256', Buffer.from(keyHex, 'hex'))).digest()
let problems = 0
const problem = (index, layer, what) => { problems++; console.log(show(`${index} ${layer}: ${what}`)) }
const note = what => console.error(show(`note: ${what}`))

// Runs f; what it refuses becomes a problem. Says whether it passed.
function passes(index, layer, f) {
  try { f(); return true } catch (e) {
    if (!(e instanceof Bad)) throw e
    problem(index, layer, e.message)
    return false
  }
}

// ---- canonical JSON: parse, write again, compare

function write(v, depth) {
  need(depth >= 0, 'nested too deep')
  if (typeof v === 'boolean') return String(v)
  if (typeof v === 'number') { need(Number.isSafeInteger(v), 'a number that is no integer in range'); return String(v) }
  if (typeof v === 'string') { need(v.isWellFormed(), 'text that is not Unicode'); return JSON.stringify(v) }
  need(v !== null, 'null')
  if (Array.isArray(v)) return `[${v.map(x => write(x, depth - 1)).join(',')}]`
  const keys = Object.keys(v).sort() // keys are ASCII, so that this is byte order
  for (const k of keys) need(/^[A-Za-z0-9_.-]{1,64}$/.test(k), 'a key of other characters')
  return `{${keys.map(k => `"${k}":${write(v[k], depth - 1)}`).join(',')}}`
}

function parse(bytes, depth = 16) {
  let text, value
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch { throw new Bad('not JSON in UTF-8') }
  need(write(value, depth) === text, 'not canonical JSON')
  return value
}

// ---- forms: a form is a function of a value and its name; it throws Bad when the value does not have it

const is = (test, name) => (v, at) => need(test(v), `${at}: not ${name}`)
const text = is(v => typeof v === 'string', 'text')
const match = (re, name) => is(v => typeof v === 'string' && re.test(v), name)
const words = match(/./s, 'words')
const id = match(/^(?!0{32})[0-9a-f]{32}$/, 'an id')
const keyId = match(/^[0-9a-f]{32}$/, 'a key id')
const digest = match(/^(?!0{64})[0-9a-f]{64}$/, 'a digest')
const hex32 = match(/^[0-9a-f]{64}$/, '32 bytes')
const code = match(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'a code')
const ORIGIN = /^(?=.{1,255}$)[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*$/
const from = (low, high = Infinity) => is(v => Number.isInteger(v) && v >= low && v <= high, `an integer from ${low}`)
const count = from(0)
const one = (...values) => is(v => values.includes(v), `one of ${values.join(', ')}`)
const list = (form, min = 0, max = Infinity) => (v, at) => {
  need(Array.isArray(v) && v.length >= min && v.length <= max, `${at}: not an array of ${min} to ${max}`)
  v.forEach((x, i) => form(x, `${at}[${i}]`))
}
const isObject = v => typeof v === 'object' && v !== null && !Array.isArray(v)
const isEmpty = v => v === '' || v === false || (typeof v === 'object' && Object.keys(v).length === 0)
const record = (fields, more = () => {}) => (v, at) => { // "name?" is an optional field, `more` looks at the whole
  need(isObject(v), `${at}: not an object`)
  for (const k of Object.keys(v)) need(Object.hasOwn(fields, k) || Object.hasOwn(fields, `${k}?`), `${at}.${k}: unknown field`)
  for (const [name, form] of Object.entries(fields)) {
    const k = name.replace('?', '')
    if (!Object.hasOwn(v, k)) need(name !== k, `${at}.${k}: missing`)
    else {
      need(name === k || !isEmpty(v[k]), `${at}.${k}: empty, so it must be left out`)
      form(v[k], `${at}.${k}`)
    }
  }
  more(v, at)
}
const unique = (of, what) => (v, at) => need(new Set(v.map(of)).size === v.length, `${at}: ${what} stands twice`)
const both = (...forms) => (v, at) => forms.forEach(f => f(v, at))
const base64 = (s, length) => {
  const bytes = Buffer.from(typeof s === 'string' ? s : '', 'base64')
  need(bytes.toString('base64') === s && bytes.length === (length ?? bytes.length), `not base64 of ${length ?? 'any'} bytes`)
  return bytes
}

const days = date => { // first and last day of a date
  const [, y, m, d] = (typeof date === 'string' && /^([1-9]\d{3})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(date)) || []
  need(y && (!m || (m >= 1 && m <= 12)), 'not a date')
  const lastOf = month => new Date(Date.UTC(+y, +month, 0)).getUTCDate()
  need(!d || (d >= 1 && d <= lastOf(m)), 'not a date')
  return [`${y}-${m ?? '01'}-${d ?? '01'}`, `${y}-${m ?? '12'}-${d ?? lastOf(m ?? 12)}`]
}
const date = (v, at) => { try { days(v) } catch { throw new Bad(`${at}: not a date`) } }
const span = record({ 'end?': date, 'note?': text, 'start?': date }, (v, at) =>
  need(!v.end || (v.start && days(v.end)[1] >= days(v.start)[0]), `${at}: an end without or before its start`))

// ---- keys

const P = '7' + 'f'.repeat(61) + 'ed' // 2^255-19
const SMALL = ['0'.repeat(64), '0'.repeat(63) + '1', '7' + 'f'.repeat(61) + 'ec',
  '05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826',
  '7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7']
const publicKey = raw => {
  const big = Buffer.from(raw).reverse()
  big[0] &= 0x7f
  const y = big.toString('hex')
  need(y < P && !SMALL.includes(y), 'a public key that must be refused')
  return createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' })
}
const key = record({ alg: one('ed25519'), public: text }, (v, at) => publicKey(base64(v.public, 32), at))
const idOf = k => sha256(`truceline-key/v1\n${k.alg}\n`, base64(k.public, 32)).toString('hex', 0, 16)

function parseVerifierKey(vkey) {
  const [, name, hash, b64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(vkey) ?? []
  need(name && ORIGIN.test(name), 'not a verifier key of a log')
  const raw = base64(b64, 33)
  need(raw[0] === 1 && hash === sha256(name, '\n', raw).toString('hex', 0, 4), 'a verifier key of another type or hash')
  return { name, hash, text: vkey, key: publicKey(raw.subarray(1)) }
}

// ---- bodies and kinds

const texts = list(text)
const codes = list(code)
const ROLES = ['party', 'third_party', 'monitor', 'observer', 'desk', 'registry']
const admission = record({ code, 'keys?': both(list(key), unique(idOf, 'a key')), name: words, role: one(...ROLES) })
const reason = record({ reason: match(/\P{White_Space}/u, 'text that says something') })
const claim = record({
  'bound?': one('exact', 'at_least', 'at_most', 'range', 'about'), 'derived?': one(true), 'external?': text,
  element: one('event', 'place_time', 'initiation', 'attribution', 'responsibility', 'actor', 'target', 'harm', 'damage',
    'capture', 'follow_up', 'position', 'agreement_reading'),
  first_hand: one('yes', 'no', 'unknown'), 'group?': code, 'high?': count, 'low?': count, 'measure?': code, n: from(1),
  'note?': text, 'place_text?': text, 'places?': codes, 'words?': text, stance: code, 'subset?': code, 'when?': span,
  scope: one('incident', 'part', 'several_places', 'running_total', 'period_total'),
}, ({ bound, low, high }, at) => {
  const [l, h] = [low !== undefined, high !== undefined]
  const fits = { exact: l && low === high, at_least: l && !h, at_most: h && !l, range: l && h, about: l || h }
  need(!(l || h) || fits[bound], `${at}: figures that do not fit the bound`)
  need(!(l && h) || low <= high, `${at}: low is above high`)
})
const account = record({
  'carrier?': text, claimant: record({ kind: code, name: words, 'party?': code }), claims: list(claim, 1),
  'external?': text, 'origins?': texts, 'said_on?': date,
}, (v, at) => need(v.claims.every((c, i) => c.n === i + 1), `${at}: claims are not counted from 1`))
const url = match(/^https?:\/\/[^\0- \x7f]*$/, 'an address')
const linked = both(list(from(1)), is(v => v.every((n, i) => !i || n > v[i - 1]), 'ascending'))
const K = (body, needs = [], may = []) => ({ body, needs, may })
const KINDS = new Map(Object.entries({
  'mission.opened': K(record({ log_key: words, registry: admission, title: words }, ({ registry: r }, at) =>
    need(r.role === 'registry' && r.keys, `${at}.registry: another role or no keys`))),
  'member.admitted': K(admission),
  'key.added': K(record({ key, member: code })),
  'key.rotated': K(record({ new: key, old: keyId }, (v, at) => need(idOf(v.new) !== v.old, `${at}: new is old`))),
  'key.revoked': K(record({ key: keyId, member: code, 'note?': text, reason: one('lost', 'compromised', 'retired') })),
  'officer.enrolled': K(record({ 'key?': key, officer: id })),
  'agreement.adopted': K(record({ pack: () => {}, part: from(1), parts: from(1, 999), sha256: digest, version: from(1) },
    (v, at) => need(v.part <= v.parts, `${at}: part is above parts`))),
  'report.filed': K(record({ 'carrier?': text, 'language?': text, 'note?': text, 'origins?': texts, 'published_on?': date, title: words, 'url?': url })),
  'account.filed': K(account, [], ['report']),
  'account.amended': K(account, ['account'], ['report']),
  'account.withdrawn': K(reason, ['account']),
  'batch.opened': K(record({ file_sha256: digest, name: words, rows: count })),
  'batch.closed': K(record({ accepted: count, present: count, rejected: count }), ['batch']),
  'batch.withdrawn': K(reason, ['batch']),
  'incident.opened': K(record({ class: one('incident', 'agreement', 'talks', 'aggregate'), 'external?': text, label: words, 'place_text?': text,
    'places?': codes, 'types?': codes, when: both(span, is(v => v.start, 'a span with a start')) })),
  'incident.linked': K(record({ 'claims?': linked, reason: words, role: one('about', 'part_of', 'aggregate_over') }), ['account', 'incident']),
  'incident.unlinked': K(reason, ['link']),
  'incident.aliased': K(reason, ['incident', 'into']),
  'source.graded': K(record({ grade: code, reason: words, source: words })),
  'clock.ticked': K(null),
}))
const CHANGES_KEYS = ['mission.opened', 'member.admitted', 'key.added', 'key.rotated', 'key.revoked', 'officer.enrolled']

// ---- line, envelope, statement

const lineForm = record({ 'body?': () => {}, 'body_salt?': digest, 'enc?': one('none'), envelope: () => {}, index: count, leaf_salt: hex32, logged_at: count })
const envelopeForm = record({
  payload: text, payloadType: one(STATEMENT),
  signatures: list(record({ keyid: keyId, sig: (v, at) => base64(v, 64, at) }), 1, 16),
}, (v, at) => need(v.signatures.every((s, i, all) => !i || s.keyid > all[i - 1].keyid), `${at}: key ids do not ascend`))
const statementForm = record({
  audience: code, 'body?': record({ alg: text, commitment: digest }), claimed_at: count, 'crit?': texts, 'exercise?': one(true),
  'ext?': (v, at) => { need(isObject(v), `${at}: not an object`); texts(Object.values(v), at) },
  id, kind: words, kind_v: from(1), member: code, mission: id, 'officer?': id, origin: match(ORIGIN, 'an origin'), rules: from(1),
  'subjects?': both(list(record({ id, role: text }), 0, 64), unique(s => s.role, 'a role')), 'supersedes?': id, v: one(1),
})

function parseStatement(bytes) {
  need(bytes.length <= 8192, 'statement is too long')
  const st = parse(bytes)
  need(isObject(st), 'statement: not an object')
  if (Number.isInteger(st.v) && st.v > 1) throw new Update(`format version ${st.v}`)
  statementForm(st, 'statement')
  const kind = KINDS.get(st.kind)
  if (!kind || st.kind_v !== 1) throw new Update(`kind ${st.kind}, version ${st.kind_v}`)
  if (st.crit) throw new Update(`crit ${st.crit}`)
  if (st.audience !== 'public' && st.audience !== 'members') throw new Update(`audience ${st.audience}`)
  if (st.body && st.body.alg !== 'hmac-sha256') throw new Update(`commitment ${st.body.alg}`)
  need(!st.body === !kind.body, 'statement.body: there though its kind has none, or missing')
  need(!st.supersedes === (st.kind !== 'account.amended'), 'statement.supersedes: there in another kind, or missing')
  const roles = (st.subjects ?? []).map(s => s.role)
  for (const r of kind.needs) need(roles.includes(r), `statement.subjects: no ${r}`)
  for (const r of roles) need(r === 'batch' || kind.needs.includes(r) || kind.may.includes(r), `statement.subjects: ${r} has no place here`)
  return st
}

// ---- the records, folded in order

const state = { keys: new Map(), members: new Set(), officers: new Set(), registry: null, mission: null, origin: null, seen: new Map(), logged: 0 }
// unsure: keys may have changed unseen, so that a key we do not know may be good
const missing = { unsure: false, lines: 0, bodies: 0, signatures: 0 }

function checkRecord(line, i, entry, vkey) {
  const envelope = Buffer.from(write(line.envelope, 16))
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(line.logged_at))
  const made = Buffer.concat([Buffer.from('truceline-leaf/v1\n'), hmac(line.leaf_salt, 'truceline-entry/v1\n', time, envelope)])
  const inLog = passes(i, 'leaf', () => need(made.equals(entry), 'not the log\'s entry at this index'))
  passes(i, 'leaf', () => need(line.logged_at >= state.logged, 'logged_at is below that of the record before'))
  state.logged = line.logged_at

  let st, payload
  const readable = passes(i, 'envelope', () => {
    need(envelope.length <= 16384, 'too long')
    envelopeForm(line.envelope, 'envelope')
    payload = base64(line.envelope.payload)
    try { st = parseStatement(payload) } catch (e) {
      if (e instanceof Update) problem(i, 'envelope', `cannot be checked, an update is needed: ${e.message}`)
      else throw e
    }
  })
  if (!readable || !st) { missing.unsure = true; return }

  state.mission ??= st.mission
  state.origin ??= st.origin
  const right = [
    passes(i, 'envelope', () => need(st.mission === state.mission, 'another mission')),
    passes(i, 'envelope', () => need(st.origin === vkey.name && st.origin === state.origin, 'another origin')),
    passes(i, 'envelope', () => need((i === 0) === (st.kind === 'mission.opened'), 'record 0, and no other, opens the mission')),
    passes(i, 'envelope', () => need(!state.seen.has(st.id), `its id is that of record ${state.seen.get(st.id)}`)),
  ].every(Boolean)
  if (!state.seen.has(st.id)) state.seen.set(st.id, i)

  const { body: form } = KINDS.get(st.kind)
  const given = Object.hasOwn(line, 'body')
  const bodyGood = passes(i, 'body', () => {
    need(!given || form, 'a body, where its kind has none')
    if (!given) return
    const bytes = write(line.body, 16)
    need(Buffer.byteLength(bytes) <= 49152, 'too long')
    need(hmac(line.body_salt, 'truceline-body/v1\n', bytes).toString('hex') === st.body.commitment, 'not the body that was committed to')
    form(line.body, 'body')
    need(i > 0 || line.body.log_key === vkey.text, 'log_key is not the key of the log')
  })
  if (!given && form) missing.bodies++
  const body = given && bodyGood ? line.body : null

  const changes = CHANGES_KEYS.includes(st.kind)
  const signed = checkSignatures(i, st, payload, line.envelope.signatures, body)
  if (changes && (!body || !inLog)) missing.unsure = true
  else if (changes && right && signed) passes(i, 'roster', () => changeRoster(i, st, body, line.envelope.signatures))
}

function checkSignatures(i, st, payload, signatures, body) {
  const own = new Map() // keys that the record itself brings
  if (body && st.kind === 'mission.opened' && i === 0) {
    for (const k of body.registry.keys) own.set(idOf(k), keyOf(k, body.registry.code, 0))
  }
  if (body && st.kind === 'key.rotated') own.set(idOf(body.new), { ...keyOf(body.new, st.member, i), isNew: true })
  const unsure = missing.unsure || (!body && ['mission.opened', 'key.rotated'].includes(st.kind))
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${STATEMENT.length} ${STATEMENT} ${payload.length} `), payload])
  let node = false
  const good = signatures.map(({ keyid, sig }) => passes(i, 'envelope', () => {
    const k = state.keys.get(keyid) ?? own.get(keyid)
    if (unsure) missing.signatures++
    if (!k && unsure) { node = true; return }
    need(k, `signed by a key that is not on the roster: ${keyid}`)
    need(k.member === st.member && k.from <= i && i < k.until, `signed by a key that is not ${st.member}'s at this index: ${keyid}`)
    need(verify(null, pae, k.key, base64(sig, 64)), `the signature is wrong: ${keyid}`)
    need(!k.officer || k.officer === st.officer, `signed by another officer's key: ${keyid}`)
    if (!k.officer && !k.isNew) node = true
  })).every(Boolean)
  return good && passes(i, 'envelope', () => need(node, 'no node of the member signed'))
}

const keyOf = (k, member, from, officer) => ({ key: publicKey(base64(k.public, 32)), member, from, until: Infinity, officer })

// records.md, "The roster of keys". Throws before it changes anything.
function changeRoster(i, st, body, signatures) {
  const { keys, members, officers } = state
  const byRegistry = st.member === state.registry
  const add = (list, member, from, officer) => {
    for (const k of list) need(!keys.has(idOf(k)), `the key is on the roster already: ${idOf(k)}`)
    for (const k of list) keys.set(idOf(k), keyOf(k, member, from, officer))
  }
  const end = (keyid, member) => {
    const k = keys.get(keyid)
    need(k || !missing.unsure, 'cannot be checked: the key may have been added unseen')
    need(k && k.member === member && k.from <= i && i < k.until, `the key is not ${member}'s at this index: ${keyid}`)
    return k
  }
  const mayActFor = member => {
    need(members.has(member) || missing.unsure, `${member} is not on the roster`)
    need(st.member === member || byRegistry || (!state.registry && missing.unsure), 'filed by another member than the key\'s or the registry')
  }
  if (st.kind === 'mission.opened') {
    need(st.member === body.registry.code, 'not filed by the registry that it names')
    add(body.registry.keys, st.member, 0)
    members.add(state.registry = st.member)
  } else if (st.kind === 'member.admitted') {
    need(byRegistry || (!state.registry && missing.unsure), 'not filed by the registry')
    need(!members.has(body.code), `${body.code} is on the roster already`)
    add(body.keys ?? [], body.code, i + 1)
    members.add(body.code)
  } else if (st.kind === 'key.added') {
    mayActFor(body.member)
    add([body.key], body.member, i + 1)
  } else if (st.kind === 'key.rotated') {
    const old = end(body.old, st.member)
    need(!old.officer, 'old is an officer\'s key')
    for (const k of [body.old, idOf(body.new)]) need(signatures.some(s => s.keyid === k), `${k} has not signed`)
    add([body.new], st.member, i + 1)
    old.until = i + 1
  } else if (st.kind === 'key.revoked') {
    mayActFor(body.member)
    end(body.key, body.member).until = i + 1
  } else if (st.kind === 'officer.enrolled') {
    need(!officers.has(body.officer), 'the officer is enrolled already')
    add(body.key ? [body.key] : [], st.member, i + 1, body.officer)
    officers.add(body.officer)
  }
}
