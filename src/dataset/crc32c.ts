// CRC-32C as TFRecord masks it: mask(c) = ((c >> 15 | c << 17) + 0xa282ead8) mod 2^32. The native function does the work;
// a table is faster for the 8 bytes of a record's length, where a native call costs more than the sum.
import { crc32c } from '@node-rs/crc32'

const MASK_DELTA = 0xa282ead8
const TABLE = Int32Array.from({ length: 256 }, (_, i) => {
  let c = i
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
  return c
})

export function maskedCrc32c(bytes: Uint8Array): number {
  return mask(crc32c(bytes))
}

/** Of bytes[start .. start + 8). */
export function maskedCrc32cOfLength(bytes: Uint8Array, start: number): number {
  let c = -1
  for (let i = start; i < start + 8; i++) c = TABLE[(c ^ bytes[i]) & 255] ^ (c >>> 8)
  return mask(~c >>> 0)
}

function mask(c: number): number {
  return (((c >>> 15) | (c << 17)) + MASK_DELTA) >>> 0
}
