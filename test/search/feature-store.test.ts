import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { DenseBatch, SplitName } from '../../src/dataset/batch.ts'
import { openArrayCache } from '../../src/dataset/cache.ts'
import type { TaskProfile } from '../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../src/families/family.ts'
import { mul, reshape } from '../../src/graph/functions.ts'
import { createFeatureStore, type FeatureStoreOptions } from '../../src/search/worker/feature-store.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const COLS = 3
const COUNT = 50
const folder = temporaryFolder()
const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const extent = (n: number) => ({ min: n, median: n, max: n })
const matrix = { fixed: true, rows: extent(1), cols: extent(COLS), steps: extent(1), channels: 1 }
const profile = {
  classCount: 2,
  trainCount: COUNT,
  trainBytes: COUNT * COLS * 4,
  spec: { sequenceSize: 1 },
  matrices: [{ ...matrix, spec: { rows: 1, cols: COLS, format: 'DENSE' } }],
} as unknown as TaskProfile

/** Row i of the data is [i, i, i] / 100; `rowsRead` counts. */
function storeOf(changes: Partial<FeatureStoreOptions> = {}) {
  const counter = { rowsRead: 0 }
  const read = async (_split: SplitName, rows: Int32Array): Promise<DenseBatch> => {
    counter.rowsRead += rows.length
    const data = new Float32Array(rows.length * COLS)
    const shapes = new Int32Array(rows.length * 4)
    for (let i = 0; i < rows.length; i++) {
      data.fill(rows[i] / 100, i * COLS, (i + 1) * COLS)
      shapes.set([1, 1, COLS, 1], i * 4)
    }
    return {
      layout: 'dense',
      data,
      offsets: Float64Array.from({ length: rows.length + 1 }, (_, i) => i * COLS),
      shapes,
    }
  }
  const counts = { train: COUNT, test: 10 }
  const limitBytes = 1e6
  const store = createFeatureStore({ engine, profile, read, counts, limitBytes, spill: () => null, ...changes })
  return { store, counter }
}

function times(factor: number, base: FrontEnd | null = null, store: FrontEnd['store'] = 'float32'): FrontEnd {
  return {
    key: `times ${factor}`,
    base,
    shape: [COLS],
    store,
    build: (g, x, [input]) => mul(g, x ?? reshape(g, input.matrix, ['n', COLS]), factor),
  }
}

const rows = Int32Array.of(7, 3, 3, 41)
const first = (features: Float32Array | Uint8Array) => Array.from(rows, (_, i) => features[i * COLS])
const close = (values: number[]) => values.map((value) => expect.closeTo(value, 5))

describe('feature store', () => {
  it('computes each row once, in any order, repeats included', async () => {
    const { store, counter } = storeOf()
    expect(first(await store.features(times(2), 'train', rows))).toEqual(close([0.14, 0.06, 0.06, 0.82]))
    expect(counter.rowsRead).toBe(3)
    await store.features(times(2), 'train', Int32Array.of(3, 7, 8))
    expect(counter.rowsRead).toBe(4)
  })

  it('starts from the stored features of a base', async () => {
    const { store, counter } = storeOf()
    expect(first(await store.features(times(5, times(2)), 'train', rows))).toEqual(close([0.7, 0.3, 0.3, 4.1]))
    await store.features(times(2), 'train', rows)
    expect(counter.rowsRead).toBe(3)
  })

  it('keeps bytes as round(255 x), clipped to [0, 1]', async () => {
    const { store } = storeOf()
    const features = await store.features(times(2.5, null, 'uint8'), 'train', rows)
    expect(features).toBeInstanceOf(Uint8Array)
    expect(first(features)).toEqual([45, 19, 19, 255])
  })

  it('computes again what neither memory nor disk has room for', async () => {
    const { store, counter } = storeOf({ limitBytes: 100 })
    for (let i = 0; i < 2; i++) {
      expect(first(await store.features(times(2), 'train', rows))).toEqual(close([0.14, 0.06, 0.06, 0.82]))
    }
    expect(counter.rowsRead).toBe(8)
    expect(store.bytes()).toBe(0)
  })

  it('puts on disk what is too large for memory, and computes it once', async () => {
    const cache = openArrayCache(join(folder, 'large'))
    const { store, counter } = storeOf({ limitBytes: 100, spill: () => cache })
    for (let i = 0; i < 3; i++) {
      expect(first(await store.features(times(2), 'train', rows))).toEqual(close([0.14, 0.06, 0.06, 0.82]))
    }
    expect(counter.rowsRead).toBe(3)
    expect(store.bytes()).toBe(0)
    cache.close()
  })

  it('moves the entry longest unused to disk and takes it back', async () => {
    const cache = openArrayCache(join(folder, 'evicted'))
    // Room for one split's features.
    const { store, counter } = storeOf({ limitBytes: COUNT * COLS * 4, spill: () => cache })
    await store.features(times(2), 'train', rows)
    await store.features(times(3), 'train', rows)
    expect(store.bytes()).toBe(COUNT * COLS * 4)
    expect(counter.rowsRead).toBe(6)
    expect(first(await store.features(times(2), 'train', rows))).toEqual(close([0.14, 0.06, 0.06, 0.82]))
    expect(counter.rowsRead).toBe(6)
    cache.close()
  })

  it('refuses a front end whose output is not what its shape says', async () => {
    const wrong = { ...times(2), key: 'wrong', shape: [COLS + 1] }
    await expect(storeOf().store.features(wrong, 'train', rows)).rejects.toThrow(/front end wrong: 3 values an example/)
  })
})
