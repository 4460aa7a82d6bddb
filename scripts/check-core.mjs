// SPDX-License-Identifier: Apache-2.0
//
// The steps of bundle.md, "How to check a bundle", but for the form of bodies that change no keys, name no cosigners and release nothing,
// and of an agreement's pack. Written from docs/formats alone; runs in Node and in browsers.
import { ANY, BODIES, Buffer, CODE, DIGEST, TEXT, base64, boxed, bytesOf, commitmentOf, continues, cosignature, cosignedBy, cosignerKey, entryOf, faultOf, fieldCommitment,
  fieldsRoot, fits, fitsBox, idOf, includes, keysIn, leafHash, met, need, openEnvelope, parse, parseLine, parseNote, parsePolicy, parseVerifierKey, publicKey, sha256,
  signedByLog, turn, verify, write } from './check-parts.mjs'

export const MAX = 16 * 2 ** 20
const unsure = why => need(false, why, 'gap') // what a record that is not here may explain
// ---- the file
const HASH = s => base64(s, 32), HASHES = [HASH], VKEY = /^[^+\x00-\x20]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/u
const BESIDE = { 'consistency?': HASHES, head: TEXT }
const BUNDLE = { 'after?': BESIDE, 'before?': BESIDE, bundle: /^record$/, log_key: TEXT, record: { line: TEXT, proof: TEXT },
  'records?': [{ hashes: HASHES, line: TEXT }], 'released?': [HASHES], v: v => v === 1 }
const PROOF = /^c2sp\.org\/tlog-proof@v1\nindex (0|[1-9]\d*)\n((?:[^\n]+\n)*)\n([^]*)$/
const FORMS = { ...BODIES,
  'cosigner.named': { role: /^(witness|mirror|rules|outside)$/, 'url?': /^https?:\/\/[^\x00-\x20\x7f]*$/, vkey: s => typeof s === 'string' && Buffer.byteLength(s) <= 4096 && VKEY.test(s) },
  'agreement.adopted': { pack: ANY, part: 1, parts: n => Number.isInteger(n) && n <= 999, sha256: DIGEST, version: 1 } }
const BEARS = kind => Object.hasOwn(FORMS, kind) && kind !== 'release.made' // on what keys and witnesses are worth
const apart = (ids, old) => need(new Set(ids).size === ids.length && !ids.includes(old), 'body: a key stands there twice')

