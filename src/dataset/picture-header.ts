// The size of a picture from its first bytes, so that a 30000x30000 one is refused before a byte of it is decoded.
// JPEG, PNG, BMP and GIF: the formats of COMPRESSED matrices (challenge format, section 3).

export interface PictureHeader {
  format: 'jpeg' | 'png' | 'bmp' | 'gif'
  width: number
  height: number
  /** Bits per channel: 16 only for deep PNGs. */
  depth: 8 | 16
}

/** Decoded, this is 150 MB of RGB: a photo of any camera fits, a bomb does not. */
export const MAX_PICTURE_PIXELS = 50e6

/** Null when the bytes are no picture of a known format, or break off in its header. */
export function readPictureHeader(bytes: Buffer): PictureHeader | null {
  if (bytes.length < 26) return null
  const magic = bytes.readUInt32BE(0)
  if (magic === 0x89504e47) {
    const depth = bytes[24] === 16 ? 16 : 8
    return { format: 'png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), depth }
  }
  if (magic >>> 8 === 0xffd8ff) return readJpegHeader(bytes)
  if (magic === 0x47494638)
    return { format: 'gif', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), depth: 8 }
  if (magic >>> 16 === 0x424d) return readBmpHeader(bytes)
  return null
}

/** Walks the marker segments to the start of frame (ITU-T T.81, B.1.1.4 and B.2.2). */
function readJpegHeader(bytes: Buffer): PictureHeader | null {
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return null
    const marker = bytes[at + 1]
    if (marker === 0xff) {
      at++
      continue
    }
    const startOfFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (startOfFrame) {
      return { format: 'jpeg', width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5), depth: 8 }
    }
    const standalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    at += standalone ? 2 : 2 + bytes.readUInt16BE(at + 2)
  }
  return null
}

/** Negative heights are top-down pictures; the oldest header (12 bytes) has 16-bit sizes. */
function readBmpHeader(bytes: Buffer): PictureHeader {
  if (bytes.readUInt32LE(14) === 12) {
    return { format: 'bmp', width: bytes.readUInt16LE(18), height: bytes.readUInt16LE(20), depth: 8 }
  }
  return { format: 'bmp', width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)), depth: 8 }
}
