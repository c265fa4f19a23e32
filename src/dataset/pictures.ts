// Encoded pictures -> uint8 [rows, cols, channels] at their own size, in the specification's number of channels.
// Decoder by measurement (ms each on one core; 28x28 PNG / 32x32 JPEG / 240x180 JPEG): @napi-rs/image .009 / .034 / .37,
// @cwasm/jpeg-turbo - / .030 / .63, fast-png .085. GIF (first frame) is the one format it lacks: omggif.
// A call into the thread pool costs .02 ms and pays from about 100x100 pixels on. EXIF rotation is ignored, as the
// challenge's own reader does.
import { endianness } from 'node:os'
import { loadNative } from '../support/native.ts'
import { MAX_PICTURE_PIXELS, type PictureHeader, readPictureHeader } from './picture-header.ts'

const { Transformer } = loadNative<typeof import('@napi-rs/image')>('@napi-rs/image')

const LITTLE_ENDIAN = endianness() === 'LE'
/** From this many pixels on, decode in the thread pool. */
const POOLED_PIXELS = 100 * 100

/** Why a picture cannot be used, in words; the caller knows file and record. */
export class PictureError extends Error {}

/** Checks type and size without decoding. @throws PictureError */
export function inspectPicture(bytes: Buffer): PictureHeader {
  const header = readPictureHeader(bytes)
  if (header === null) throw new PictureError('must be a JPEG, PNG, BMP or GIF picture')
  const { width, height } = header
  if (!(width > 0 && height > 0)) throw new PictureError(`has no pixels: ${width}x${height}`)
  if (width * height > MAX_PICTURE_PIXELS) {
    throw new PictureError(`${width}x${height} pixels: must be at most ${MAX_PICTURE_PIXELS / 1e6} million`)
  }
  return header
}

/** Whether `decodePicture` should run in the thread pool. */
export function isLargePicture(header: PictureHeader): boolean {
  return header.width * header.height >= POOLED_PIXELS && header.format !== 'gif'
}

/** A decoded picture: channels 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA), interleaved, uint8 [height, width, channels]. */
export interface Pixels {
  data: Uint8Array
  channels: number
}

/** On the calling thread. @throws PictureError */
export function decodePicture(bytes: Buffer, header: PictureHeader): Pixels {
  try {
    return header.format === 'gif'
      ? decodeGif(bytes, header)
      : interleaved(new Transformer(bytes).rawPixelsSync(), header)
  } catch (error) {
    throw pictureError(error)
  }
}

/** In the thread pool; `bytes` must stay unchanged until it is done. @throws PictureError */
export async function decodePicturePooled(bytes: Buffer, header: PictureHeader): Promise<Pixels> {
  try {
    return interleaved(await new Transformer(bytes).rawPixels(), header)
  } catch (error) {
    throw pictureError(error)
  }
}

/**
 * Writes pixels as uint8 [rows, cols, channels] at out[at ..], converting channels: gray is ITU-R BT.601 luma, alpha is
 * dropped, or added as opaque.
 */
export function writePixels(pixels: Pixels, channels: number, out: Uint8Array, at: number): void {
  const { data, channels: stored } = pixels
  if (stored === channels) {
    out.set(data, at)
    return
  }
  if (stored === 3 && channels === 1) {
    writeLuma(data, out, at)
    return
  }
  const count = data.length / stored
  const color = stored >= 3
  for (let i = 0, from = 0, to = at; i < count; i++, from += stored, to += channels) {
    if (channels >= 3) {
      out[to] = data[from]
      out[to + 1] = color ? data[from + 1] : data[from]
      out[to + 2] = color ? data[from + 2] : data[from]
      if (channels === 4) out[to + 3] = stored === 2 ? data[from + 1] : 255
    } else {
      out[to] = color ? luma(data[from], data[from + 1], data[from + 2]) : data[from]
      if (channels === 2) out[to + 1] = stored === 4 ? data[from + 3] : 255
    }
  }
}

/** floor((299 r + 587 g + 114 b + 500) / 1000), by a product and shifts: exact for bytes. */
function luma(r: number, g: number, b: number): number {
  return Math.imul((299 * r + 587 * g + 114 * b + 500) >>> 3, 33555) >>> 22
}

/** RGB -> gray, four pixels (three words) at a time, which takes a third less than byte by byte. */
function writeLuma(data: Uint8Array, out: Uint8Array, at: number): void {
  const count = data.length / 3
  let i = 0
  if (data.byteOffset % 4 === 0 && LITTLE_ENDIAN) {
    const words = new Int32Array(data.buffer, data.byteOffset, Math.floor(count / 4) * 3)
    for (let w = 0; w < words.length; w += 3, i += 4) {
      const first = words[w]
      const second = words[w + 1]
      const third = words[w + 2]
      const to = at + i
      out[to] = luma(first & 255, (first >>> 8) & 255, (first >>> 16) & 255)
      out[to + 1] = luma(first >>> 24, second & 255, (second >>> 8) & 255)
      out[to + 2] = luma((second >>> 16) & 255, second >>> 24, third & 255)
      out[to + 3] = luma((third >>> 8) & 255, (third >>> 16) & 255, third >>> 24)
    }
  }
  for (let from = 3 * i; i < count; i++, from += 3) out[at + i] = luma(data[from], data[from + 1], data[from + 2])
}

/** Checks the size; deep pictures keep their high bytes. */
function interleaved(raw: Buffer, header: PictureHeader): Pixels {
  const data = header.depth === 16 ? highBytes(raw) : raw
  const channels = data.length / (header.width * header.height)
  if (channels !== 1 && channels !== 2 && channels !== 3 && channels !== 4) {
    throw new PictureError(`decodes to ${data.length} bytes, which is not its stated ${header.width}x${header.height}`)
  }
  return { data, channels }
}

function highBytes(raw: Buffer): Uint8Array {
  const deep = new Uint16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length))
  return Uint8Array.from(deep, (value) => value >> 8)
}

let GifReader: typeof import('omggif').GifReader | null = null

/** Loads the GIF decoder; needed before the first GIF only. */
export async function loadGifDecoder(): Promise<void> {
  GifReader ??= (await import('omggif')).GifReader
}

function decodeGif(bytes: Buffer, header: PictureHeader): Pixels {
  if (GifReader === null) throw new Error('loadGifDecoder was not called')
  const reader = new GifReader(bytes)
  const { x, y, width, height } = reader.frameInfo(0)
  if (x + width > header.width || y + height > header.height) {
    throw new PictureError(
      `its first frame of ${width}x${height} at ${x},${y} is not within ${header.width}x${header.height}`,
    )
  }
  const data = new Uint8Array(header.width * header.height * 4)
  reader.decodeAndBlitFrameRGBA(0, data)
  return { data, channels: 4 }
}

function pictureError(error: unknown): PictureError {
  if (error instanceof PictureError) return error
  const words = error instanceof Error ? error.message : String(error)
  return new PictureError(`cannot be decoded: ${words}`)
}
