// Initial weights have the distribution that their initializer names, at any length, and follow from the seed.
import { describe, expect, test } from 'vitest'
import { heNormal, uniformFanIn } from '../../src/graph/layers/network.ts'
import { Rng } from '../../src/support/rng.ts'

const moment = (values: Float32Array, power: number) => values.reduce((sum, v) => sum + v ** power, 0) / values.length

describe('initializers', () => {
  test('He normal: mean 0, variance 2 / inputs, kurtosis 3, neighbours independent', () => {
    const w = heNormal(50)(Rng.fromSeed(3), [201, 1001])
    const variance = moment(w, 2)
    expect(w.length).toBe(201 * 1001)
    expect(Math.abs(moment(w, 1))).toBeLessThan(0.002)
    expect(variance).toBeCloseTo(2 / 50, 3)
    expect(moment(w, 4) / variance ** 2).toBeCloseTo(3, 1)
    const neighbours = w.reduce((sum, v, i) => sum + v * (w[i + 1] ?? 0), 0) / w.length
    expect(Math.abs(neighbours / variance)).toBeLessThan(0.01)
    expect(w.every(Number.isFinite)).toBe(true)
    expect(w.at(-1)).not.toBe(0)
  })

  test('uniform: within 1 / sqrt(inputs), of variance bound^2 / 3', () => {
    const w = uniformFanIn(16)(Rng.fromSeed(4), [300, 300])
    expect(w.every((v) => Math.abs(v) <= 0.25)).toBe(true)
    expect(moment(w, 2)).toBeCloseTo(0.25 ** 2 / 3, 3)
  })

  test('the same seed gives the same weights', () => {
    expect(heNormal(7)(Rng.fromSeed(5), [33])).toEqual(heNormal(7)(Rng.fromSeed(5), [33]))
  })
})
