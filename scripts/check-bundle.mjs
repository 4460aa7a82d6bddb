// SPDX-License-Identifier: Apache-2.0
//
// An independent checker of Truceline bundles, written from docs/formats alone: node scripts/check-bundle.mjs FILE [--key VKEY]
// [--policy FILE]. Needs check-core.mjs, check-parts.mjs and check-primitives.mjs beside it.
//
// Without --key and --policy what the file says of them is taken: it then only agrees with itself. Prints "index layer: what" for each
// problem and "index layer, not checked: why" for each gap ("-" for no index), what a release shows ("shows index path value"), EXERCISE
// where the record is of one, then the outcome: OK (exit 0), FAILED (1), INCOMPLETE or UPDATE NEEDED (3). Wrong usage exits 2. Notes go to stderr.
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import { MAX, checkBundle } from './check-core.mjs'
import { faultOf, need, parsePolicy, parseVerifierKey, show } from './check-parts.mjs'

let options, bytes, policy
const misused = faultOf(() => {
  options = parseArgs({ args: process.argv.slice(2), allowPositionals: true, options: { key: { type: 'string' }, policy: { type: 'string' } } })
  need(options.positionals.length === 1 && fs.statSync(options.positionals[0]).isFile(), 'no file, or more than one')
  if (options.values.key !== undefined) parseVerifierKey(options.values.key)
  if (options.values.policy !== undefined) policy = parsePolicy(fs.readFileSync(options.values.policy, 'utf8'))
  need(!policy || !options.values.key || policy.logs.some(l => l.vkey === options.values.key), 'the policy is not for the log of the key')
})
if (misused) { console.error(show(misused.message), '\nusage: node scripts/check-bundle.mjs FILE [--key VKEY] [--policy FILE]'); process.exit(2) }
const unread = faultOf(() => {
  const { size } = fs.statSync(options.positionals[0])
  bytes = size > MAX ? Buffer.alloc(MAX + 1) : fs.readFileSync(options.positionals[0])
})
const NOTES = { key: 'no key was given: whose log it is was not checked', policy: 'no policy was given: who the witnesses are is the record\'s own word',
  rules: 'the policy names no rules keys: whose they are is the record\'s own word' }
const r = unread ? { findings: [{ gap: true, index: '-', layer: 'file', what: `could not be read: ${unread.message}` }], notes: [], shown: [], times: {}, outcome: 'INCOMPLETE' }
  : checkBundle(bytes, { key: options.values.key, policy })
for (const f of r.findings) console.log(show(`${f.index} ${f.layer}${f.gap ? ', not checked' : ''}: ${f.what}`))
for (const x of r.shown) for (const f of x.finding === 'failed' ? [] : x.fields) console.log(show(`shows ${x.index} ${f.path} ${f.value}`))
if (r.own?.st?.exercise) console.log('EXERCISE: what this record says is invented')
for (const n of r.notes) console.error(`note: ${NOTES[n]}`)
if (r.later) console.error(show(`note: of a later version: ${r.later}`))
const { own: { line, st } = {}, head, times, outcome } = r
process.exitCode = { OK: 0, FAILED: 1 }[outcome] ?? 3
console.log(show(`${outcome} record ${line?.index ?? '-'} ${st?.id ?? '-'} of ${head?.size ?? '-'}, root ${head?.root ?? '-'}, claimed ${st?.claimed_at ?? '-'}, logged ${
  line?.logged_at ?? '-'}, not yet at ${times.notYet ?? '-'}, in by ${times.by ?? '-'}`))
