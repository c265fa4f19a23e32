// Outputs of front ends, computed once per example and kept. An entry is one array over all rows of a split, filled as rows are
// asked for; memory is bounded by moving the entries longest unused to the run's array cache on disk, where also goes what is
// too large for memory from the start. What the disk does not take is computed each time.
// Callers must not change what they get: it may be the store itself.
import type { DenseBatch, SplitName } from '../../dataset/batch.ts'
import type { ArrayCache, CachedArray } from '../../dataset/cache.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { Engine, Executable, Tensor } from '../../engine/engine.ts'
import type { FrontEnd } from '../../families/family.ts'
import { frontGraph } from '../model-graph.ts'
import { type FeedOptions, feedBatches, type ReadRaw } from '../model-inputs.ts'
import { profileSeenBy } from '../seen-steps.ts'

export type Features = Float32Array | Uint8Array

export interface FeatureStore {
  features(front: FrontEnd, split: SplitName, rows: Int32Array): Promise<Features>
  /** Bytes held. */
  bytes(): number
  /** Bytes may not exceed this from now on. */
  limit(bytes: number): void
}

export interface FeatureStoreOptions {
  engine: Engine
  profile: TaskProfile
  read: ReadRaw
  counts: Record<SplitName, number>
  limitBytes: number
  /** Where features go that memory has no room for; asked for at first need. Null: nowhere. */
  spill(): ArrayCache | null
}

interface Entry {
  front: FrontEnd
  split: SplitName
  data: Features
  have: Uint8Array
  /** All rows are there. */
  whole: boolean
  used: number
}

/** Compiled front ends kept open. */
const OPEN_FRONTS = 4
/** Rows per run of a front that starts from stored features. */
const BASE_ROWS = 512
/** Rows per run on raw inputs: bounds what operators hold between input and output. */
const RAW_ROWS = 256
/** Bytes of features that are computed before they go to disk. */
const SPILL_BYTES = 32e6

