// What a front end computes of excerpts, read without the rest, is what the published model computes of whole sequences.
import { afterAll, describe, expect, it } from 'vitest'
import { openDataset } from '../../src/dataset/dataset.ts'
import { profileDataset } from '../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import type { FrontEnd, Model } from '../../src/families/family.ts'
import { takeExcerpt } from '../../src/families/fronts/excerpt.ts'
import { logMelFrames } from '../../src/families/fronts/log-mel.ts'
import { segmentMeans } from '../../src/families/fronts/masked-statistics.ts'
import { reshape } from '../../src/graph/functions.ts'
import { modelGraph } from '../../src/search/model-graph.ts'
import { feedBatches, type ReadRaw } from '../../src/search/model-inputs.ts'
import { profileSeenBy } from '../../src/search/seen-steps.ts'
import { createFeatureStore } from '../../src/search/worker/feature-store.ts'
import { Rng } from '../../src/support/rng.ts'
import { datasetSpec, makeDataset, matrixSpec, range } from '../dataset/helpers.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const HEARD = 500
const MELS = 24
const WIDTH = 3 * MELS

/** Spectra of thirds of the middle. */
const front: FrontEnd = {
  key: `thirds of ${HEARD}`,
  base: null,
  shape: [WIDTH],
  store: 'float32',
  excerpt: HEARD,
  build(g, _x, [input]) {
    const frames = logMelFrames(g, takeExcerpt(g, input, HEARD), { window: 64, hop: 32, mels: MELS })
    return reshape(g, segmentMeans(g, frames, 3), [-1, WIDTH])
  },
}

/** Sounds whose pitch rises, each its own. */
function sounds(sequenceSize: number): string {
  const rng = Rng.fromSeed(3)
  const lengths = [1200, 501, 500, 499, 1, 64, 900, 0, 1100, 1199]
  const example = (length: number, i: number) => ({
    labels: [i % 2],
    matrices: [range(length).map((t) => [Math.sin((0.2 + i / 20) * t * (1 + t / 2000)) + 0.1 * rng.normal()])],
  })
  return makeDataset({
    spec: datasetSpec({ matrices: [matrixSpec({ cols: 1 })], isSequence: true, sequenceSize }),
    train: lengths.map(example),
    test: lengths.map((length, i) => example(length, i + 1)),
  })
}

describe.each([
  ['of any length', -1],
  ['of one length', 1200],
])('sequences %s', (_name, sequenceSize) => {
  it('give the same features from excerpts as from all', async () => {
    const dataset = openDataset(sounds(sequenceSize))
    const profile = await profileDataset(dataset)
    const test = dataset.test!
    const asked: (number | undefined)[] = []
    const read: ReadRaw = (_split, rows, matrix, steps) => {
      asked.push(steps)
      return test.read(rows, matrix, steps)
    }
    const counts = { train: dataset.train.count, test: test.count }
    const store = createFeatureStore({ engine, profile, read, counts, limitBytes: 1e6, spill: () => null })
    const rows = Int32Array.from({ length: test.count }, (_, i) => i)
    const features = await store.features(front, 'test', rows)
    expect(asked).toEqual([HEARD])

    const whole: Model = { front, build: (_g, x) => x! }
    const executable = await engine.compile(modelGraph(whole, { ...profile, classCount: WIDTH }))
    const wanted = new Set(['matrix_0', 'length_0'])
    let seen = 0
    for await (const { positions, feeds } of feedBatches(read, profile, 'test', rows, { wanted, maxRows: 4 })) {
      const scores = (await executable.run(feeds)).scores.data as Float32Array
      for (const [i, position] of positions.entries()) {
        for (let j = 0; j < WIDTH; j++) {
          const difference = Math.abs(scores[i * WIDTH + j] - features[position * WIDTH + j])
          expect(difference, `sound ${position}, feature ${j}`).toBeLessThan(1e-4)
        }
        seen++
      }
    }
    expect(seen).toBe(test.count)
    expect(new Set(features).size).toBeGreaterThan(WIDTH)
    dataset.close()
  })
})

describe('the profile that an excerpt sees', () => {
  const about = async (sequenceSize: number) => {
    const dataset = openDataset(sounds(sequenceSize))
    const profile = await profileDataset(dataset)
    dataset.close()
    return profile
  }

  it('has shorter steps and fewer bytes', async () => {
    const profile = await about(-1)
    const seen = profileSeenBy(front, profile)
    expect(seen.spec.sequenceSize).toBe(-1)
    expect(seen.matrices[0].steps).toEqual({ min: 0, median: 500, max: 500 })
    expect(seen.trainBytes).toBe(10 * 500 * 4)
    expect(profileSeenBy(front, await about(1200)).spec.sequenceSize).toBe(500)
  })

  it('is the whole one where nothing can be left out', async () => {
    const profile = await about(1200)
    const short = { ...profile, spec: { ...profile.spec, sequenceSize: 500 } }
    const [matrix] = profile.matrices
    const open = { ...profile, matrices: [{ ...matrix, spec: { ...matrix.spec, cols: -1 } }] }
    const pictures = { ...profile, matrices: [{ ...matrix, spec: { ...matrix.spec, format: 'COMPRESSED' as const } }] }
    for (const whole of [short, open, pictures]) expect(profileSeenBy(front, whole)).toBe(whole)
  })
})
