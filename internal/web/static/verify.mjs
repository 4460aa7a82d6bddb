// SPDX-License-Identifier: Apache-2.0
// Checks a bundle in the reader's own browser, with the second checker. Nothing that is chosen here leaves it.
import { checkBundle, MAX } from './check-core.mjs'
import { Buffer, base64, faultOf, fieldCommitment, fieldsRoot, need, openEnvelope, parse, parsePolicy, parseVerifierKey, sha256 } from './check-parts.mjs'

const { texts, fields, kinds, order, bundle } = JSON.parse(document.getElementById('verify').dataset.texts)
const form = document.getElementById('verify-form'), result = document.getElementById('verify-result')
const chosen = document.getElementById('verify-file'), known = document.getElementById('verify-known'), policyFile = document.getElementById('verify-policy')

form.hidden = false
if (chosen) {
  document.addEventListener('dragover', (event) => event.preventDefault())
  document.addEventListener('drop', drop)
}
form.addEventListener('submit', (event) => { event.preventDefault(); check() })

async function check() {
  result.replaceChildren(paragraph('quiet', texts.working))
  await new Promise((done) => setTimeout(done)) // so that this is drawn first
  let options
  try {
    options = readKnown(policyFile.files[0] ? await policyFile.files[0].text() : known.value)
  } catch {
    return result.replaceChildren(paragraph('verify-failed', texts.bad_key))
  }
  let bytes
  try {
    bytes = await load()
  } catch {
    return result.replaceChildren(paragraph('verify-failed', texts.unreadable))
  }
  show(checkBundle(bytes, options), options)
}

// drop takes files that were let fall on the page: a policy by its name, anything else as the bundle.
function drop(event) {
  event.preventDefault()
  for (const file of event.dataTransfer.files) {
    const one = new DataTransfer()
    one.items.add(file)
    ;(file.name.endsWith('.txt') ? policyFile : chosen).files = one.files
  }
  if (chosen.files[0]) check()
}

async function load() {
  let b
  if (chosen) {
    need(chosen.files[0] && chosen.files[0].size <= MAX, 'no file, or too long')
    b = await chosen.files[0].arrayBuffer()
  } else {
    const answer = await fetch(bundle)
    need(answer.ok, 'no bundle')
    b = await answer.arrayBuffer()
  }
  return Buffer.from(new Uint8Array(b))
}

// readKnown reads what the reader knows on another way: a policy, which names the key, or the key alone, or nothing.
function readKnown(text) {
  const s = text.trim()
  if (!s) return {}
  if (!faultOf(() => parseVerifierKey(s))) return { key: s }
  return { policy: parsePolicy(text) }
}

// Every text of a message is set as text. Values stand in isolation, whatever their direction.
function say(message, values = {}) {
  const out = document.createDocumentFragment()
  for (const part of message.split(/\u2068?(\{\w+\})\u2069?/)) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined || values[name] === undefined) { if (part && name === undefined) out.append(part); continue }
    const b = document.createElement('bdi')
    b.append(values[name])
    out.append(b)
  }
  return out
}
function element(name, className, ...inside) {
  const e = document.createElement(name)
  if (className) e.className = className
  e.append(...inside.filter((x) => x !== undefined))
  return e
}
const paragraph = (className, message, values) => element('p', className, say(message, values))
const visible = (s) => String(s).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
const code = (s) => { const c = element('code', '', visible(s)); c.dir = 'ltr'; return c }
const clock = (ms) => { const t = element('time', '', `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`); t.dir = 'ltr'; return t }
const fingerprint = (vkey) => sha256(vkey).toString('hex', 0, 16).match(/.{4}/g).join(' ')

const plainPath = (path) => path.replace(/^\/account/, '').replace(/\[\d+\]/g, '')
const claimOf = (path) => /^(?:\/account)?\/claims\[(\d+)\]/.exec(path)
// byReading sorts fields as people read them, claim by claim.
function byReading(a, b) {
  const rank = ({ path }) => [+(claimOf(path)?.[1] ?? -1), (order.indexOf(plainPath(path)) + order.length + 1) % (order.length + 1)]
  const [ca, ra] = rank(a), [cb, rb] = rank(b)
  return ca - cb || ra - rb
}
function label(path) {
  const plain = plainPath(path), claim = claimOf(path)
  if (!fields[plain]) return code(path)
  const out = element('span', '')
  if (claim) out.append(say(fields.claims, { n: String(+claim[1] + 1) }), ' · ')
  out.append(fields[plain])
  return out
}
const value = (v) => { const s = element('strong', '', visible(typeof JSON.parse(v) === 'string' ? JSON.parse(v) : v)); s.dir = 'auto'; return s }

