// Fronts of sound, series and video: padding must not be seen, lengths from one step up must work, tones must land in their band.
import { afterAll, describe, expect, test } from 'vitest'
import type { TaskProfile } from '../../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../../src/families/family.ts'
import { audioStatisticsFront } from '../../../src/families/fronts/audio-statistics.ts'
import { framesFront } from '../../../src/families/fronts/frames.ts'
import { logMelFrames, logMelFront, logMelSize } from '../../../src/families/fronts/log-mel.ts'
import {
  differences,
  maskedDeviation,
  maskedMean,
  segmentMeans,
} from '../../../src/families/fronts/masked-statistics.ts'
import { cosineBasis, melFilters } from '../../../src/families/fronts/mel-bank.ts'
import { seriesStatisticsFront } from '../../../src/families/fronts/series-statistics.ts'
import { videoStatisticsFront } from '../../../src/families/fronts/video-statistics.ts'
import { concat } from '../../../src/graph/functions.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryTask, profileOf } from '../networks/memory-trial.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

type Shape = [number, number, number, number]

function sequenceProfile(kind: MemoryTask['kind'], lengths: number[], [rows, cols, channels]: number[]): TaskProfile {
  const examples = lengths.map((t) => ({ shape: [t, rows, cols, channels] as Shape, values: [], classes: [0] }))
  return profileOf({ kind, classCount: 2, bytes: kind === 'video', varies: true, vocabulary: [], examples })
}

/** Features of examples of unequal length in one padded batch. */
async function batch(front: FrontEnd, examples: Float32Array[], step: number[]): Promise<Float32Array[]> {
  const width = step.reduce((a, b) => a * b, 1)
  const lengths = examples.map((values) => values.length / width)
  const longest = Math.max(...lengths)
  const data = new Float32Array(examples.length * longest * width)
  examples.forEach((values, i) => {
    data.set(values, i * longest * width)
  })
  const feeds = {
    x: { shape: [examples.length, longest, ...step], declared: ['n', 't', ...step], data },
    length: { shape: [examples.length], declared: ['n'], data: BigInt64Array.from(lengths, BigInt) },
  }
  const whole = (g: Parameters<FrontEnd['build']>[0], part: FrontEnd, inputs: Parameters<FrontEnd['build']>[2]) =>
    part.build(g, part.base ? part.base.build(g, null, inputs) : null, inputs)
  const out = await runGraph(engine, feeds, (g, { x, length }) => whole(g, front, [{ matrix: x, length }]))
  const size = out.data.length / examples.length
  expect(size).toBe(front.shape.reduce((a, b) => a * b, 1))
  return examples.map((_, i) => out.data.slice(i * size, (i + 1) * size))
}

const noise = (length: number, seed: number) => {
  const rng = Rng.fromSeed(seed)
  return Float32Array.from({ length }, () => rng.normal())
}

const FRONTS: [string, FrontEnd, number[], number[]][] = [
  [
    'audio statistics',
    audioStatisticsFront(sequenceProfile('audio', [3000, 9, 1], [1, 1, 1]), 'quick'),
    [3000, 1500, 1],
    [1, 1, 1],
  ],
  [
    'rich audio statistics',
    audioStatisticsFront(sequenceProfile('audio', [2500, 2600, 1], [1, 1, 1]), 'rich'),
    [2500, 600, 1],
    [1, 1, 1],
  ],
  ['log-mel pictures', logMelFront(sequenceProfile('audio', [3000, 4000, 5000], [1, 1, 1])), [5000, 700, 1], [1, 1, 1]],
  [
    'log-mel pictures of long clips',
    logMelFront(sequenceProfile('audio', [3000, 4000, 5000], [1, 1, 1]), { maxFrames: 8 }),
    [5000, 700, 1],
    [1, 1, 1],
  ],
  [
    'series statistics',
    seriesStatisticsFront(sequenceProfile('series', [20, 30, 9], [1, 3, 1])),
    [30, 9, 1],
    [1, 3, 1],
  ],
  ['frames', framesFront(sequenceProfile('video', [5, 7, 1], [6, 8, 1]), 4), [7, 5, 1], [6, 8, 1]],
  [
    'video statistics',
    videoStatisticsFront(framesFront(sequenceProfile('video', [5, 7, 1], [8, 8, 3]), 4)),
    [7, 5, 1],
    [8, 8, 3],
  ],
]

