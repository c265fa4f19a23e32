// Fronts of series: where time runs, what missing values and small units become, and that shortening and spectra keep to the signal.
import { afterAll, describe, expect, test } from 'vitest'
import type { MatrixProfile, TaskProfile } from '../../../src/dataset/profile.ts'
import type { MatrixSpec } from '../../../src/dataset/spec.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../../src/families/family.ts'
import { seriesStatisticsFront } from '../../../src/families/fronts/series-statistics.ts'
import { timeAxis } from '../../../src/families/fronts/series-view.ts'
import { seriesFront } from '../../../src/families/networks/fronts/series-front.ts'
import { stretchedFront } from '../../../src/families/series/series-view.ts'
import type { GraphBuilder } from '../../../src/graph/builder.ts'
import { Rng } from '../../../src/support/rng.ts'
import { profileOf } from '../networks/memory-trial.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

/** Series of these lengths and so many channels. */
function profileFor(lengths: number[], channels: number, values: Partial<MatrixProfile['values']> = {}): TaskProfile {
  const examples = lengths.map((t) => ({
    shape: [t, 1, channels, 1] as [number, number, number, number],
    values: [],
    classes: [0],
  }))
  const varies = new Set(lengths).size > 1
  const profile = profileOf({ kind: 'series', classCount: 2, bytes: false, varies, vocabulary: [], examples })
  const [matrix] = profile.matrices
  return { ...profile, matrices: [{ ...matrix, values: { ...matrix.values, ...values } }] }
}

/** Outputs for examples [t, channels] in one batch; padded, and with their lengths, if `varies`. */
async function outputs(front: FrontEnd, examples: Float32Array[], channels: number, varies = true, padding = 0) {
  const lengths = examples.map((values) => values.length / channels)
  const longest = Math.max(...lengths) + padding
  const data = new Float32Array(examples.length * longest * channels)
  for (const [i, values] of examples.entries()) data.set(values, i * longest * channels)
  const declared = ['n', varies ? 't' : longest, 1, channels, 1]
  const x = { shape: [examples.length, longest, 1, channels, 1], declared, data }
  const length = { shape: [examples.length], declared: ['n'], data: BigInt64Array.from(lengths, BigInt) }
  const out = await runGraph(engine, varies ? { x, length } : { x }, (g, fed) =>
    front.build(g, null, [{ matrix: fed.x, length: fed.length ?? null }]),
  )
  const size = out.data.length / examples.length
  expect(size).toBe(front.shape.reduce((a, b) => a * b, 1))
  return examples.map((_, i) => out.data.slice(i * size, (i + 1) * size))
}

const wave = (length: number, period: number) =>
  Float32Array.from({ length }, (_, t) => Math.sin((2 * Math.PI * (t + 0.5)) / period))
const noise = (length: number, seed: number) => {
  const rng = Rng.fromSeed(seed)
  return Float32Array.from({ length }, () => rng.normal())
}
const meanOf = (x: Float32Array) => x.reduce((a, b) => a + b, 0) / x.length
const largest = (x: Float32Array) => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

describe('the time axis of a single step', () => {
  const flags = { isSequenceRow: false, isSequenceCol: false, hasLocalityRow: false, hasLocalityCol: false }
  const cases: [string, number, number, Partial<MatrixSpec>, string][] = [
    ['is the one declared a sequence', 4, 40, { isSequenceRow: true }, 'rows'],
    ['is the sequence before the local one', 4, 40, { isSequenceRow: true, hasLocalityCol: true }, 'rows'],
    ['is the local one where none is a sequence', 4, 40, { hasLocalityRow: true }, 'rows'],
    ['is the local one where both are sequences', 40, 4, allSequences({ hasLocalityCol: true }), 'cols'],
    ['is the longer one where the flags leave it open', 4, 40, {}, 'cols'],
    ['is the only one, whatever the flags say of the other', 1, 40, { isSequenceRow: true }, 'cols'],
  ]

  function allSequences(more: Partial<MatrixSpec>): Partial<MatrixSpec> {
    return { isSequenceRow: true, isSequenceCol: true, ...more }
  }

  test.each(cases)('%s', (_title, rows, cols, declared, axis) => {
    const given = profileFor([1], 1)
    const extent = (size: number) => ({ min: size, median: size, max: size })
    const [matrix] = given.matrices
    const about = {
      ...matrix,
      rows: extent(rows),
      cols: extent(cols),
      spec: { ...matrix.spec, ...flags, ...declared, rows, cols },
    }
    const profile = { ...given, matrices: [about] }
    expect(timeAxis(about)).toBe(axis)
    const [steps, channels] = axis === 'rows' ? [rows, cols] : [cols, rows]
    expect(seriesFront(profile, 256)!.shape).toEqual([channels, steps])
    expect(stretchedFront(profile).shape).toEqual([channels, Math.max(18, steps)])
  })
})

