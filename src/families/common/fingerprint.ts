// A short hash of fitted constants, for front end keys: equal keys must mean equal outputs. 64 bits from two FNV-1a passes.

export function fingerprint(...arrays: readonly (Float32Array | Float64Array | Int32Array | Uint8Array)[]): string {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (const array of arrays) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    for (let i = 0; i < bytes.length; i++) {
      low = Math.imul(low ^ bytes[i], 0x01000193)
      high = Math.imul(high ^ bytes[i] ^ (low >>> 24), 0x01000193)
    }
    low = Math.imul(low ^ array.length, 0x01000193)
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0')
}
