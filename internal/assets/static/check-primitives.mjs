// SPDX-License-Identifier: Apache-2.0
//
// What check-parts.mjs and check-core.mjs need of the program that runs them, for browsers. Node has another file of this name.
// crypto.subtle is not asked: browsers have it only where the page came over https.
import { Point } from './noble-ed25519.mjs'
import { hmac as hmacOf } from './noble-hashes/hmac.js'
import { sha256 as sha256Of, sha512 } from './noble-hashes/sha2.js'

const decodeHex = s => /^([0-9a-f]{2})*$/i.test(s) ? (s.match(/../g) ?? []).map(x => parseInt(x, 16)) : []
const decodeBase64 = s => { try { return Array.from(atob(s), c => c.charCodeAt(0)) } catch { return [] } } // whoever reads it writes it again and compares

// Buffer is as much of Node's as the checkers use.
export class Buffer extends Uint8Array {
  static from(x, as) {
    if (typeof x !== 'string') return new Buffer(x)
    return new Buffer({ hex: decodeHex, base64: decodeBase64 }[as]?.(x) ?? new TextEncoder().encode(x))
  }
  static byteLength(s) { return new TextEncoder().encode(s).length }
  static concat(parts) {
    const out = new Buffer(parts.reduce((n, p) => n + p.length, 0))
    let at = 0
    for (const p of parts) { out.set(p, at); at += p.length }
    return out
  }
  static compare(a, b) {
    const n = Math.min(a.length, b.length)
    for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1
    return Math.sign(a.length - b.length)
  }
  toString(as, from = 0, to = this.length) {
    const part = Array.from(this.subarray(from, to))
    if (as === 'hex') return part.map(b => b.toString(16).padStart(2, '0')).join('')
    return btoa(part.map(b => String.fromCharCode(b)).join(''))
  }
  readBigUInt64BE(at) { return new DataView(this.buffer, this.byteOffset, this.length).getBigUint64(at) }
}
String.prototype.isWellFormed ??= function () { try { return encodeURIComponent(this) !== '' || true } catch { return false } }

const bytes = p => typeof p === 'string' ? Buffer.from(p) : p
export const sha256 = (...parts) => new Buffer(sha256Of(Buffer.concat(parts.map(bytes))))
export const hmac = (salt, ...parts) => new Buffer(hmacOf(sha256Of, Buffer.from(salt, 'hex'), Buffer.concat(parts.map(bytes))))

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const little = b => BigInt(`0x${Buffer.from(b).reverse().toString('hex')}`)
export const rawKey = raw => ({ raw })

// verify is Ed25519 without the cofactor: the encoding of [S]B - [k]A is R, byte for byte, and S is below the order. The library's own
// verify multiplies by the cofactor, and would take signatures that Go, OpenSSL and Node refuse.
export function verify(message, { raw }, signature) {
  if (signature.length !== 64) return false
  const R = signature.subarray(0, 32), S = little(signature.subarray(32))
  if (S >= ORDER) return false
  let A
  try { A = Point.fromBytes(new Uint8Array(raw), true) } catch { return false } // under what is no point nothing verifies
  const k = little(sha512(Buffer.concat([R, raw, bytes(message)]))) % ORDER
  return Buffer.compare(Point.BASE.multiply(S, false).subtract(A.multiply(k, false)).toBytes(), R) === 0
}