type Front = (profile: TaskProfile) => FrontEnd
const STRETCHED: [string, Front][] = [
  ['of networks', (profile) => seriesFront(profile, 64)!],
  ['of minirocket', stretchedFront],
]

describe.each(STRETCHED)('the front %s', (_title, frontOf) => {
  test('hands on what has as many steps as it gives', async () => {
    const [values] = [noise(40, 1)]
    for (const varies of [false, true]) {
      const profile = profileFor(varies ? [40, 40, 30] : [40], 1)
      const [out] = await outputs(frontOf(profile), [values], 1, varies)
      for (let t = 0; t < 40; t++) expect(out[t]).toBeCloseTo(values[t], varies ? 4 : 9)
    }
  })

  test.each([false, true])('shortens without aliasing, unequal lengths: %s', async (varies) => {
    const [, steps] = frontOf(profileFor([16_384], 1)).shape
    const length = 8 * steps
    const front = frontOf(profileFor(varies ? [length - 1, length, length] : [length], 1))
    const periodic = [wave(length, 8), wave(length, length / 2)]
    const [quick, slow] = await outputs(front, periodic, 1, varies)
    expect(quick.length).toBe(steps)
    expect(largest(quick)).toBeLessThan(0.05)
    const expected = wave(steps, steps / 2)
    for (let i = 0; i < steps; i++) expect(Math.abs(slow[i] - expected[i])).toBeLessThan(0.01)
  })

  test('takes means over equal parts, of valid steps only', async () => {
    const front = frontOf(profileFor([3000, 4000, 4000], 2))
    const [, steps] = front.shape
    const length = 2.5 * steps
    const values = noise(2 * length, 3).map((value) => value + 1000)
    const [out] = await outputs(front, [values], 2, true, 500)
    const inPart = (c: number, i: number) => {
      const at = (k: number) => values[2 * k + c]
      const first = 2.5 * i
      // Even parts end in the middle of a step, odd ones start there.
      const whole = Math.ceil(first)
      const half = i % 2 === 0 ? at(whole + 2) : at(whole - 1)
      return (at(whole) + at(whole + 1) + half / 2) / 2.5
    }
    for (const i of [0, 1, 20, steps - 1]) {
      for (const c of [0, 1]) expect(Math.abs(out[c * steps + i] - inPart(c, i))).toBeLessThan(0.01)
    }
  })

  test('fills what is missing with the mean of its channel in the example', async () => {
    const front = frontOf(profileFor([30, 40, 40], 2, { min: -60, max: 1010, mean: 475 }))
    const [, steps] = front.shape
    const levels = [1000, -50]
    const whole = noise(80, 4).map((value, j) => levels[j % 2] + value)
    const holed = whole.map((value, j) => (j % 7 < 2 ? Number.NaN : value))
    const deaf = whole.map((value, j) => (j % 2 === 0 ? Number.NaN : value))
    for (const varies of [false, true]) {
      const [first, second] = await outputs(front, [holed, deaf], 2, varies)
      for (const c of [0, 1]) {
        const known = holed.filter((value, j) => j % 2 === c && !Number.isNaN(value))
        const channel = first.subarray(c * steps, (c + 1) * steps)
        for (let t = 0; t < 40; t++) {
          const expected = Number.isNaN(holed[2 * t + c]) ? meanOf(known) : holed[2 * t + c]
          expect(Math.abs(channel[t] - expected)).toBeLessThan(0.01)
        }
      }
      // Nothing is known of the channel but the matrix's mean.
      expect(new Set(second.subarray(0, steps))).toEqual(new Set([475]))
    }
  })

  test('brings small units to an amplitude of about 1', async () => {
    const factor = 2 ** -27
    const values = noise(80, 5)
    const tiny = profileFor([40], 2, { min: -3 * factor, max: 3 * factor })
    const scaled = values.map((value) => factor * value)
    const [[ordinary], [small]] = [
      await outputs(frontOf(profileFor([40], 2)), [values], 2, false),
      await outputs(frontOf(tiny), [scaled], 2, false),
    ]
    expect(largest(small)).toBeGreaterThan(0.1)
    const ratio = small[0] / ordinary[0]
    for (let j = 0; j < ordinary.length; j++) expect(small[j]).toBeCloseTo(ratio * ordinary[j], 6)
  })
})

