// A trial's snapshot as one file, replaced by rename: length of a JSON header (uint32 LE), the header, then the arrays, each at a
// multiple of 8 bytes. Read again when the trial goes on after an interruption.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TrialState } from '../families/family.ts'
import { outputWriteError, writeFileAtomic } from '../support/atomic-file.ts'

export interface SavedTrial {
  state: TrialState
  /** The random stream as it stood. */
  rng: Uint32Array
}

interface Header {
  facts: Record<string, unknown>
  rng: number[]
  arrays: { name: string; type: 'float32' | 'int32'; length: number; offset: number }[]
  /** Of the whole file. */
  bytes: number
}

export function statePath(out: string, trial: string): string {
  return join(out, 'trials', trial, 'state.bin')
}

/** @throws OUTPUT_WRITE */
export function writeTrialState(path: string, { state, rng }: SavedTrial): void {
  const arrays: Header['arrays'] = []
  let offset = 0
  for (const [name, data] of Object.entries(state.arrays)) {
    arrays.push({ name, type: data instanceof Int32Array ? 'int32' : 'float32', length: data.length, offset })
    offset = align(offset + data.byteLength)
  }
  const header: Header = { facts: state.facts, rng: Array.from(rng), arrays, bytes: offset }
  const text = Buffer.from(JSON.stringify(header))
  const start = align(4 + text.length)
  const file = Buffer.alloc(start + offset)
  file.writeUInt32LE(text.length, 0)
  text.copy(file, 4)
  for (const [i, data] of Object.values(state.arrays).entries()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + arrays[i].offset)
  }
  try {
    mkdirSync(dirname(path), { recursive: true })
  } catch (cause) {
    throw outputWriteError(path, cause)
  }
  writeFileAtomic(path, file)
}

export function removeTrialState(out: string, trial: string): void {
  rmSync(statePath(out, trial), { force: true })
}

/** Null when there is none, or none that is whole. */
export function readTrialState(path: string): SavedTrial | null {
  try {
    const file = Uint8Array.from(readFileSync(path))
    const length = new DataView(file.buffer).getUint32(0, true)
    const header = JSON.parse(Buffer.from(file.buffer, 4, length).toString()) as Header
    const start = align(4 + length)
    if (file.length !== start + header.bytes) return null
    const arrays: TrialState['arrays'] = {}
    for (const { name, type, length: count, offset } of header.arrays) {
      const View = type === 'int32' ? Int32Array : Float32Array
      arrays[name] = new View(file.buffer, start + offset, count)
    }
    return { state: { facts: header.facts, arrays }, rng: Uint32Array.from(header.rng) }
  } catch {
    return null
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
