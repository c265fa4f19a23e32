// Streams follow from the seed and from nothing else; normal numbers have the normal's distribution, tails included.
import { describe, expect, test } from 'vitest'
import { Rng } from '../../src/support/rng.ts'

/** P(|x| > z) of the standard normal. */
const BEYOND: readonly [number, number][] = [
  [0.25, 0.8025873],
  [1, 0.3173105],
  [2, 0.0455003],
  [3, 0.0026998],
  // The tail's own sampler begins at 3.654.
  [3.654, 0.00025818],
  [4, 0.000063342],
]

const correlation = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i], 0) / a.length

describe('normal numbers in bulk', () => {
  const count = 2_000_000
  const x = Rng.fromSeed(11).fillNormal(new Float32Array(count))

  test('moments of the standard normal', () => {
    const moments = [0, 0, 0, 0]
    for (const v of x) for (let k = 0; k < 4; k++) moments[k] += v ** (k + 1) / count
    // Five standard errors each.
    expect(Math.abs(moments[0])).toBeLessThan(5 * Math.sqrt(1 / count))
    expect(Math.abs(moments[1] - 1)).toBeLessThan(5 * Math.sqrt(2 / count))
    expect(Math.abs(moments[2])).toBeLessThan(5 * Math.sqrt(15 / count))
    expect(Math.abs(moments[3] - 3)).toBeLessThan(5 * Math.sqrt(96 / count))
  })

  test.each(BEYOND)('beyond %d on each side', (z, probability) => {
    for (const side of [-1, 1]) {
      const found = x.reduce((n, v) => n + Number(side * v > z), 0)
      const expected = (count * probability) / 2
      expect(Math.abs(found - expected)).toBeLessThan(5 * Math.sqrt(expected))
    }
  })

  test('bins of a twentieth of a deviation hold what the density says: no layer shows', () => {
    const [width, bins] = [0.05, 160]
    const found = new Float64Array(bins)
    for (const v of x) {
      const bin = Math.floor(v / width) + bins / 2
      if (bin >= 0 && bin < bins) found[bin]++
    }
    let chi2 = 0
    found.forEach((n, bin) => {
      let probability = 0
      for (let i = 0; i < 16; i++) {
        const at = (bin - bins / 2 + (i + 0.5) / 16) * width
        probability += (Math.exp(-0.5 * at * at) * width) / 16 / Math.sqrt(2 * Math.PI)
      }
      chi2 += (n - count * probability) ** 2 / (count * probability)
    })
    expect(chi2).toBeLessThan(bins + 5 * Math.sqrt(2 * bins))
  })

  test('neighbours, other seeds and other labels are independent', () => {
    const limit = 5 / Math.sqrt(count)
    expect(Math.abs(correlation(x.subarray(0, -1), x.subarray(1)))).toBeLessThan(limit)
    for (const rng of [Rng.fromSeed(12), Rng.fromSeed(11).split('a')]) {
      expect(Math.abs(correlation(x, rng.fillNormal(new Float32Array(count))))).toBeLessThan(limit)
    }
  })

  test('the deviation scales the same numbers, and the stream goes on after any length', () => {
    const rng = Rng.fromSeed(11)
    const parts = [...rng.fillNormal(new Float32Array(777), 0.5), ...rng.fillNormal(new Float32Array(223), 0.5)]
    expect(parts).toEqual([...x.subarray(0, 1000)].map((v) => v * 0.5))
  })
})

test('other methods draw what they always drew from a seed', () => {
  const rng = Rng.fromSeed(7)
  const drawn = [rng.uint32(), rng.uniform(), rng.below(1000), rng.normal(), rng.split('a').uint32()]
  expect(drawn).toEqual([1004282400, 0.5122324187227679, 172, -0.7045168224139193, 2803682031])
})
