import { describe, expect, it } from 'vitest'
import { bestSharpness, sharpen } from '../../src/metrics/sharpness.ts'
import { type BlendCandidate, blendScores, selectBlend } from '../../src/search/ensemble.ts'
import { type Judge, judge, naucError, objective } from '../../src/search/quality.ts'
import { applyQuantileMap, fitQuantileMap } from '../../src/search/quantile-map.ts'
import { Rng } from '../../src/support/rng.ts'

/** [V, 2] one-hot labels, alternating. */
function alternating(rows: number): Judge {
  const labels = new Float32Array(rows * 2)
  for (let i = 0; i < rows; i++) labels[i * 2 + (i % 2)] = 1
  return { labels, classCount: 2, multiLabel: false }
}

/** Scores of the right class `right`, plus noise of its own. */
function noisy(against: Judge, noise: number, rng: Rng): Float32Array {
  const { labels, classCount } = against
  const scores = new Float32Array(labels.length)
  for (let i = 0; i < labels.length; i += classCount) {
    const z = (labels[i] > 0 ? 1 : -1) + noise * rng.normal()
    scores[i] = 1 / (1 + Math.exp(-z))
    scores[i + 1] = 1 - scores[i]
  }
  return scores
}

function candidate(against: Judge, member: string, validation: Float32Array, family = 'one'): BlendCandidate {
  return { member, family, validation, quality: judge(against, validation) }
}

describe('one column of answers', () => {
  it('is judged by its noes too: a model that says yes to all is not blended in', () => {
    const labels = Float32Array.from({ length: 400 }, (_, i) => i % 2)
    const against: Judge = { labels, classCount: 1, multiLabel: false }
    const rng = Rng.fromSeed(4)
    const honest = labels.map((label) => 1 / (1 + Math.exp(-(label > 0 ? 2 : -2) - rng.normal())))
    const loud = honest.map((p) => 0.9 + 0.0999 * p)
    const blend = selectBlend(against, [candidate(against, 'honest', honest), candidate(against, 'loud', loud)])!
    expect(blend.members.find(({ member }) => member === 'honest')!.weight).toBeGreaterThan(0.7)
  })
})

