// The protobuf wire format, as much as SequenceExample needs (https://protobuf.dev/programming-guides/encoding/). A cursor
// over a record's bytes instead of a message object: examples have up to millions of values.

export interface Wire {
  bytes: Buffer
  view: DataView
  at: number
}

/** bytes[start .. end) */
export interface Span {
  start: number
  end: number
}

/** The bytes break the wire format; the caller knows file and record. */
export class WireError extends Error {}

export function wireOver(bytes: Buffer): Wire {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0 }
}

/** Unsigned up to 2^53; beyond, and for negatives (ten bytes), the two's complement int64 as the nearest double. */
export function readVarint(wire: Wire): number {
  const { bytes } = wire
  let byte = bytes[wire.at++]
  if (byte < 128) return byte
  let low = byte & 127
  for (let shift = 7; shift < 28; shift += 7) {
    byte = bytes[wire.at++]
    low |= (byte & 127) << shift
    if (byte < 128) return low
  }
  let high = 0
  for (let shift = 0; shift < 42; shift += 7) {
    byte = bytes[wire.at++]
    high += (byte & 127) * 2 ** shift
    if (byte < 128) {
      const value = high * 2 ** 28 + low
      return value < 2 ** 63 ? value : Number(BigInt.asIntN(64, (BigInt(high) << 28n) | BigInt(low)))
    }
  }
  throw new WireError('a number has more than ten bytes')
}

/** Reads the length of a length-delimited field and returns where it ends: past `limit` where the message is cut. @throws WireError */
export function readLength(wire: Wire): number {
  const length = readVarint(wire)
  // A cut number is NaN, which the caller's comparison with its limit catches.
  if (length < 0) throw new WireError(`a field has length ${length}`)
  return wire.at + length
}

/** The same for a field that must end by `limit`. */
export function readEnd(wire: Wire, limit: number): number {
  const end = readLength(wire)
  if (!(end <= limit)) throw new WireError('a field ends past its message')
  return end
}

/** Skips the value that follows `tag`. */
export function skipField(wire: Wire, tag: number, limit: number): void {
  const type = tag & 7
  if (type === 2) wire.at = readEnd(wire, limit)
  else if (type === 0) readVarint(wire)
  else if (type === 1) wire.at += 8
  else if (type === 5) wire.at += 4
  else throw new WireError(`unknown wire type ${type}`)
  if (!(wire.at <= limit)) throw new WireError('a field ends past its message')
}

export function bytesEqual(bytes: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  if (end - start !== key.length) return false
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false
  return true
}