export function createFeatureStore(options: FeatureStoreOptions): FeatureStore {
  const { engine, profile, read, counts } = options
  const entries = new Map<string, Entry>()
  const fronts = new Map<string, Promise<Executable & { inputs: ReadonlySet<string> }>>()
  /** Keys that have something on disk by this process's doing. */
  const spilledKeys = new Set<string>()
  let limitBytes = options.limitBytes
  let uses = 0

  async function features(front: FrontEnd, split: SplitName, rows: Int32Array): Promise<Features> {
    const size = sizeOf(front)
    const entry = entryFor(front, split, size)
    if (entry === null) return fromDisk(front, split, rows)
    entry.used = ++uses
    if (!entry.whole) {
      const missing = restore(entry, missingRows(entry, rows))
      await compute(front, split, missing, (position, values) => {
        entry.data.set(values, missing[position] * size)
        entry.have[missing[position]] = 1
      })
      entry.whole = missing.length > 0 && entry.have.every((flag) => flag === 1)
    }
    return pick(entry.data, rows, size)
  }

  /** What memory has no room for at all: through the cache on disk, computed where that is full or there is none. */
  async function fromDisk(front: FrontEnd, split: SplitName, rows: Int32Array): Promise<Features> {
    const size = sizeOf(front)
    const array = spilled(front, split)
    if (array !== null) {
      const missing = Int32Array.from(new Set(array.missing(rows))).sort()
      const step = Math.max(1, Math.floor(SPILL_BYTES / (size * bytesPerValue(front))))
      let room = true
      for (let from = 0; from < missing.length && room; from += step) {
        const part = missing.subarray(from, from + step)
        room = array.put(part, asBatch(await computed(front, split, part), part.length, size))
      }
      const stored = room ? array.get(rows) : null
      if (stored !== null) return stored.data
    }
    return computed(front, split, rows)
  }

  async function computed(front: FrontEnd, split: SplitName, rows: Int32Array): Promise<Features> {
    const size = sizeOf(front)
    const out = allocate(front, rows.length * size)
    await compute(front, split, rows, (position, values) => out.set(values, position * size))
    return out
  }

  function spilled(front: FrontEnd, split: SplitName): CachedArray | null {
    const key = `${split} ${chainKey(front)}`
    spilledKeys.add(key)
    return options.spill()?.array(key, counts[split], front.store) ?? null
  }

  /** Takes rows from disk that were moved there; returns those that are still missing. */
  function restore(entry: Entry, rows: Int32Array): Int32Array {
    if (!spilledKeys.has(`${entry.split} ${chainKey(entry.front)}`)) return rows
    const array = spilled(entry.front, entry.split)
    if (array === null) return rows
    const missing = array.missing(rows)
    const absent = new Set(missing)
    const there = rows.filter((row) => !absent.has(row))
    const stored = array.get(there)
    if (stored === null) return rows
    const size = sizeOf(entry.front)
    for (let i = 0; i < there.length; i++) {
      entry.data.set(stored.data.subarray(i * size, (i + 1) * size), there[i] * size)
      entry.have[there[i]] = 1
    }
    return missing
  }

  /** Keeps on disk what was computed of an entry that has to go. */
  function moveToDisk(entry: Entry): void {
    const array = spilled(entry.front, entry.split)
    if (array === null) return
    const size = sizeOf(entry.front)
    const have = Int32Array.from(entry.have.keys()).filter((row) => entry.have[row] === 1)
    const missing = array.missing(have)
    const step = Math.max(1, Math.floor(SPILL_BYTES / (size * bytesPerValue(entry.front))))
    for (let from = 0; from < missing.length; from += step) {
      const part = missing.subarray(from, from + step)
      if (!array.put(part, asBatch(pick(entry.data, part, size), part.length, size))) return
    }
  }

  async function compute(
    front: FrontEnd,
    split: SplitName,
    rows: Int32Array,
    keep: (position: number, values: Features) => void,
  ): Promise<void> {
    if (rows.length === 0) return
    const size = sizeOf(front)
    if (front.compute !== undefined && front.base?.store === 'float32') {
      for (let from = 0; from < rows.length; from += BASE_ROWS) {
        const part = rows.subarray(from, from + BASE_ROWS)
        const values = front.compute((await features(front.base, split, part)) as Float32Array, part.length)
        for (let i = 0; i < part.length; i++) keep(from + i, values.subarray(i * size, (i + 1) * size))
      }
      return
    }
    const executable = await open(front)
    const scatter = (output: Tensor, positionOf: (i: number) => number, count: number) => {
      const values = output.data as Features
      if (values.length !== count * size) {
        throw new Error(`front end ${front.key}: ${values.length / count} values an example; its shape says ${size}`)
      }
      for (let i = 0; i < count; i++) keep(positionOf(i), values.subarray(i * size, (i + 1) * size))
    }
    const rawInputs = [...executable.inputs].filter((name) => name !== 'base')
    if (rawInputs.length === 0 && front.base !== null) {
      for (let from = 0; from < rows.length; from += BASE_ROWS) {
        const part = rows.subarray(from, from + BASE_ROWS)
        const base = storedTensor(front.base, await features(front.base, split, part), part.length)
        const { features: output } = await executable.run({ base })
        scatter(output, (i) => from + i, part.length)
      }
      return
    }
    const wanted = new Set(rawInputs)
    const seen = profileSeenBy(front, profile)
    const steps = seen === profile ? undefined : (front.steps ?? front.excerpt)
    const options: FeedOptions = { wanted, maxRows: RAW_ROWS, bytes: true, ...(steps === undefined ? {} : { steps }) }
    for await (const { positions, feeds } of feedBatches(read, seen, split, rows, options)) {
      if (front.base !== null && executable.inputs.has('base')) {
        const part = positions.map((position) => rows[position])
        feeds.base = storedTensor(front.base, await features(front.base, split, part), part.length)
      }
      const { features: output } = await executable.run(feeds)
      scatter(output, (i) => positions[i], positions.length)
    }
  }

  function open(front: FrontEnd): Promise<Executable & { inputs: ReadonlySet<string> }> {
    const key = chainKey(front)
    let executable = fronts.get(key)
    if (executable === undefined) {
      executable = compileFront(front)
      executable.catch(() => fronts.delete(key))
    } else fronts.delete(key)
    // Last in the map: used last.
    fronts.set(key, executable)
    for (const [oldest, old] of fronts) {
      if (fronts.size <= OPEN_FRONTS) break
      fronts.delete(oldest)
      void old.then((closing) => closing.release()).catch(() => {})
    }
    return executable
  }

  async function compileFront(front: FrontEnd): Promise<Executable & { inputs: ReadonlySet<string> }> {
    const graph = frontGraph(front, profileSeenBy(front, profile))
    const executable = await engine.compile(graph)
    return Object.assign(executable, { inputs: new Set(graph.inputs.map((input) => input.name)) })
  }

  /** Null when the split's features are too many to keep. */
  function entryFor(front: FrontEnd, split: SplitName, size: number): Entry | null {
    const key = `${split} ${chainKey(front)}`
    const known = entries.get(key)
    if (known !== undefined) return known
    const needed = counts[split] * size * bytesPerValue(front)
    if (needed > limitBytes) return null
    evict(limitBytes - needed)
    const entry: Entry = {
      front,
      split,
      data: allocate(front, counts[split] * size),
      have: new Uint8Array(counts[split]),
      whole: false,
      used: ++uses,
    }
    entries.set(key, entry)
    return entry
  }

  function evict(toBytes: number): void {
    const byUse = [...entries].sort(([, a], [, b]) => a.used - b.used)
    for (const [key, entry] of byUse) {
      if (bytes() <= toBytes) return
      moveToDisk(entry)
      entries.delete(key)
    }
  }

  function bytes(): number {
    let sum = 0
    for (const { data } of entries.values()) sum += data.byteLength
    return sum
  }

  return {
    features,
    bytes,
    limit(to) {
      limitBytes = to
      evict(to)
    },
  }
}