function show(r, options) {
  const outcome = { OK: r.notes.length ? 'ok.own' : 'ok', FAILED: 'failed', INCOMPLETE: 'incomplete', 'UPDATE NEEDED': 'update' }[r.outcome]
  const out = [element('h2', `verify-verdict verify-${outcome.split('.')[0]}`, say(texts[outcome]))]
  if (r.own?.st?.exercise) out.push(element('p', 'exercise', element('strong', '', 'EXERCISE'), ' ', say(texts.exercise)))
  const wrong = [...r.findings.filter((f) => !f.gap), ...suspects(r)]
  if (wrong.length) out.push(element('ul', 'verify-wrong', ...wrong.map((f) => finding(r, f))))
  if (r.own?.st && r.outcome !== 'FAILED') {
    if (r.own.st.kind === 'release.made' && r.own.body) {
      out.push(paragraph('', texts['release.is'], { names: visible(r.own.body.title), index: `#${r.own.line.index}`, member: visible(r.own.st.member), at: clock(r.own.line.logged_at) }))
      if (r.own.body.replaces) out.push(paragraph('', texts.instead, { number: code(r.own.body.replaces) }))
      out.push(paragraph('quiet', texts.since))
    }
    else out.push(paragraph('', texts.no_release, { index: `#${r.own.line.index}`, member: visible(r.own.st.member), at: clock(r.own.line.logged_at) }))
  }
  out.push(layers(r), rests(r, options))
  if (r.outcome !== 'FAILED') out.push(...r.shown.filter((x) => x.finding !== 'failed').map(shown))
  result.replaceChildren(...out)
  result.dataset.outcome = r.outcome
}

// suspects says what of a release does not fit, where its body is not the one that was signed: the checker looks no further there, and a
// reader asks which field it is.
function suspects(r) {
  const out = [], { line, st } = r.own ?? {}
  if (st?.kind !== 'release.made' || !r.findings.some((f) => !f.gap && f.layer === 'body' && f.index === line.index)) return out
  for (const d of line.body?.items ?? []) {
    let st, field, step = 'envelope'
    const fault = faultOf(() => {
      ;({ st } = openEnvelope({ envelope: parse(base64(d.envelope)) }))
      step = 'commitments'
      const all = base64(d.commitments).toString('hex').match(/.{64}/g)
      need(fieldsRoot(base64(d.commitments)) === st.body.commitment, 'the commitments are not those of its statement')
      step = 'field'
      for (const f of d.fields) { field = f.path; need(all.includes(fieldCommitment(f.salt, f.path, f.value).toString('hex')), `${f.path}: another value, salt or path`) }
    })
    if (fault) out.push({ index: d.index, layer: 'release', step, field, member: st?.member, what: fault.message })
  }
  return out
}

// finding says in plain words what is wrong or what could not be checked, and exactly what the checker found.
function finding(r, f) {
  const who = f.member ?? r.shown.find((x) => x.index === f.index)?.st?.member
  const kind = f.gap ? 'gap' : 'wrong'
  const key = [`${kind}.${f.layer}.${f.step}`, f.layer === 'head' && /key|policy/.test(f.what) ? `${kind}.head.key` : '', `${kind}.${f.layer}`, 'gap.other'].find((k) => texts[k])
  const li = element('li', '', say(texts[key], { index: f.index === '-' ? '' : `#${f.index}`, field: f.field ? label(f.field) : '', member: who ? visible(who) : '' }))
  const exact = element('details', '', element('summary', '', say(texts.exact)), code(`${f.index} ${f.layer}: ${f.what}`))
  li.append(exact)
  return li
}

function layers(r) {
  const list = element('dl', 'verify-layers')
  for (const layer of ['file', 'head', 'leaf', 'envelope', 'body', 'release', 'witness', 'rule', 'time']) {
    const of = r.findings.filter((f) => f.layer === layer), bad = of.filter((f) => !f.gap)
    if (!r.reached.includes(layer) && (layer === 'release' || layer === 'time')) continue
    const how = bad.length ? 'failed' : of.length ? 'gap' : r.reached.includes(layer) ? 'good' : 'not_reached'
    const inside = [element('strong', `verify-${how}`, say(texts[`layer.${how}`]))]
    if (how === 'gap') inside.push(...of.slice(0, 5).map((f) => element('div', 'quiet', ...finding(r, f).childNodes)))
    list.append(element('div', '', element('dt', '', say(texts[`layer.${layer}`])), element('dd', '', ...inside)))
  }
  return list
}

// rests says whose word it is that all this rests on.
function rests(r, options) {
  const out = element('ul', 'verify-rests')
  if (!r.log) return out
  const key = element('span', '', code(r.log.name), ' ', code(fingerprint(r.log.vkey)))
  out.append(element('li', '', say(texts[options.key || options.policy ? 'rests.given' : 'rests.file'], { key })))
  if (r.own) out.append(element('li', '', say(texts[options.policy ? 'rests.policy_given' : 'rests.policy_file'])))
  if (r.notes.includes('rules')) out.append(element('li', '', say(texts['rests.rules_file'])))
  const names = (list) => list.map(visible).join(', ')
  if (r.words.cosigned?.length) out.append(element('li', '', say(texts['rests.witnesses'], { names: names(r.words.cosigned.map((w) => w.name)), size: String(r.head.size) })))
  if (r.words.rules?.length) out.append(element('li', '', say(texts['rests.rules'], { names: names(r.words.rules) })))
  if (r.times.by) out.append(element('li', '', say(texts.times, { at: clock(r.times.by * 1000) })))
  return out
}

function shown(x) {
  const reply = x.st?.kind === 'release.answered'
  const list = element('dl', 'chain')
  for (const f of [...x.fields].sort(byReading)) list.append(element('div', '', element('dt', '', label(f.path)), element('dd', '', value(f.value))))
  return element('section', 'shown', element('h3', '', visible(x.st?.member ?? ''), ' ', element('span', 'quiet', kinds[x.st?.kind] ?? '')),
    paragraph('quiet', texts[reply ? 'shown.reply' : 'shown.record'], { index: `#${x.index}`, at: clock(x.logged_at), member: visible(x.st?.member ?? '') }), list)
}

if (bundle) check()
