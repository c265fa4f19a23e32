// CRC-32C as TFRecord masks it: mask(c) = ((c >> 15 | c << 17) + 0xa282ead8) mod 2^32. The native function does the work;
// a table is faster for the 8 bytes of a record's length, where a native call costs more than the sum.
import { loadNative } from '../support/native.ts'

const { crc32c } = loadNative<typeof import('@node-rs/crc32')>('@node-rs/crc32')

const MASK_DELTA = 0xa282ead8
/** TABLES[k][b]: the sum after byte b and k zero bytes ("slicing by 8"); of length 8. */
const TABLES: Int32Array[] = [
  Int32Array.from({ length: 256 }, (_, i) => {
    let c = i
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
    return c
  }),
]
for (let k = 1; k < 8; k++) TABLES.push(TABLES[k - 1].map((c) => TABLES[0][c & 255] ^ (c >>> 8)))
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES

export function maskedCrc32c(bytes: Uint8Array): number {
  return mask(crc32c(bytes))
}

/** Of a record's length as eight little-endian bytes, given as two 32-bit words. */
export function maskedCrc32cOfLength(low: number, high: number): number {
  const c = ~low
  const first = T7[c & 255] ^ T6[(c >>> 8) & 255] ^ T5[(c >>> 16) & 255] ^ T4[c >>> 24]
  const second = T3[high & 255] ^ T2[(high >>> 8) & 255] ^ T1[(high >>> 16) & 255] ^ T0[high >>> 24]
  return mask(~(first ^ second) >>> 0)
}

function mask(c: number): number {
  return (((c >>> 15) | (c << 17)) + MASK_DELTA) >>> 0
}