/** Equal for equal outputs: a front end is what it does to what its base does. */
export function chainKey(front: FrontEnd): string {
  return front.base === null ? front.key : `${chainKey(front.base)} > ${front.key}`
}

export function storedTensor(front: FrontEnd, data: Features, count: number): Tensor {
  return { type: front.store, shape: [count, ...front.shape], data }
}

/** Elements of one example's output. */
export function sizeOf(front: FrontEnd): number {
  return front.shape.reduce((product, dim) => product * dim, 1)
}

function bytesPerValue(front: FrontEnd): number {
  return front.store === 'uint8' ? 1 : 4
}

/** Features of `count` examples as the cache takes them. */
function asBatch(data: Features, count: number, size: number): DenseBatch {
  const shapes = new Int32Array(count * 4)
  for (let i = 0; i < count; i++) shapes.set([1, 1, size, 1], i * 4)
  return { layout: 'dense', data, offsets: Float64Array.from({ length: count + 1 }, (_, i) => i * size), shapes }
}

function allocate(front: FrontEnd, length: number): Features {
  return front.store === 'uint8' ? new Uint8Array(length) : new Float32Array(length)
}

function missingRows(entry: Entry, rows: Int32Array): Int32Array {
  const missing = new Set<number>()
  for (const row of rows) if (entry.have[row] === 0) missing.add(row)
  // Ascending, because files are read fastest in their order.
  return Int32Array.from(missing).sort()
}

/** Rows of a store; a view where they follow each other. */
function pick(data: Features, rows: Int32Array, size: number): Features {
  let consecutive = true
  for (let i = 1; i < rows.length && consecutive; i++) consecutive = rows[i] === rows[i - 1] + 1
  if (rows.length > 0 && consecutive) return data.subarray(rows[0] * size, (rows[0] + rows.length) * size)
  const out = data instanceof Uint8Array ? new Uint8Array(rows.length * size) : new Float32Array(rows.length * size)
  for (let i = 0; i < rows.length; i++) out.set(data.subarray(rows[i] * size, (rows[i] + 1) * size), i * size)
  return out
}
