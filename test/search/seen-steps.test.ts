// What a front end computes of the few pictures that it looks at, fed as bytes, is what the published model computes of whole videos.
import { afterAll, describe, expect, it } from 'vitest'
import { openDataset } from '../../src/dataset/dataset.ts'
import { profileDataset } from '../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import type { Model } from '../../src/families/family.ts'
import { framesFront } from '../../src/families/fronts/frames.ts'
import { videoStatisticsFront } from '../../src/families/fronts/video-statistics.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { cast, div, reshape } from '../../src/graph/functions.ts'
import { modelGraph } from '../../src/search/model-graph.ts'
import { feedBatches, type ReadRaw } from '../../src/search/model-inputs.ts'
import { createFeatureStore } from '../../src/search/worker/feature-store.ts'
import { datasetSpec, grayPng, makeDataset, matrixSpec, range } from '../dataset/helpers.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const SIZE = 6

/** Videos of 1 to 11 frames, each frame a level and a slope of its own. */
function videos(sequenceSize: number): string {
  const frame = (i: number, t: number) =>
    grayPng(8, 7, (x, y) => (40 * t + 7 * i + 3 * x + (y * y) / (1 + (t % 3))) & 255)
  const example = (i: number) => ({
    labels: [i % 2],
    matrices: [range(1 + ((i * 5) % 11)).map((t) => frame(i, t))],
  })
  return makeDataset({
    spec: datasetSpec({
      matrices: [matrixSpec({ rows: 7, cols: 8, format: 'COMPRESSED', hasLocalityRow: true, hasLocalityCol: true })],
      isSequence: true,
      sequenceSize,
    }),
    train: range(12).map(example),
    test: range(11).map(example),
  })
}

describe.each([
  ['of any length', -1],
  ['of one length', 11],
])('videos %s', (_name, sequenceSize) => {
  it.each([
    ['the same middles of equal parts', 3, false],
    ['the same pairs', 4, false],
    ['the same statistics of pairs apart', 2, true],
  ])('give %s from a few pictures as from all', async (_what, count, statistics) => {
    const dataset = openDataset(videos(sequenceSize))
    const profile = await profileDataset(dataset)
    const test = dataset.test!
    const asked: (number | undefined)[] = []
    const read: ReadRaw = (_split, rows, matrix, steps) => {
      asked.push(steps)
      return test.read(rows, matrix, steps)
    }
    const counts = { train: dataset.train.count, test: test.count }
    const store = createFeatureStore({ engine, profile, read, counts, limitBytes: 1e6, spill: () => null })
    const frames = framesFront(profile, count, { rows: SIZE, cols: SIZE })
    expect(frames.pairsApart).toBe(statistics)
    const front = statistics ? videoStatisticsFront(frames) : frames
    const rows = Int32Array.from({ length: test.count }, (_, i) => i)
    const features = await store.features(front, 'test', rows)
    expect(asked).toEqual([count])

    const width = front.shape.reduce((product, length) => product * length, 1)
    const whole: Model = { front, build: (g, x) => reshape(g, x!, [-1, width]) }
    const executable = await engine.compile(modelGraph(whole, { ...profile, classCount: width }))
    const wanted = new Set(['matrix_0', 'length_0'])
    let seen = 0
    for await (const { positions, feeds } of feedBatches(read, profile, 'test', rows, { wanted, maxRows: 4 })) {
      const scores = (await executable.run(feeds)).scores.data as Float32Array
      for (const [i, position] of positions.entries()) {
        const expected = scores.subarray(i * width, (i + 1) * width)
        const given = features.subarray(position * width, (position + 1) * width)
        if (front.store === 'uint8') {
          expect([...given], `video ${position}`).toEqual(Array.from(expected, (value) => Math.round(255 * value)))
        } else {
          const gap = expected.reduce((most, value, j) => Math.max(most, Math.abs(value - given[j])), 0)
          expect(gap, `video ${position}`).toBeLessThan(1e-4)
        }
        seen++
      }
    }
    expect(seen).toBe(test.count)
    expect(new Set(features).size).toBeGreaterThan(50)
    dataset.close()
  })
})

it('divides bytes in the graph as the reader does', async () => {
  const g = new GraphBuilder()
  g.output('y', div(g, cast(g, g.input('x', 'uint8', ['n']), 'float32'), 255))
  const executable = await engine.compile(g.build())
  const data = Uint8Array.from({ length: 256 }, (_, i) => i)
  const { y } = await executable.run({ x: { type: 'uint8', shape: [256], data } })
  expect(y.data).toEqual(Float32Array.from(data, (value) => value / 255))
})
