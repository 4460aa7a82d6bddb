// SPDX-License-Identifier: Apache-2.0
//
// An independent reading of docs/formats/sealed.md, written from that page alone: node scripts/check-sealed.mjs FILE
//
// FILE is an object of the form of testdata/vectors/sealed.json: a sealed account with all that opens it. Checks the commitment, the
// box and what is in it, that every choice of `need` shares gives the key and that one fewer does not, and what a share is bound to.
// Prints a line for each thing that is wrong (exit 1), or OK (exit 0). Wrong usage exits 2.
import { createDecipheriv, createHash, createHmac } from 'node:crypto'
import fs from 'node:fs'

const wrong = what => { process.exitCode = 1; console.log(what) }
const context = (prefix, v) => Buffer.concat([Buffer.from(`${prefix}\n`), Buffer.from(v.mission, 'hex'), Buffer.from(v.incident, 'hex'),
  Buffer.from([v.member.length]), Buffer.from(v.member)])

// ---- GF(256) with x^8 + x^4 + x^3 + x + 1, and Lagrange's formula at 0
const times = (a, b) => { let p = 0; for (; b; b >>= 1) { if (b & 1) p ^= a; a = a << 1 ^ (a & 128 ? 0x11b : 0) } return p }
const over = (a, b) => { for (let x = 0; x < 256; x++) if (times(x, b) === a) return x }
const combine = shares => Buffer.from(Array.from({ length: 32 }, (_, n) => shares.reduce((sum, s) =>
  sum ^ times(s[1 + n], shares.reduce((l, o) => o === s ? l : times(l, over(o[0], o[0] ^ s[0])), 1)), 0)))
const choices = (n, list) => n === 0 ? [[]] : list.flatMap((x, i) => choices(n - 1, list.slice(i + 1)).map(c => [x, ...c]))

// ---- XChaCha20-Poly1305: HChaCha20 of key and first 16 bytes of the nonce, then ChaCha20-Poly1305
function hchacha20(key, nonce) {
  const s = new Uint32Array([...Buffer.from('expand 32-byte k'), ...key, ...nonce].reduce((w, b, i) => { w[i >> 2] |= b << 8 * (i & 3); return w }, Array(16).fill(0)))
  const turn = (x, n) => x << n | x >>> 32 - n
  const quarter = (a, b, c, d) => {
    s[a] += s[b]; s[d] = turn(s[d] ^ s[a], 16); s[c] += s[d]; s[b] = turn(s[b] ^ s[c], 12)
    s[a] += s[b]; s[d] = turn(s[d] ^ s[a], 8); s[c] += s[d]; s[b] = turn(s[b] ^ s[c], 7)
  }
  for (let i = 0; i < 10; i++) {
    for (let c = 0; c < 4; c++) quarter(c, 4 + c, 8 + c, 12 + c)
    for (let c = 0; c < 4; c++) quarter(c, 4 + (c + 1) % 4, 8 + (c + 2) % 4, 12 + (c + 3) % 4)
  }
  return Buffer.from([...s.slice(0, 4), ...s.slice(12)].flatMap(w => [w & 255, w >>> 8 & 255, w >>> 16 & 255, w >>> 24]))
}
function openBox(key, box, data) {
  const d = createDecipheriv('chacha20-poly1305', hchacha20(key, box.subarray(0, 16)), Buffer.concat([Buffer.alloc(4), box.subarray(16, 24)]), { authTagLength: 16 })
  d.setAAD(data, { plaintextLength: box.length - 40 }).setAuthTag(box.subarray(-16))
  return Buffer.concat([d.update(box.subarray(24, -16)), d.final()])
}

function check(v) {
  const account = Buffer.from(v.account), nonce = Buffer.from(v.nonce, 'hex'), key = Buffer.from(v.key, 'hex'), box = Buffer.from(v.box, 'base64')
  const commitment = createHmac('sha256', nonce).update(context('truceline-sealed/v1', v)).update(account).digest()
  if (commitment.toString('hex') !== v.commitment) wrong('the commitment is another')
  const bound = createHash('sha256').update(context('truceline-share/v1', v)).update(Buffer.from(v.commitment, 'hex')).digest('hex')
  if (bound !== v.share_bound_to) wrong('a share is bound to something else')
  const shares = v.shares.map(s => Buffer.from(s, 'base64'))
  if (shares.some(s => s.length !== 33 || s[0] === 0)) wrong('a share is not a number and 32 bytes')
  if (!choices(v.need, shares).every(c => combine(c).equals(key))) wrong('shares that are enough do not give the key')
  if (choices(v.need - 1, shares).some(c => combine(c).equals(key))) wrong('fewer shares than are needed give the key')
  if (box.length !== 16424) return wrong('the box has another length')
  let plain
  try {
    plain = openBox(key, box, Buffer.concat([Buffer.from('truceline-sealed-box/v1\n'), Buffer.from(v.commitment, 'hex')]))
  } catch { return wrong('the box does not open') }
  const size = plain.readUInt32BE(32)
  if (!plain.subarray(0, 32).equals(nonce) || !plain.subarray(36, 36 + size).equals(account)) wrong('the box holds something else')
  if (plain.subarray(36 + size).some(b => b !== 0)) wrong('the padding is not zeros')
}

if (process.argv.length !== 3) {
  console.error('usage: node scripts/check-sealed.mjs FILE')
  process.exit(2)
}
check(JSON.parse(fs.readFileSync(process.argv[2], 'utf8')))
if (!process.exitCode) console.log('OK')
