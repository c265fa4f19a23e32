import { describe, expect, it } from 'vitest'
import type { SearchSpace } from '../../src/families/family.ts'
import type { PlannedTrial } from '../../src/search/messages.ts'
import { fromUnit, mutateDomain, toUnit } from '../../src/search/tuners/domain.ts'
import { portfolioEntries, proposeTrial } from '../../src/search/tuners/search.ts'
import { proposalKey, type TrialSummary, type TunerInput } from '../../src/search/tuners/tuner.ts'
import { Rng } from '../../src/support/rng.ts'

const space: SearchSpace = {
  rate: { type: 'float', low: 1e-4, high: 1, log: true, reason: 'test' },
  depth: { type: 'int', low: 1, high: 8, reason: 'test' },
  kind: { type: 'choice', options: ['a', 'b', 'c'], reason: 'test' },
}
const portfolio: PlannedTrial[] = [
  { family: 'net', params: { rate: 0.01, depth: 2, kind: 'a', fixed: true }, order: 1 },
  { family: 'net', params: { rate: 0.1, depth: 3, kind: 'b', fixed: true }, order: 2 },
  { family: 'plain', params: { c: 1 }, order: 3 },
]
const spaces = { net: space, plain: {} }

/** Asks `count` times; each trial scores by `score`. */
function search(name: string, count: number, score: (p: TrialSummary['params']) => number, seed = 0): TrialSummary[] {
  const history: TrialSummary[] = []
  for (let i = 0; i < count; i++) {
    const input: TunerInput = { history, portfolio, spaces, rng: Rng.fromSeed(seed).split(i) }
    const proposal = proposeTrial(name, input)
    if (proposal === null) break
    const { family, params } = proposal
    history.push({ trial: `t${i}`, family, params, score: family === 'net' ? score(params) : 0, failed: false })
  }
  return history
}

describe.each(['auto', 'random', 'evolution', 'reinforce'])('--search %s', (name) => {
  it('begins with the first portfolio entry, stays in the domains and never repeats a trial', () => {
    const history = search(name, 40, () => 0.5)
    expect(history).toHaveLength(40)
    expect(history[0]).toMatchObject({ family: 'net', params: portfolio[0].params })
    expect(new Set(history.map(proposalKey)).size).toBe(40)
    for (const { family, params } of history.filter((trial) => trial.family === 'net')) {
      expect(family).toBe('net')
      expect(params.rate).toBeGreaterThanOrEqual(1e-4)
      expect(params.rate).toBeLessThanOrEqual(1)
      expect([1, 2, 3, 4, 5, 6, 7, 8]).toContain(params.depth)
      expect(['a', 'b', 'c']).toContain(params.kind)
      expect(params.fixed).toBe(true)
    }
  })

  it('proposes the same again from the same history', () => {
    expect(search(name, 15, (p) => Number(p.depth))).toEqual(search(name, 15, (p) => Number(p.depth)))
  })
})

describe('searching', () => {
  const score = (p: TrialSummary['params']) =>
    -Math.abs(Math.log10(Number(p.rate)) + 1.5) - Math.abs(Number(p.depth) - 7) / 4 - (p.kind === 'c' ? 0 : 1)
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const lateMean = (name: string) =>
    mean(
      [0, 1, 2, 3, 4].flatMap((seed) =>
        search(name, 60, score, seed)
          .slice(40)
          .map((trial) => trial.score!),
      ),
    )

  it.each(['evolution', 'reinforce'])('%s finds better regions than random search', (name) => {
    expect(lateMean(name)).toBeGreaterThan(lateMean('random') + 0.3)
  })

  it('ends after the portfolio when that is all that was asked for', () => {
    expect(search('portfolio', 10, () => 0).map(({ params }) => params)).toEqual(portfolio.map(({ params }) => params))
  })

  it('has nothing to propose when no family has a space', () => {
    const input: TunerInput = { history: [], portfolio: [], spaces: {}, rng: Rng.fromSeed(1) }
    for (const name of ['auto', 'random', 'evolution', 'reinforce']) expect(proposeTrial(name, input)).toBeNull()
  })
})

describe('domains', () => {
  it.each(Object.entries(space))('%s: a value survives the way to the unit interval and back', (_, domain) => {
    for (const u of [0, 0.1, 0.45, 0.8, 0.999]) {
      const value = fromUnit(domain, u)
      const again = fromUnit(domain, Math.min(toUnit(domain, value), 0.9999))
      if (domain.type === 'float') expect(Number(again) / Number(value)).toBeCloseTo(1, 2)
      else expect(again).toBe(value)
    }
  })

  it('mutation moves choices and integers to another value', () => {
    const rng = Rng.fromSeed(1)
    for (let i = 0; i < 50; i++) {
      expect(mutateDomain(space.kind, 'a', rng)).not.toBe('a')
      expect(mutateDomain(space.depth, 8, rng)).not.toBe(8)
    }
  })
})

describe('how much of the portfolio a search proposes', () => {
  it.each([
    ['auto', 3],
    ['portfolio', 3],
    ['random', 1],
    ['evolution', 1],
    ['reinforce', 1],
  ])('%s: %d of 3, and none of none', (name, count) => {
    expect([portfolioEntries(name, 3), portfolioEntries(name, 0)]).toEqual([count, 0])
    const asked = search(name, 3, () => 0.5)
    const own = asked.filter(({ params }) =>
      portfolio.some((entry) => proposalKey(entry) === proposalKey({ family: entry.family, params })),
    )
    expect(own.length).toBeGreaterThanOrEqual(Math.min(count, 3))
  })
})