describe('sequence fronts', () => {
  test.each(FRONTS)('%s do not see padding and are finite from one step up', async (_title, front, lengths, step) => {
    const width = step.reduce((a, b) => a * b, 1)
    const examples = lengths.map((length, i) => noise(length * width, i + 1))
    const together = await batch(front, examples, step)
    for (const [i, example] of examples.entries()) {
      const [alone] = await batch(front, [example], step)
      expect(alone.every(Number.isFinite)).toBe(true)
      for (let j = 0; j < alone.length; j++) {
        expect(Math.abs(alone[j] - together[i][j])).toBeLessThan(front.store === 'uint8' ? 0.005 : 2e-3)
      }
    }
  })

  test('silence and missing samples give finite features', async () => {
    const front = audioStatisticsFront(sequenceProfile('audio', [2000, 2000, 2000], [1, 1, 1]), 'rich')
    const [silent, missing] = await batch(
      front,
      [new Float32Array(2000), new Float32Array(2000).fill(Number.NaN)],
      [1, 1, 1],
    )
    expect(silent.every(Number.isFinite) && missing.every(Number.isFinite)).toBe(true)
  })

  test('loudness does not matter', async () => {
    const front = audioStatisticsFront(sequenceProfile('audio', [2000, 2000, 2000], [1, 1, 1]), 'quick')
    const wave = noise(2000, 4)
    const [soft, loud] = await batch(front, [wave, wave.map((v) => 30_000 * v)], [1, 1, 1])
    for (let j = 0; j < soft.length; j++) expect(loud[j]).toBeCloseTo(soft[j], 2)
  })
})

describe('log-mel pictures', () => {
  test('a tone lights up the band that its frequency belongs to', async () => {
    const front = logMelFront(sequenceProfile('audio', [4000, 4000, 4000], [1, 1, 1]))
    const [, mels, frames] = front.shape
    const window = 256
    const bank = melFilters(window, mels, 8000)
    for (const bin of [20, 60]) {
      const tone = Float32Array.from({ length: 4000 }, (_, t) => Math.sin((2 * Math.PI * bin * t) / window))
      const [image] = await batch(front, [tone], [1, 1, 1])
      const column = Array.from({ length: mels }, (_, m) => image[m * frames + Math.floor(frames / 2)])
      const response = Array.from({ length: mels }, (_, m) => bank[m * (window / 2 + 1) + bin])
      expect(column.indexOf(Math.max(...column))).toBe(response.indexOf(Math.max(...response)))
    }
  })
})

describe('log-mel pictures of long clips', () => {
  const extent = (length: number) => ({ min: length, median: length, max: length })
  test.each([
    ['one window a frame while that spans the clip', 60_000, { window: 512, hop: 469, frames: 128, pool: 1 }],
    [
      'as many half-overlapping windows a frame as span 30 s',
      661_500,
      { window: 1024, hop: 512, frames: 120, pool: 11 },
    ],
  ])('take %s', (_title, length, { window, hop, frames, pool }) => {
    const profile = { matrices: [{ steps: extent(length) }] } as unknown as TaskProfile
    const size = logMelSize(profile)
    expect(size).toEqual({ geometry: { window, hop, mels: 40 }, frames, pool })
    expect(hop * pool * frames).toBeGreaterThanOrEqual(length)
  })

  test('hear the beginning and the end', async () => {
    const front = logMelFront(sequenceProfile('audio', [3000, 3000, 3000], [1, 1, 1]), { maxFrames: 8 })
    const [, mels, frames] = front.shape
    const edges = noise(3000, 3).map((value, t) => (t < 300 || t >= 2700 ? value : 0))
    const [image] = await batch(front, [edges], [1, 1, 1])
    const levels = Array.from({ length: frames }, (_, f) => Math.max(...image.filter((_v, i) => i % frames === f)))
    expect(levels).toHaveLength(8)
    expect([levels[0], levels[7]].every((level) => level > 0.5)).toBe(true)
    expect(levels.slice(2, 6)).toEqual([0, 0, 0, 0])
    expect(mels).toBe(40)
  })

  test('are means of the powers of their windows, of fewer at the end', async () => {
    const geometry = { window: 64, hop: 32, mels: 24 }
    const feeds = {
      x: { shape: [1, 300, 1, 1, 1], declared: ['n', 't', 1, 1, 1], data: noise(300, 6) },
      length: { shape: [1], declared: ['n'], data: BigInt64Array.of(270n) },
    }
    const frames = (pool: number) =>
      runGraph(engine, feeds, (g, { x, length }) => logMelFrames(g, { matrix: x, length }, geometry, pool).values)
    const single = await frames(1)
    const pooled = await frames(3)
    const power = (mel: number, window: number) => Math.exp(single.data[mel * single.shape[2] + window])
    // Seven windows lie within 270 samples.
    const members = [[0, 1, 2], [3, 4, 5], [6]]
    for (const mel of [0, 11, 23]) {
      for (const [f, windows] of members.entries()) {
        const mean = windows.reduce((sum, window) => sum + power(mel, window), 0) / windows.length
        expect(pooled.data[mel * pooled.shape[2] + f]).toBeCloseTo(Math.log(mean), 3)
      }
    }
  })
})