describe('series statistics', () => {
  test('of values around 1000 are not moved by those that are missing', async () => {
    const front = seriesStatisticsFront(profileFor([200, 260, 260], 1, { min: 995, max: 1005, mean: 1000 }))
    const values = noise(260, 6).map((value, t) => (t % 5 === 0 ? Number.NaN : 1000 + value))
    const [[mean, deviation, min, max]] = await outputs(front, [values], 1)
    expect(Math.abs(mean - 1000)).toBeLessThan(0.3)
    expect(deviation).toBeLessThan(1.2)
    expect(min).toBeGreaterThan(995)
    expect(max).toBeLessThan(1005)
    const [nothing] = await outputs(front, [new Float32Array(9).fill(Number.NaN)], 1)
    expect(nothing.every(Number.isFinite)).toBe(true)
  })

  /** Log of the share of power at 1 .. bins periods, by definition. */
  function spectrum(x: Float32Array, bins: number): number[] {
    const mean = meanOf(x)
    const deviation = Math.sqrt(meanOf(x.map((value) => (value - mean) ** 2)))
    return Array.from({ length: bins }, (_, k) => {
      let [real, imaginary] = [0, 0]
      for (let t = 0; t < x.length; t++) {
        const phase = (2 * Math.PI * (k + 1) * (t + 0.5)) / x.length
        real += ((x[t] - mean) * Math.cos(phase)) / x.length / deviation
        imaginary += ((x[t] - mean) * Math.sin(phase)) / x.length / deviation
      }
      return Math.log(real * real + imaginary * imaginary + 1e-5)
    })
  }

  test.each([[[9, 40, 150, 700, 5000]], [[7, 12, 29]]])(
    'show the power of every wave that the steps can hold: %j',
    async (lengths) => {
      const front = seriesStatisticsFront(profileFor(lengths, 1))
      const bins = front.shape[0] - 12
      const examples = lengths.map((length, i) => {
        const [slow, quick] = [wave(length, length / 2), wave(length, length / Math.min(50, Math.floor(length / 2.5)))]
        return noise(length, i).map((value, t) => 0.5 * value + slow[t] + quick[t])
      })
      for (const [i, features] of (await outputs(front, examples, 1)).entries()) {
        const expected = spectrum(examples[i], Math.min(bins, Math.floor((lengths[i] - 1) / 2)))
        for (const [k, value] of expected.entries()) {
          const power = Math.exp(value)
          expect(Math.abs(Math.exp(features[12 + k]) - power)).toBeLessThan(0.06 * power + 2e-3)
        }
      }
    },
  )

  test('make no waves for every length, which would be as many values as rows, frequencies and steps', () => {
    const front = seriesStatisticsFront(profileFor([9000, 10_000, 11_000], 1))
    const shapes: string[] = []
    const watched = (g: GraphBuilder) => {
      const op = g.op.bind(g)
      g.op = (...call) => {
        const value = op(...call)
        shapes.push(value.shape.map((dim) => (typeof dim === 'number' ? dim : 'any')).join())
        return value
      }
    }
    const feeds = {
      x: { shape: [1, 4, 1, 1, 1], declared: ['n', 't', 1, 1, 1], data: new Float32Array(4) },
      length: { shape: [1], declared: ['n'], data: BigInt64Array.of(4n) },
    }
    return runGraph(engine, feeds, (g, { x, length }) => {
      watched(g)
      const out = front.build(g, null, [{ matrix: x, length }])
      expect(shapes.length).toBeGreaterThan(20)
      expect(shapes).not.toContain('any,64,any')
      return out
    })
  })
})