// checkBundle gives what was found: findings, in order, of which a gap is what could not be checked; the layers that were reached; notes on
// what is the file's own word (key, policy, rules); own, the record; shown, what it shows of others; and what the outcome is.
export function checkBundle(bytes, { key, policy: given } = {}) {
const findings = [], notes = [], shown = [], reached = ['file']
const find = (gap, index, layer, what, step, field) => { findings.push({ gap, index, layer, what, step, field }) }
const problem = (...a) => find(false, ...a), gap = (...a) => find(true, ...a)
const passes = (index, layer, f) => { const e = faultOf(f); if (e) problem(index, layer, e.message); return !e }
function readFile(bytes) {
  need(bytes.length <= MAX, 'longer than any bundle')
  const f = parse(bytes)
  if (typeof f.bundle === 'string' && CODE.test(f.bundle) && Number.isInteger(f.v) && f.v >= 1 && (f.v > 1 || f.bundle !== 'record')) {
    later = `a bundle of a ${f.bundle}, version ${f.v}`
    gap('-', 'file', `update needed: ${later}`)
    return
  }
  fits(BUNDLE, f, 'bundle')
  need((f.records ?? []).length <= 4096, 'more records than any bundle has')
  log = parseVerifierKey(f.log_key)
  const line = parseLine(Buffer.from(f.record.line)), [, at, hashes, note] = PROOF.exec(f.record.proof) ?? []
  need(at === String(line.index), 'record.proof: not of its form, or of another index')
  head = parseNote(Buffer.from(note))
  const path = hashes.split('\n').slice(0, -1)
  fits(HASHES, path, 'record.proof')
  need(path.length <= 63 && line.index < head.size, 'record.proof: too long, or of no record of the head')
  const items = (f.records ?? []).map(r => ({ line: parseLine(Buffer.from(r.line)), path: r.hashes }))
  need(items.every((x, i) => x.path.length && x.path.length <= 63 && x.line.index !== line.index && !(items[i - 1]?.line.index >= x.line.index)),
    'records: out of order, the record itself again, or a path of no length that it can have')
  need((f.released ?? []).length <= 4096 && (f.released ?? []).every(p => p.length && p.length <= 63), 'released: too many, or a path of no length that it can have')
  for (const b of [f.before, f.after]) need((b?.consistency ?? []).length <= 63, 'consistency: too long')
  items.push({ line, path, own: true })
  release = readRelease(line, f.released ?? [], new Set(items.map(x => x.line.index)))
  items.push(...release.items ?? [])
  items.sort((a, b) => a.line.index - b.line.index)
  need(items[0].line.index === 0, 'record 0 is not there')
  return { ...f, items, index: line.index }
}
// ---- the records, in order, with others missing between them
const keys = new Map(), members = new Set(), officers = new Set(), seen = new Map(), cosigners = []
let log, head, file, registry, mission, logged = 0, later, own, adopting = [], adopted, release = {}, words = {}
function checkRecord({ line, path, own: about, shows }) {
  const i = line.index, report = (layer, e) => e && (e.kind === 'gap' ? gap : problem)(i, layer, e.message)
  if (shows) return checkShown(line, path, shows)
  if (!passes(i, 'leaf', () => includes(path, i, head.size, leafHash(entryOf(line)), head.root))) return // it is not the log's
  const inOrder = passes(i, 'leaf', () => need(line.logged_at >= logged, 'logged_at is below that of the record before'))
  logged = line.logged_at
  if (about) own = { line }
  let st, signatures, pae, body
  const malformed = faultOf(() => ({ st, signatures, pae } = openEnvelope(line)))
  if (malformed?.kind === 'later') { later ??= `record ${i}, ${malformed.message}`; gap(i, 'envelope', `update needed: ${malformed.message}`); return }
  if (malformed) { problem(i, 'envelope', malformed.message); gap(i, 'body', 'its envelope could not be read'); return }
  if (about) own.st = st
  const given = Object.hasOwn(line, 'body'), none = !st.body || st.kind === 'officer.named'
  const bodyFault = faultOf(() => {
    need(!given || !none, 'a body, where the kind has none or it is the member\'s own')
    need(!given || boxed(st) || line.enc !== 'box', 'a box, and what it says is not encrypted')
    if (!given) return none || boxed(st) || unsure('the body was not given, only its commitment')
    if (line.enc === 'box') return fitsBox(line.body)
    need(commitmentOf(line, st) === st.body.commitment && Buffer.byteLength(write(line.body)) <= 49152, 'not the one committed to, or too long')
    if (Object.hasOwn(FORMS, st.kind)) fits(FORMS[st.kind], line.body, 'body')
    if (BEARS(st.kind)) apart(keysIn(line.body).map(idOf), line.body.old)
    need(st.kind !== 'agreement.adopted' || line.body.parts >= line.body.part, 'a part of fewer')
    body = line.body
    if (about) own.body = body
    need(st.kind !== 'mission.opened' || i !== 0 || body.log_key === log.vkey, 'it names another key of the log')
  })
  report('envelope', faultOf(() => {
    checkPlace(i, st, about || BEARS(st.kind))
    checkSignatures(i, st, pae, signatures, body)
    if (!bodyFault && inOrder && body && BEARS(st.kind)) fold(i, st, body, signatures.map(s => s.keyid))
  }))
  report('body', bodyFault)
}
function checkPlace(i, st, belongs) { // that it is a record of this log, and the only one of its id
  const again = seen.get(st.id)
  if (again === undefined) seen.set(st.id, i)
  mission ??= st.mission
  need(belongs, `a ${st.kind} does not belong into the file`)
  need(again === undefined, `its id is that of record ${again}`)
  need((i === 0) === (st.kind === 'mission.opened'), 'record 0, and no other, is mission.opened')
  need(st.mission === mission && st.origin === log.name, 'another mission or origin')
}
const rosterKey = (k, member, from, officer) => ({ key: publicKey(base64(k.public, 32)), member, from, until: Infinity, officer })
function checkSignatures(i, st, pae, signatures, body) {
  const brings = ['mission.opened', 'key.rotated'].includes(st.kind) && body ? keysIn(body) : [] // keys that count in this record already
  const fresh = new Map(brings.map(k => [idOf(k), rosterKey(k, body.registry?.code ?? st.member, i)]))
  let node = false, missing // node: whether a key of the member signed that is no officer's, and not the new one of a rotation
  for (const { keyid, sig } of signatures) {
    const k = fresh.get(keyid) ?? keys.get(keyid)
    if (!k) { node = true; missing ??= keyid; continue } // it may be the node's
    need(verify(pae, k.key, base64(sig, 64)), `the signature is wrong: ${keyid}`)
    need(k.member === st.member && k.from <= i && i < k.until, `signed by a key that is not ${st.member}'s at this index: ${keyid}`)
    need(!k.officer || k.officer === st.officer, `signed by another officer's key: ${keyid}`)
    node ||= !k.officer && !(st.kind === 'key.rotated' && fresh.has(keyid))
  }
  need(node, 'not signed by a node of the member')
  if (missing) unsure(`no record here that stands before it brings the key ${missing}`)
}
function fold(i, st, body, signers) { // throws before it changes anything
  if (st.kind === 'cosigner.named') return nameCosigner(i, st.member, body)
  if (st.kind === 'agreement.adopted') return adopt(body)
  const added = keysIn(body).map(idOf), admits = st.kind === 'member.admitted', leaves = st.kind === 'member.left'
  const who = body.registry?.code ?? body.code ?? body.member ?? st.member // whose keys change
  need(st.member === (admits ? registry : who) || (leaves && st.member === registry), `${st.member} may not file this for ${who}`)
  need(!leaves || who !== registry, 'the registry cannot leave')
  if (admits && members.has(who)) unsure(`${who} is a member already, and no record here says that it left`)
  if (leaves && !members.has(who)) unsure(`no record here admits ${who}`)
  need(!body.old || [body.old, ...added].every(k => signers.includes(k)), 'not signed by the old key and by the new')
  const ended = body.old ?? (st.kind === 'key.revoked' && body.key), old = keys.get(ended)
  if (ended && !old) unsure('no record here brings the key that it ends')
  need(!ended || (old.member === who && old.from <= i && i < old.until), `ends a key that is not ${who}'s at this index`)
  need(!body.old || !old.officer, 'replaces an officer\'s key')
  need(!added.some((k, j) => keys.has(k) || added.indexOf(k) < j) && !officers.has(body.officer), 'adds a key or officer known already')
  if (i === 0) registry = who
  for (const [id, k] of keys) if (id === ended || (leaves && k.member === who)) k.until = Math.min(k.until, i + 1)
  for (const k of keysIn(body)) keys.set(idOf(k), rosterKey(k, who, i && i + 1, body.officer))
  if (body.officer) officers.add(body.officer)
  if (leaves) for (const c of cosigners) c.ended ||= c.member === who
  if (admits || i === 0) members.add(who)
  if (leaves) members.delete(who)
}
function adopt(b) { // the last version of which all parts are here counts
  if (b.part === 1) adopting = []
  const same = x => x.parts === b.parts && x.sha256 === b.sha256 && x.version === b.version
  if (adopting.length !== b.part - 1 || !adopting.every(same)) { adopting = []; return }
  adopting.push(b)
  if (b.part === b.parts) [adopted, adopting] = [adopting, []]
}
// ---- cosigners, and who vouches for the head
function nameCosigner(i, member, { role, vkey }) {
  const now = { i, member, role, vkey, bytes: bytesOf(vkey) }
  now.fault = faultOf(() => {
    need(role === 'outside' || cosignerKey(vkey).name === `${log.name}/${role}/${member}`, 'not a cosigner\'s key of the member\'s name')
    const was = cosigners.find(c => c.bytes === now.bytes && (c.member !== member || c.role !== role || c.vkey !== vkey || c.ended))
    need(!was, `the bytes of the key are those that record ${was?.i} names`)
  })
  for (const c of cosigners) c.ended ||= c.member === member && c.role === role && role !== 'outside'
  cosigners.push(now)
}
const memberOf = k => { // whose key of which role it is, by its name
  const [, role, member] = k.name.startsWith(`${log.name}/`) ? /^\/(witness|rules)\/(.*)$/s.exec(k.name.slice(log.name.length)) ?? [] : []
  return CODE.test(member ?? '') ? { role, member } : {}
}
function policyOfFile() { // that of the agreement; its pack is read as far as it is needed
  need(adopted, 'no agreement is whole in the file')
  const [first, ...rest] = adopted.map(a => a.pack), pack = { ...first }
  for (const list of ['places', 'place_strings']) for (const part of rest) if (part[list]) pack[list] = [...pack[list] ?? [], ...part[list]]
  need(sha256(write(pack)).toString('hex') === adopted[0].sha256 && typeof pack.policy === 'string', 'the agreement in the file has none')
  const p = parsePolicy(pack.policy)
  return need(p.logs.some(l => l.vkey === log.vkey), 'that of the agreement is for another log') ?? p
}
function checkWords(p, why) { // who vouches for the head
  for (const c of cosigners) if (c.fault) problem(c.i, 'rule', c.fault.message)
  return { ...checkWitnesses(p, why), ...checkRules(p) }
}
function checkWitnesses(p, why) {
  if (!p) return void gap('-', 'witness', `no policy: ${why}`)
  let signed
  if (!passes('-', 'witness', () => { signed = cosignedBy(p, head) })) return
  words.cosigned = signed.map(k => ({ name: k.called, at: k.at }))
  if (p.quorum === 'none' || !met(p, new Set(signed.map(k => k.called)))) return void gap('-', 'witness', `no quorum: ${signed.map(k => k.called)}`)
  return { by: turn(p, signed, 1) }
}
function checkRules(p) {
  const cannotSee = 'whether a key was revoked in a record that is not in this bundle cannot be seen, nor whether the rules admit the record'
  if (!p || p.quorum === 'none') return void gap('-', 'rule', cannotSee)
  const said = new Set(), given = p.witnesses.filter(k => memberOf(k).role === 'rules')
  const ok = passes('-', 'rule', () => {
    const named = given.length ? given.map(k => [memberOf(k).member, k]) : cosigners.filter(c => c.role === 'rules' && !c.ended && !c.fault).map(c => {
      need(!p.witnesses.some(k => bytesOf(k.vkey) === c.bytes), 'a rules key has the bytes of a witness\'s')
      return [c.member, cosignerKey(c.vkey)]
    })
    const by = new Map(named.map(([m, k]) => [m, cosignature(head, k)]))
    for (const k of p.witnesses) if (k.key && memberOf(k).role !== 'rules' && by.get(memberOf(k).member) !== undefined) said.add(k.called)
  })
  words.rules = [...said]
  if (ok && !given.length) notes.push('rules')
  if (ok && !met(p, said)) gap('-', 'rule', `${cannotSee}: ${[...said]}`)
}
function checkBeside(name, b, least, most, p) { // gives those who cosigned it
  if (!b) return
  let signed
  const ok = passes('-', 'time', () => {
    const note = parseNote(Buffer.from(b.head))
    signedByLog(note, log)
    continues(b.consistency ?? [], note, head)
    need(note.size >= least && note.size <= most, `${name}: not of a size for record ${file.index}`)
    if (p) signed = cosignedBy(p, note)
  })
  return ok && signed
}
// ---- what a release shows of other records
function readRelease(line, paths, taken) { // of a body to which its statement commits; of any other it is nobody's word
  let st, b, items
  if (faultOf(() => ({ st } = openEnvelope(line)))) return {}
  if (st.kind !== 'release.made') return paths.length ? { fault: 'what a release shows is proved, and this is none' } : {}
  const is = { release: true }
  if (line.enc !== 'none' || faultOf(() => need(commitmentOf(line, st) === st.body.commitment))) return { ...is, gap: 'what it shows was not given' }
  if (faultOf(() => { fits(BODIES[st.kind], line.body, 'body'); b = line.body })) return { ...is, gap: 'what it shows could not be read' }
  if (!paths.length) return { ...is, gap: 'the file does not prove that what it shows is in the log' }
  const fault = faultOf(() => {
    need(paths.length === b.items.length, `it shows ${b.items.length} records, and the file has the paths of ${paths.length}`)
    items = b.items.map((d, j) => {
      need(d.index < line.index && !taken.has(d.index), `it shows record ${d.index}, which does not come before it, or stands here already`)
      taken.add(d.index)
      return { line: d, path: paths[j], shows: d.fields }
    })
  })
  return fault ? { ...is, fault: fault.message } : { ...is, items }
}
function checkShown(d, path, fields) {
  const i = d.index, now = { index: i, logged_at: d.logged_at, fields, finding: 'good' }
  let step = 'leaf', field, st
  const e = faultOf(() => {
    const bytes = base64(d.envelope), before = logged
    includes(path, i, head.size, leafHash(entryOf(d, bytes)), head.root)
    logged = d.logged_at
    need(d.logged_at >= before, 'logged_at is below that of the record before')
    step = 'envelope'
    let opened
    const unread = faultOf(() => { opened = openEnvelope({ envelope: parse(bytes) }) })
    if (unread) throw unread
    now.st = st = opened.st
    checkPlace(i, st, true)
    step = 'commitments'
    const all = base64(d.commitments).toString('hex').match(/.{64}/g) ?? []
    need(all.every((c, j) => !j || all[j - 1] < c) && st.body?.alg === 'hmac-sha256-fields' && fieldsRoot(Buffer.from(all.join(''), 'hex')) === st.body.commitment,
      'the commitments are not those of its statement')
    step = 'field'
    for (const f of fields) {
      field = f.path
      need(all.includes(fieldCommitment(f.salt, f.path, f.value).toString('hex')), `${f.path}: the body has another value there, or none`)
    }
    step = 'signature'
    field = undefined
    checkSignatures(i, st, opened.pae, opened.signatures)
  })
  shown.push(now)
  if (!e) return
  if (e.kind === 'later') later ??= `record ${i}, ${e.message}`
  now.finding = ['gap', 'later'].includes(e.kind) ? 'gap' : 'failed'
  ;(now.finding === 'gap' ? gap : problem)(i, 'release', e.message, step, field)
}
function checkRelease() {
  if (release.fault) problem(own.line.index, 'release', release.fault, 'whole')
  if (release.gap) gap(own.line.index, 'release', release.gap, 'whole')
}
// ---- from the file to the outcome
let times = {}
if (passes('-', 'file', () => { file = readFile(bytes) }) && file && reached.push('head') && passes('-', 'head', () => {
  need(!key || key === log.vkey, 'the file is about a log with another key than the one given')
  need(!given || given.logs.some(l => l.vkey === log.vkey), 'the file is about a log that the policy given is not for')
  signedByLog(head, log)
})) {
  reached.push('leaf', 'envelope', 'body', ...release.release || release.fault ? ['release'] : [])
  file.items.forEach(checkRecord)
  if (own) {
    checkRelease()
    reached.push('witness', 'rule', ...file.before || file.after ? ['time'] : [])
    let p = given
    const why = p ? undefined : faultOf(() => { p = policyOfFile() })?.message
    times = { ...checkWords(p, why) }
    const before = checkBeside('before', file.before, 0, file.index, p), after = checkBeside('after', file.after, file.index + 1, head.size - 1, p)
    if (before) times.notYet = turn(p, before, -1)
    if (after) times.by = turn(p, after, 1) ?? times.by
    if (!key && !given) notes.push('key')
    if (p && !given) notes.push('policy')
  }
}
const outcome = findings.some(f => !f.gap) ? 'FAILED' : later ? 'UPDATE NEEDED' : findings.length || !own ? 'INCOMPLETE' : 'OK'
return { findings, notes, shown: shown.sort((a, b) => a.index - b.index), reached, outcome, later, own, head, log, times, words }
}
