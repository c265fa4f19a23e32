// How many rows a model sees at once, and that each batch is a sign of life.
import { expect, test } from 'vitest'
import type { DenseBatch, SplitName } from '../../src/dataset/batch.ts'
import type { TaskProfile } from '../../src/dataset/profile.ts'
import type { Engine, Tensor } from '../../src/engine/engine.ts'
import type { Model } from '../../src/families/family.ts'
import { matmul, reshape } from '../../src/graph/functions.ts'
import type { FeatureStore } from '../../src/search/worker/feature-store.ts'
import { createPredictor } from '../../src/search/worker/predictor.ts'

const COUNT = 3000
const extent = (n: number) => ({ min: n, median: n, max: n })

/** Sizes of the batches that a model of raw inputs with so many outputs is given, as the engine and the caller hear of them. */
async function batchesOf(classCount: number): Promise<{ sizes: number[]; told: number }> {
  const matrix = { fixed: true, rows: extent(1), cols: extent(1), steps: extent(1), channels: 1 }
  const profile = {
    classCount,
    trainCount: COUNT,
    trainBytes: COUNT * 4,
    spec: { sequenceSize: 1 },
    matrices: [{ ...matrix, spec: { rows: 1, cols: 1, format: 'DENSE' } }],
  } as unknown as TaskProfile
  const read = async (_split: SplitName, rows: Int32Array): Promise<DenseBatch> => ({
    layout: 'dense',
    data: new Float32Array(rows.length),
    offsets: Float64Array.from({ length: rows.length + 1 }, (_, i) => i),
    shapes: new Int32Array(rows.length * 4).fill(1),
  })
  const sizes: number[] = []
  let told = 0
  const run = async ({ matrix_0 }: Record<string, Tensor>) => {
    const [n] = matrix_0.shape
    sizes.push(n)
    return { scores: { type: 'float32', shape: [n, classCount], data: new Float32Array(n * classCount) } }
  }
  const engine = { compile: async () => ({ run, release: async () => {} }) } as unknown as Engine
  const model: Model = {
    front: null,
    build: (g, _x, [input]) =>
      matmul(g, reshape(g, input.matrix, [-1, 1]), g.constant(new Float32Array(classCount), [1, classCount])),
  }
  const predictor = createPredictor(engine, profile, {} as FeatureStore, read, () => told++)
  const rows = Int32Array.from({ length: COUNT }, (_, i) => i)
  expect(await predictor.predict(model, 'train', rows)).toHaveLength(COUNT * classCount)
  return { sizes, told }
}

test('a model of raw inputs is given fewer rows at once the more outputs it has', async () => {
  expect(Math.max(...(await batchesOf(3)).sizes)).toBe(2048)
  expect(Math.max(...(await batchesOf(159)).sizes)).toBe(409)
})

test('every batch is told of', async () => {
  const { sizes, told } = await batchesOf(159)
  expect(sizes.length).toBeGreaterThan(5)
  expect(told).toBe(sizes.length)
})