describe('selectBlend', () => {
  it('gives nothing for nothing and the one for one', () => {
    const against = alternating(10)
    expect(selectBlend(against, [])).toBeNull()
    const only = candidate(against, 'a', noisy(against, 1, Rng.fromSeed(1)))
    expect(selectBlend(against, [only])?.members).toEqual([{ member: 'a', weight: 1, sharpness: 1, map: null }])
  })

  it('averages two models whose errors are independent: noise falls by the square root of two', () => {
    const against = alternating(4000)
    const pool = ['a', 'b'].map((name, i) => candidate(against, name, noisy(against, 2, Rng.fromSeed(i))))
    const blend = selectBlend(against, pool)!
    expect(blend.members.map(({ member }) => member).sort()).toEqual(['a', 'b'])
    for (const { weight } of blend.members) expect(weight).toBeGreaterThan(0.3)
    expect(blend.quality.nauc).toBeGreaterThan(Math.max(...pool.map(({ quality }) => quality.nauc)) + 0.03)
  })

  it('still blends in another family, or what is published, when many alike are better alone', () => {
    const against = alternating(2000)
    const shared = noisy(against, 1.6, Rng.fromSeed(1))
    const alike = Array.from({ length: 30 }, (_, i) => {
      const rng = Rng.fromSeed(100 + i)
      return candidate(
        against,
        `tree ${i}`,
        shared.map((p) => p + 0.001 * rng.normal()),
        'trees',
      )
    })
    const other = noisy(against, 1.7, Rng.fromSeed(2))
    const names = (family: string, published: string[]) =>
      selectBlend(against, [...alike, candidate(against, 'other', other, family)], published)!.members.map(
        (m) => m.member,
      )
    expect(names('network', [])).toContain('other')
    expect(names('trees', ['other'])).toContain('other')
    expect(names('trees', [])).not.toContain('other')
  })

  it('leaves out a model that is the opposite of the truth', () => {
    const against = alternating(500)
    const good = noisy(against, 1, Rng.fromSeed(1))
    const bad = good.map((score) => 1 - score)
    const blend = selectBlend(against, [candidate(against, 'bad', bad), candidate(against, 'good', good)])!
    expect(blend.members).toEqual([{ member: 'good', weight: 1, sharpness: 1, map: null }])
  })

  it('does not take a copy of the best for an improvement', () => {
    const against = alternating(300)
    const scores = noisy(against, 1, Rng.fromSeed(3))
    const blend = selectBlend(against, [candidate(against, 'a', scores), candidate(against, 'b', scores.slice())])!
    expect(blend.members).toEqual([{ member: 'a', weight: 1, sharpness: 1, map: null }])
  })

  it('averages ranks when one model shouts and another whispers, and both rank well', () => {
    const against = alternating(4000)
    const loud = noisy(against, 2, Rng.fromSeed(1))
    // A monotone map of independent scores into a millionth: their ranks are as good, their mean with `loud` is `loud`.
    const quiet = noisy(against, 2, Rng.fromSeed(2)).map((score) => 0.5 + 1e-4 * (score - 0.5))
    const pool = [candidate(against, 'loud', loud), candidate(against, 'quiet', quiet)]
    const blend = selectBlend(against, pool)!
    const single = Math.max(...pool.map(({ quality }) => quality.nauc))
    expect(blend.kind === 'rank' || blend.members.length === 1).toBe(true)
    expect(blend.quality.nauc).toBeGreaterThanOrEqual(single)
  })

  it('makes a model that is right as often but half as sure, as a forest is, say what it means', () => {
    const [rows, classCount] = [2000, 10]
    const rng = Rng.fromSeed(8)
    const labels = new Float32Array(rows * classCount)
    for (let row = 0; row < rows; row++) labels[row * classCount + rng.below(classCount)] = 1
    const against: Judge = { labels, classCount, multiLabel: false }
    const guess = (power: number) =>
      sharpen(
        labels.map((label) => Math.exp(4 * label + 1.5 * rng.normal())),
        classCount,
        power,
      )
    const pool = [candidate(against, 'sure', guess(1), 'boosting'), candidate(against, 'unsure', guess(0.3), 'forest')]
    const blend = selectBlend(against, pool)!
    const member = blend.members.find((each) => each.member === 'unsure')!
    expect(member.sharpness).toBeGreaterThan(2)
    expect(member.weight).toBeGreaterThan(0.3)
    expect(blend.quality.loss).toBeLessThan(0.9 * Math.min(...pool.map(({ quality }) => quality.loss)))
  })

  it('is the same for the same candidates in another order', () => {
    const against = alternating(200)
    const pool = [0, 1, 2, 3, 4, 5].map((i) => candidate(against, `m${i}`, noisy(against, 1 + i / 5, Rng.fromSeed(i))))
    expect(selectBlend(against, [...pool].reverse())).toEqual(selectBlend(against, pool))
  })

  it('has weights that sum to one, and its validation scores are those of blendScores', () => {
    const against = alternating(400)
    const pool = [0, 1, 2, 3].map((i) => candidate(against, `m${i}`, noisy(against, 2, Rng.fromSeed(10 + i))))
    const blend = selectBlend(against, pool)!
    expect(blend.members.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 6)
    const again = blendScores(blend, (key) => pool.find(({ member }) => member === key)!.validation, 2)
    expect(again).toEqual(blend.validation)
    expect(judge(against, again)).toEqual(blend.quality)
  })
})

