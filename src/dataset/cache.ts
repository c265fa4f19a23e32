// Arrays that are costly to compute (decoded pictures, front-end features), kept in files that worker processes and later
// runs share. Each array has one slot per row in `index` (where its bytes lie, their shape and checksums) and one data file
// per writing process, only ever appended to. Bytes are written before their slot; a slot or row whose checksum does not
// fit, for whatever reason, counts as absent. So there are no locks, and a killed writer leaves nothing wrong behind.
// Rows may differ in size. A full disk makes `put` decline; it is never an error.
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { outputWriteError, writeFileAtomic } from '../support/atomic-file.ts'
import type { DenseBatch } from './batch.ts'
import { maskedCrc32c } from './crc32c.ts'

/** u32 writer, u32 checksum of the bytes, f64 offset, 4 x u32 shape, u32 bytes, u32 checksum of the 36 bytes before. */
const SLOT_BYTES = 40
const COALESCE_BYTES = 8 << 20

export interface CachedArray {
  /** Those of `rows` that are not stored, in their order. */
  missing(rows: Int32Array): Int32Array
  /** Stores example i of the batch as row rows[i]; false when the cache is full (nothing is stored then). */
  put(rows: Int32Array, batch: DenseBatch): boolean
  /** Rows in their order, repeats allowed; null when one is missing. */
  get(rows: Int32Array): DenseBatch | null
}

export interface ArrayCache {
  /** The array named `key` with `count` rows; equal keys share storage across processes. */
  array(key: string, count: number, type: 'uint8' | 'float32'): CachedArray
  /** Bytes of all data files, other processes' included. */
  usedBytes(): number
  close(): void
}

export interface CacheOptions {
  /** `put` declines beyond this, other processes' arrays included. @default no bound */
  maxBytes?: number
  /** Processes that write at the same time: each may fill an equal part of what is left. @default 1 */
  sharers?: number
}

/** @throws OUTPUT_WRITE when the folder cannot be made */
export function openArrayCache(folder: string, options: CacheOptions = {}): ArrayCache {
  const { maxBytes = Number.POSITIVE_INFINITY, sharers = 1 } = options
  const arrays = new Map<string, OpenArray>()
  const usedBytes = (): number => dataFiles(folder).reduce((sum, file) => sum + statSync(file).size, 0)
  makeFolder(folder)
  let room = (maxBytes - usedBytes()) / sharers
  return {
    array(key, count, type) {
      const name = createHash('sha256').update(`${type} ${count} ${key}`).digest('hex').slice(0, 24)
      let array = arrays.get(name)
      if (array === undefined) {
        const place = join(folder, name)
        makeFolder(place)
        writeFileAtomic(join(place, 'about.json'), `${JSON.stringify({ key, count, type })}\n`)
        array = new OpenArray(place, count, type, (bytes) => {
          if (bytes > room) return false
          room -= bytes
          return true
        })
        arrays.set(name, array)
      }
      return array
    },
    usedBytes,
    close() {
      for (const array of arrays.values()) array.close()
      arrays.clear()
    },
  }
}

class OpenArray implements CachedArray {
  readonly #folder: string
  readonly #type: 'uint8' | 'float32'
  readonly #claim: (bytes: number) => boolean
  /** All slots as last seen; those that were empty are looked up again before they count as missing. */
  readonly #slots: Buffer
  readonly #valid: Uint8Array
  readonly #readers = new Map<number, number>()
  #index: number
  #writer: { number: number; handle: number; end: number } | null = null

  constructor(folder: string, count: number, type: 'uint8' | 'float32', claim: (bytes: number) => boolean) {
    this.#folder = folder
    this.#type = type
    this.#claim = claim
    this.#slots = Buffer.alloc(count * SLOT_BYTES)
    this.#valid = new Uint8Array(count)
    closeSync(openSync(join(folder, 'index'), 'a'))
    this.#index = openSync(join(folder, 'index'), 'r+')
    this.#refresh(0, count)
  }