describe('constants of the spectrogram', () => {
  test('every mel band holds at least one bin, and the cosine basis is orthonormal', () => {
    const bank = melFilters(64, 24, 8000)
    for (let m = 0; m < 24; m++) expect(bank.subarray(m * 33, (m + 1) * 33).reduce((a, b) => a + b)).toBeGreaterThan(0)
    const basis = cosineBasis(40, 20)
    const dot = (i: number, j: number) => {
      let sum = 0
      for (let t = 0; t < 40; t++) sum += basis[i * 40 + t] * basis[j * 40 + t]
      return sum
    }
    expect(dot(0, 0)).toBeCloseTo(1, 5)
    expect(dot(7, 7)).toBeCloseTo(1, 5)
    expect(dot(3, 8)).toBeCloseTo(0, 5)
  })
})

describe('masked statistics', () => {
  test('equal plain arithmetic on the valid steps', async () => {
    const data = Float32Array.of(1, 4, 9, 99, 99)
    const feeds = {
      x: { shape: [1, 1, 5], data },
      valid: { shape: [1, 1, 1], data: Float32Array.of(3) },
      steps: { shape: [1, 1, 5], data: Float32Array.of(0, 1, 2, 3, 4) },
    }
    const { data: out } = await runGraph(engine, feeds, (g, { x, valid, steps }) => {
      const sequence = { values: x, valid, inside: g.op('Less', [steps, valid]) }
      const mean = maskedMean(g, sequence)
      const parts = [
        mean,
        maskedDeviation(g, sequence, mean),
        maskedMean(g, differences(g, sequence)),
        segmentMeans(g, sequence, 3),
      ]
      return concat(g, parts, 2)
    })
    const mean = 14 / 3
    expect(out[0]).toBeCloseTo(mean, 5)
    expect(out[1]).toBeCloseTo(Math.sqrt(((1 - mean) ** 2 + (4 - mean) ** 2 + (9 - mean) ** 2) / 3), 5)
    expect(out[2]).toBeCloseTo(4, 5)
    expect([...out.subarray(3)].map((v) => Math.round(100 * v) / 100)).toEqual([1, 4, 9])
  })
})

describe('units', () => {
  const rng = Rng.fromSeed(8)
  const series = [30, 18].map((t) => Float32Array.from({ length: 2 * t }, () => rng.normal()))

  /** Statistics of the series in a unit of 1 / `factor`. */
  function statistics(factor: number): Promise<Float32Array[]> {
    const given = sequenceProfile('series', [30, 18], [1, 2, 1])
    const matrix = given.matrices[0]
    const profile = {
      ...given,
      matrices: [{ ...matrix, values: { ...matrix.values, min: -3 * factor, max: 3 * factor } }],
    }
    const scaled = series.map((values) => values.map((value) => factor * value))
    return batch(seriesStatisticsFront(profile), scaled, [1, 2, 1])
  }

  test('so small that squares vanish in float32 give what ordinary ones give', async () => {
    // Amplitudes 1.5 and 1.5 x 2^-43: the second is enlarged by 2^43.
    const [ordinary, tiny] = [await statistics(2 ** -1), await statistics(2 ** -44)]
    for (const [i, row] of ordinary.entries()) {
      for (const [j, value] of row.entries()) expect(tiny[i][j]).toBeCloseTo(value, 5)
    }
  })

  test('so large that squares overflow give finite features', async () => {
    for (const row of await statistics(1e30)) for (const value of row) expect(Number.isFinite(value)).toBe(true)
  })
})
