// Graphs that look at the middle of a sequence: the same steps as the reader takes, whatever lies around them.
import { afterAll, describe, expect, test } from 'vitest'
import { excerptStart } from '../../../src/dataset/excerpt.ts'
import type { TaskProfile } from '../../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../../src/families/family.ts'
import { audioStatisticsFront } from '../../../src/families/fronts/audio-statistics.ts'
import { takeExcerpt } from '../../../src/families/fronts/excerpt.ts'
import { cast } from '../../../src/graph/functions.ts'
import { Rng } from '../../../src/support/rng.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const COUNT = 5

describe('an excerpt', () => {
  // Padded to 12 steps of two values; a step past the length is -1.
  const lengths = [12, 11, 6, 5, 3, 1, 0]
  const value = (i: number, t: number, c: number) => (t < lengths[i] ? 100 * i + 2 * t + c : -1)
  const data = Float32Array.from({ length: lengths.length * 24 }, (_, at) =>
    value(Math.floor(at / 24), Math.floor((at % 24) / 2), at % 2),
  )
  const feeds = {
    x: { shape: [lengths.length, 12, 1, 2, 1], declared: ['n', 't', 1, 2, 1], data },
    length: { shape: [lengths.length], declared: ['n'], data: BigInt64Array.from(lengths, BigInt) },
  }

  test('is the middle of each example, with what follows a shorter one', async () => {
    const { shape, data: cut } = await runGraph(engine, feeds, (g, { x, length }) => {
      return takeExcerpt(g, { matrix: x, length }, COUNT).matrix
    })
    expect(shape).toEqual([lengths.length, COUNT, 1, 2, 1])
    for (const [i, length] of lengths.entries()) {
      const first = excerptStart(length, COUNT)
      const expected = Array.from({ length: 2 * COUNT }, (_, at) => value(i, first + (at >> 1), at & 1))
      expect([...cut.subarray(i * 2 * COUNT, (i + 1) * 2 * COUNT)], `example of ${length} steps`).toEqual(expected)
    }
  })

  test('has as many valid steps as that leaves', async () => {
    const { data: left } = await runGraph(engine, feeds, (g, { x, length }) =>
      cast(g, takeExcerpt(g, { matrix: x, length }, COUNT).length!, 'float32'),
    )
    expect([...left]).toEqual(lengths.map((length) => Math.min(length, COUNT)))
  })

  test('of an excerpt is itself', async () => {
    const taken = (times: number) =>
      runGraph(engine, feeds, (g, { x, length }) => {
        let input = { matrix: x, length: length as typeof length | null }
        for (let i = 0; i < times; i++) input = takeExcerpt(g, input, COUNT)
        return input.matrix
      })
    expect((await taken(2)).data).toEqual((await taken(1)).data)
  })

  test.each([
    ['longer batches', 20],
    ['batches as long', 12],
  ])('is nothing to cut for a count of %s', async (_title, count) => {
    const { shape, data: whole } = await runGraph(engine, feeds, (g, { x, length }) => {
      return takeExcerpt(g, { matrix: x, length }, count).matrix
    })
    expect(shape[1]).toBe(12)
    expect(whole).toEqual(data)
  })

  test.each([12, 13, 5, 3])('of sequences of one length, %i, is their middle', async (steps) => {
    const x = { shape: [2, steps, 1, 1, 1], data: Float32Array.from({ length: 2 * steps }, (_, t) => t) }
    const { data: cut } = await runGraph(engine, { x }, (g, values) => {
      return takeExcerpt(g, { matrix: values.x, length: null }, COUNT).matrix
    })
    const first = excerptStart(steps, COUNT)
    const kept = Math.min(steps, COUNT)
    expect([...cut]).toEqual([0, steps].flatMap((from) => Array.from({ length: kept }, (_, t) => from + first + t)))
  })
})

describe('quick audio statistics of long clips', () => {
  const HEARD = 2 ** 17
  const profile = (...lengths: [min: number, median: number, max: number]) => {
    const [min, median, max] = lengths
    return { matrices: [{ steps: { min, median, max } }] } as unknown as TaskProfile
  }
  const long = profile(3000, 300_000, 310_000)
  const noise = (length: number, seed: number) => {
    const rng = Rng.fromSeed(seed)
    return Float32Array.from({ length }, () => rng.normal())
  }

  async function features(front: FrontEnd, clip: Float32Array): Promise<Float32Array> {
    const feeds = {
      x: { shape: [1, clip.length, 1, 1, 1], declared: ['n', 't', 1, 1, 1], data: clip },
      length: { shape: [1], declared: ['n'], data: BigInt64Array.of(BigInt(clip.length)) },
    }
    return (await runGraph(engine, feeds, (g, { x, length }) => front.build(g, null, [{ matrix: x, length }]))).data
  }

  test('are those of their middles', async () => {
    const front = audioStatisticsFront(long, 'quick')
    expect(front.excerpt).toBe(HEARD)
    const clip = noise(300_001, 1)
    const first = excerptStart(clip.length, HEARD)
    const heard = await features(front, clip)
    // Louder around it, and as if cut by the reader.
    const shouting = clip.map((value, t) => (t < first || t >= first + HEARD ? 9 * value : value))
    for (const other of [shouting, clip.slice(first, first + HEARD)]) {
      for (const [j, value] of (await features(front, other)).entries()) {
        expect(Math.abs(value - heard[j])).toBeLessThan(1e-4)
      }
    }
    expect(heard).not.toEqual(await features(front, clip.slice(0, HEARD)))
  })

  test('have a key and windows of their own', () => {
    const keys = [
      audioStatisticsFront(long, 'quick'),
      audioStatisticsFront(profile(HEARD, HEARD, HEARD), 'quick'),
      audioStatisticsFront(long, 'rich'),
    ].map(({ key, excerpt }) => [key, excerpt])
    expect(keys).toEqual([
      [`audio-statistics:quick:0:1024/512:40:${HEARD}`, HEARD],
      ['audio-statistics:quick:0:1024/512:40', undefined],
      ['audio-statistics:rich:0:1024/512:40', undefined],
    ])
  })
})