describe('sharpness', () => {
  it('finds the power that undoes a temperature, within a step', () => {
    const against = alternating(4000)
    const rng = Rng.fromSeed(3)
    const honest = Float32Array.from(against.labels)
    for (let i = 0; i < honest.length; i += 2) {
      const p = 0.02 + 0.96 * rng.uniform()
      const right = rng.uniform() < p
      honest[i] = against.labels[i] > 0 === right ? p : 1 - p
      honest[i + 1] = 1 - honest[i]
    }
    for (const temperature of [3, 1, 0.5]) {
      const seen = sharpen(honest, 2, 1 / temperature)
      const { power, loss } = bestSharpness(against.labels, seen, 2)
      expect(power / temperature).toBeGreaterThan(1 / 1.2)
      expect(power / temperature).toBeLessThan(1.2)
      expect(loss).toBeLessThan(1.01 * bestSharpness(against.labels, honest, 2).loss)
    }
  })

  it('keeps rows that sum to one, zeros and ones included, and is the scores themselves at power 1', () => {
    const scores = Float32Array.of(1, 0, 0, 0.5, 0.25, 0.25)
    expect(sharpen(scores, 3, 1)).toBe(scores)
    const sharp = sharpen(scores, 3, 2)
    expect(sharp[0]).toBeCloseTo(1, 6)
    expect(Array.from(sharp.subarray(3), (p) => Math.round(p * 1000) / 1000)).toEqual([0.667, 0.167, 0.167])
  })
})

describe('quantile map', () => {
  it('is the empirical distribution function where every value is a knot', () => {
    const scores = Float32Array.of(0.4, 0.1, 0.3, 0.2, 0)
    const mapped = applyQuantileMap(fitQuantileMap(scores, 1), scores, 1)
    expect(Array.from(mapped, (x) => Math.round(x * 1000) / 1000)).toEqual([1, 0.25, 0.75, 0.5, 0])
  })

  it('keeps the order of any scores, within and beyond what it was fitted on', () => {
    const rng = Rng.fromSeed(5)
    const fitted = Float32Array.from({ length: 500 }, () => Math.exp(4 * rng.normal() - 8))
    const map = fitQuantileMap(fitted, 1)
    const probes = Float32Array.from({ length: 300 }, () => Math.exp(4 * rng.normal() - 8)).sort()
    const mapped = applyQuantileMap(map, probes, 1)
    for (let i = 1; i < mapped.length; i++) expect(mapped[i]).toBeGreaterThanOrEqual(mapped[i - 1])
    expect(mapped[0]).toBeGreaterThanOrEqual(0)
    expect(mapped.at(-1)).toBeLessThanOrEqual(1 + 1e-6)
  })

  it('gives one value to scores that are all equal', () => {
    const map = fitQuantileMap(new Float32Array(10).fill(0.3), 1)
    expect(Array.from(applyQuantileMap(map, Float32Array.of(0.1, 0.3, 0.9), 1))).toEqual([0, 0, 0])
  })
})

describe('quality', () => {
  it('has no error to speak of for a perfect ranking of many rows, and a large one for ten', () => {
    const perfect = { nauc: 1, accuracy: 1, loss: 0 }
    expect(naucError(alternating(10_000), perfect)).toBeLessThan(0.001)
    expect(naucError(alternating(10), perfect)).toBeGreaterThan(0.1)
  })

  it('matches the spread of NAUC over repeated draws within a factor', () => {
    const values = Array.from({ length: 60 }, (_, i) => {
      const against = alternating(200)
      return judge(against, noisy(against, 2, Rng.fromSeed(i))).nauc
    })
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
    const stated = naucError(alternating(200), { nauc: mean, accuracy: 0, loss: 0 })
    expect(stated).toBeGreaterThan(spread * 0.5)
    expect(stated).toBeLessThan(spread * 2)
  })

  it('lets log loss decide only between equal rankings', () => {
    expect(objective({ nauc: 0.9, accuracy: 0, loss: 0.2 })).toBeGreaterThan(
      objective({ nauc: 0.9, accuracy: 0, loss: 0.3 }),
    )
    expect(objective({ nauc: 0.91, accuracy: 0, loss: 0.5 })).toBeGreaterThan(
      objective({ nauc: 0.9, accuracy: 0, loss: 0.1 }),
    )
  })
})
