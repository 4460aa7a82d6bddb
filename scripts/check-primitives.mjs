// SPDX-License-Identifier: Apache-2.0
//
// What check-parts.mjs and check-core.mjs need of the program that runs them, by Node. Browsers load another file of this name.
import { Buffer } from 'node:buffer'
import { createHash, createHmac, createPublicKey, verify as verifies } from 'node:crypto'

export { Buffer }
export const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest()
export const hmac = (salt, ...parts) => parts.reduce((h, p) => h.update(p), createHmac('sha256', Buffer.from(salt, 'hex'))).digest()
export const rawKey = raw => createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' })
export const verify = (message, key, signature) => verifies(null, message, key, signature) // Ed25519 without the cofactor
