// The frames that a graph picks of whole videos are those that the reader picks, and the front knows which of them are neighbours.
import { afterAll, describe, expect, test } from 'vitest'
import { middlesOfFixed, middlesOfVarying } from '../../../src/dataset/middle-steps.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { framesFront } from '../../../src/families/fronts/frames.ts'
import { videoStatisticsFront } from '../../../src/families/fronts/video-statistics.ts'
import { profileOf } from '../networks/memory-trial.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const SIZE = 4

function profile(lengths: number[], varies: boolean) {
  const examples = lengths.map((t) => ({
    shape: [t, SIZE, SIZE, 1] as [number, number, number, number],
    values: [],
    classes: [0],
  }))
  return profileOf({ kind: 'video', classCount: 2, bytes: true, varies, vocabulary: [], examples })
}

/** Frame t is everywhere t / 255; videos of one batch are padded to the longest. */
function clips(lengths: number[]): { shape: number[]; data: Float32Array } {
  const longest = Math.max(...lengths)
  const frame = SIZE * SIZE
  const data = new Float32Array(lengths.length * longest * frame)
  for (const [i, length] of lengths.entries()) {
    for (let t = 0; t < length; t++) data.fill(t / 255, (i * longest + t) * frame, (i * longest + t + 1) * frame)
  }
  return { shape: [lengths.length, longest, SIZE, SIZE, 1], data }
}

/** The steps of each video that `count` frames show, as their grey tells. */
async function picked(lengths: number[], varies: boolean, count: number): Promise<number[][]> {
  const front = framesFront(profile(lengths, varies), count)
  const x = clips(lengths)
  const declared = varies ? ['n', 't', SIZE, SIZE, 1] : ['n', ...x.shape.slice(1)]
  const length = { shape: [lengths.length], declared: ['n'], data: BigInt64Array.from(lengths, BigInt) }
  const { data } = await runGraph(engine, { x: { ...x, declared }, length }, (g, inputs) =>
    front.build(g, null, [{ matrix: inputs.x, length: varies ? inputs.length : null }]),
  )
  const size = data.length / lengths.length / count
  return lengths.map((_, i) => Array.from({ length: count }, (_, f) => Math.round(255 * data[(i * count + f) * size])))
}

const LENGTHS = [1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 33, 48, 77, 200, 255]

describe.each([1, 2, 3, 4, 5, 8, 12, 16])('%i frames', (count) => {
  test('of videos of unequal length are those that the reader picks', async () => {
    expect(await picked(LENGTHS, true, count)).toEqual(LENGTHS.map((length) => middlesOfVarying(length, count)))
  })

  test.each(LENGTHS)('of videos of %i frames are those that the reader picks', async (length) => {
    expect(await picked([length, length], false, count)).toEqual([1, 2].map(() => middlesOfFixed(length, count)))
  })
})

test.each([
  ['of a long video are pairs apart', 8, 24, true],
  ['of a short video are not', 8, 23, false],
  ['of an odd number are not', 7, 240, false],
  ['that are one are not', 1, 240, false],
])('frames %s', (_title, count, length, apart) => {
  expect(framesFront(profile([length], true), count).pairsApart).toBe(apart)
})

/** The mean absolute step, the third last of the statistics. */
async function meanStep(length: number, apart: boolean): Promise<number> {
  const frames = { ...framesFront(profile([length], false), 8), pairsApart: apart }
  const front = videoStatisticsFront(frames)
  const { data } = await runGraph(engine, { x: clips([length]) }, (g, { x }) =>
    front.build(g, frames.build(g, null, [{ matrix: x, length: null }]), []),
  )
  expect(data).toHaveLength(front.shape[0])
  return 255 * data[data.length - 3 - 3 * gradientSize(front.shape[0])]
}

/** Of statistics of [count] values on frames of one channel: 3 planes, 3 gradients, 3 amounts. */
const gradientSize = (count: number) => (count - 3 - 3 * SIZE * SIZE) / 3

test('steps of pairs apart are those within pairs; of others all between neighbours', async () => {
  // Frames 12 14 62 64 112 114 162 164: within pairs 2, between them 48.
  expect(await meanStep(200, true)).toBeCloseTo(2, 3)
  expect(await meanStep(200, false)).toBeCloseTo((4 * 2 + 3 * 48) / 7, 3)
})