  missing(rows: Int32Array): Int32Array {
    let first = this.#valid.length
    let last = -1
    for (const row of rows) {
      if (this.#valid[row] === 1) continue
      first = Math.min(first, row)
      last = Math.max(last, row)
    }
    if (last >= first) this.#refresh(first, last + 1)
    return rows.filter((row) => this.#valid[row] === 0)
  }

  put(rows: Int32Array, batch: DenseBatch): boolean {
    const bytes = new Uint8Array(batch.data.buffer, batch.data.byteOffset, batch.data.byteLength)
    const size = batch.data.BYTES_PER_ELEMENT
    if (!this.#claim(bytes.length)) return false
    try {
      this.#writer ??= this.#openWriter()
      const begin = this.#writer.end
      writeAll(this.#writer.handle, bytes, begin)
      this.#writer.end += bytes.length
      for (let i = 0; i < rows.length; i++) {
        const start = batch.offsets[i] * size
        const end = batch.offsets[i + 1] * size
        const slot = this.#slots.subarray(rows[i] * SLOT_BYTES, (rows[i] + 1) * SLOT_BYTES)
        slot.writeUInt32LE(this.#writer.number, 0)
        slot.writeUInt32LE(maskedCrc32c(bytes.subarray(start, end)), 4)
        slot.writeDoubleLE(begin + start, 8)
        for (let axis = 0; axis < 4; axis++) slot.writeUInt32LE(batch.shapes[i * 4 + axis], 16 + axis * 4)
        slot.writeUInt32LE(end - start, 32)
        slot.writeUInt32LE(maskedCrc32c(slot.subarray(0, 36)), 36)
        this.#valid[rows[i]] = 1
      }
      this.#writeSlots(rows)
      return true
    } catch (error) {
      if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw outputWriteError(this.#folder, error)
    }
  }

  get(rows: Int32Array): DenseBatch | null {
    if (this.missing(rows).length > 0) return null
    const size = this.#type === 'uint8' ? 1 : 4
    const offsets = new Float64Array(rows.length + 1)
    const shapes = new Int32Array(rows.length * 4)
    for (let i = 0; i < rows.length; i++) {
      const at = rows[i] * SLOT_BYTES
      offsets[i + 1] = offsets[i] + this.#slots.readUInt32LE(at + 32) / size
      for (let axis = 0; axis < 4; axis++) shapes[i * 4 + axis] = this.#slots.readUInt32LE(at + 16 + axis * 4)
    }
    const elements = offsets[rows.length]
    const data = this.#type === 'uint8' ? new Uint8Array(elements) : new Float32Array(elements)
    const bytes = Buffer.from(data.buffer)
    for (let i = 0; i < rows.length; ) {
      const next = this.#runEnd(rows, i)
      const slot = rows[i] * SLOT_BYTES
      const [start, end] = [offsets[i] * size, offsets[next] * size]
      readAll(this.#reader(this.#slots.readUInt32LE(slot)), bytes, start, end, this.#slots.readDoubleLE(slot + 8))
      for (; i < next; i++) {
        const row = bytes.subarray(offsets[i] * size, offsets[i + 1] * size)
        if (maskedCrc32c(row) === this.#slots.readUInt32LE(rows[i] * SLOT_BYTES + 4)) continue
        this.#forget(rows[i])
        return null
      }
    }
    return { layout: 'dense', data, offsets, shapes }
  }

  close(): void {
    closeSync(this.#index)
    if (this.#writer !== null) closeSync(this.#writer.handle)
    for (const handle of this.#readers.values()) closeSync(handle)
  }

  /** First position after i whose row does not follow its neighbour's bytes in the same file. */
  #runEnd(rows: Int32Array, i: number): number {
    let bytes = 0
    let j = i
    for (; j < rows.length; j++) {
      const slot = rows[j] * SLOT_BYTES
      if (j > i) {
        const before = rows[j - 1] * SLOT_BYTES
        const follows =
          this.#slots.readUInt32LE(slot) === this.#slots.readUInt32LE(before) &&
          this.#slots.readDoubleLE(slot + 8) ===
            this.#slots.readDoubleLE(before + 8) + this.#slots.readUInt32LE(before + 32)
        if (!follows || bytes > COALESCE_BYTES) break
      }
      bytes += this.#slots.readUInt32LE(slot + 32)
    }
    return j
  }

  /** Reads slots [from, to) that others may have written meanwhile. */
  #refresh(from: number, to: number): void {
    const seen = Buffer.alloc((to - from) * SLOT_BYTES)
    readAll(this.#index, seen, 0, seen.length, from * SLOT_BYTES)
    for (let row = from; row < to; row++) {
      if (this.#valid[row] === 1) continue
      const slot = seen.subarray((row - from) * SLOT_BYTES, (row - from + 1) * SLOT_BYTES)
      if (slot.readUInt32LE(36) === 0 || maskedCrc32c(slot.subarray(0, 36)) !== slot.readUInt32LE(36)) continue
      slot.copy(this.#slots, row * SLOT_BYTES)
      this.#valid[row] = 1
    }
  }

  #writeSlots(rows: Int32Array): void {
    for (let i = 0; i < rows.length; ) {
      let j = i + 1
      while (j < rows.length && rows[j] === rows[j - 1] + 1) j++
      const [from, to] = [rows[i] * SLOT_BYTES, (rows[j - 1] + 1) * SLOT_BYTES]
      writeAll(this.#index, this.#slots.subarray(from, to), from)
      i = j
    }
  }

  #forget(row: number): void {
    this.#slots.fill(0, row * SLOT_BYTES, (row + 1) * SLOT_BYTES)
    this.#valid[row] = 0
    this.#writeSlots(Int32Array.of(row))
  }

  #openWriter(): { number: number; handle: number; end: number } {
    for (let number = 0; ; number++) {
      try {
        return { number, handle: openSync(join(this.#folder, `${number}.data`), 'wx'), end: 0 }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }

  #reader(number: number): number {
    let handle = this.#readers.get(number)
    if (handle === undefined) {
      handle = openSync(join(this.#folder, `${number}.data`), 'r')
      this.#readers.set(number, handle)
    }
    return handle
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw outputWriteError(folder, error)
  }
}

function dataFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(folder, entry.name)).map((file) => join(folder, entry.name, file)))
    .filter((file) => file.endsWith('.data'))
}

function writeAll(handle: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(handle, bytes, done, bytes.length - done, position + done)
  }
}

/** Fills bytes[start .. end) as far as the file goes. */
function readAll(handle: number, bytes: Uint8Array, start: number, end: number, position: number): void {
  for (let at = start; at < end; ) {
    const got = readSync(handle, bytes, at, end - at, position + at - start)
    if (got === 0) return
    at += got
  }
}
