import { describe, expect, it } from 'vitest'
import { gainPerTime, learningExponent } from '../../src/search/forecast.ts'
import { CLOCK_PACING, countedPacing, decide, type Situation, surplus } from '../../src/search/scheduler.ts'
import { newTrial, type Trial } from '../../src/search/trial.ts'

function trial(id: string, curve: [number, number][], changes: Partial<Trial> = {}): Trial {
  const points = curve.map(([spent, objective]) => ({ spent, objective }))
  const best = points.length === 0 ? null : Math.max(...points.map(({ objective }) => objective))
  return {
    ...newTrial(id, 'family', {}, 'portfolio'),
    status: 'paused',
    worker: 0,
    spent: curve.at(-1)?.[0] ?? 0,
    curve: points,
    best,
    ...changes,
  }
}

function situation(changes: Partial<Situation>): Situation {
  return {
    trials: [],
    worker: 0,
    now: 10_000,
    remaining: 50_000,
    best: 0.9,
    published: new Set(),
    portfolioLeft: 0,
    canPropose: false,
    ...changes,
  }
}

const chosen = (s: Situation) => {
  const decision = decide(s, CLOCK_PACING)
  return decision.kind === 'slice' ? decision.trial.id : decision.kind
}

describe('decide', () => {
  it('opens the portfolio when there is no trial', () => {
    expect(chosen(situation({ portfolioLeft: 3, now: 0, best: null }))).toBe('open')
  })

  it('goes on with a trial that has not been judged before anything else', () => {
    const trials = [trial('a', [[1000, 0.9]]), trial('b', [], { spent: 400 })]
    expect(chosen(situation({ trials, portfolioLeft: 3 }))).toBe('b')
  })

  it('waits longer for the first judgement of all than for a later one', () => {
    const slow = trial('slow', [], { spent: 6000 })
    expect(chosen(situation({ trials: [slow], portfolioLeft: 3, now: 7000, best: null }))).toBe('slow')
    expect(chosen(situation({ trials: [slow], portfolioLeft: 3, now: 7000, best: 0.5 }))).toBe('open')
  })

  it('opens the second entry before it compares gains', () => {
    const trials = [
      trial('a', [
        [100, 0.2],
        [200, 0.9],
      ]),
    ]
    expect(chosen(situation({ trials, portfolioLeft: 3, now: 1000 }))).toBe('open')
  })

  it('prefers the trial that climbs to the one that has stalled', () => {
    const stalled = trial('stalled', [
      [1000, 0.9],
      [2000, 0.9],
      [4000, 0.9],
    ])
    const climbing = trial('climbing', [
      [1000, 0.5],
      [2000, 0.7],
      [4000, 0.88],
    ])
    expect(chosen(situation({ trials: [stalled, climbing] }))).toBe('climbing')
  })

  it('gives a steep climb its time and opens the next entry once it flattens', () => {
    const other = trial('first', [[500, 0.5]], { status: 'finished' })
    const steep = trial('t', [
      [500, 0.5],
      [1000, 0.65],
      [2000, 0.8],
    ])
    expect(chosen(situation({ trials: [other, steep], portfolioLeft: 2, best: 0.8, now: 5000 }))).toBe('t')
    const flat = trial('t', [
      [500, 0.79],
      [1000, 0.8],
      [2000, 0.8],
    ])
    expect(chosen(situation({ trials: [other, flat], portfolioLeft: 2, best: 0.8, now: 5000 }))).toBe('open')
  })

  it('does not open what cannot give a candidate before the end', () => {
    const trials = [
      trial('a', [
        [3000, 0.8],
        [6000, 0.8],
      ]),
      trial('b', [
        [3000, 0.9],
        [6000, 0.9],
      ]),
    ]
    expect(chosen(situation({ trials, portfolioLeft: 2, remaining: 800 }))).not.toBe('open')
  })

  it('fits on all rows what leads or is published, and nothing else while there is other work', () => {
    const settled = (id: string, best: number) => trial(id, [[1000, best]], { taughtShare: 0.8 })
    const shaded = settled('shaded', 0.89)
    const climbing = trial('climbing', [
      [1000, 0.5],
      [2000, 0.7],
      [4000, 0.88],
    ])
    expect(chosen(situation({ trials: [shaded, climbing] }))).toBe('climbing')
    expect(chosen(situation({ trials: [shaded], canPropose: true }))).toBe('open')
    const published = new Set(['shaded'])
    expect(chosen(situation({ trials: [shaded], canPropose: true, published }))).toBe('shaded')
    expect(chosen(situation({ trials: [shaded, settled('leads', 0.9)], canPropose: true }))).toBe('leads')
    // Its fit would not be done in time.
    expect(chosen(situation({ trials: [settled('leads', 0.9)], canPropose: true, remaining: 1200 }))).not.toBe('leads')
  })

  it('gives the last part of a run to a network that leads, not to what opens', () => {
    const network = trial('network', [[20_000, 0.9]], { openEnded: true })
    const begun = trial('begun', [], { spent: 400 })
    const late = { trials: [network, begun], now: 50_000, portfolioLeft: 2 }
    expect(chosen(situation({ ...late, remaining: 9000 }))).toBe('network')
    expect(chosen(situation({ ...late, remaining: 30_000 }))).toBe('begun')
  })

  it('leaves a trial to the worker that holds it', () => {
    const elsewhere = trial('a', [[1000, 0.9]], { worker: 1 })
    expect(chosen(situation({ trials: [elsewhere] }))).toBe('idle')
    expect(chosen(situation({ trials: [elsewhere], worker: 1 }))).toBe('a')
  })

  it('never gives a slice beyond the end, and slices grow with time', () => {
    const trials = [trial('a', [[1000, 0.5]])]
    const lengths = [100, 4000, 20_000, 500_000].map((now) => {
      const decision = decide(situation({ trials, now }), CLOCK_PACING)
      return decision.kind === 'slice' ? decision.length : 0
    })
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b))
    const last = decide(situation({ trials, remaining: 70 }), CLOCK_PACING)
    expect(last).toMatchObject({ kind: 'slice', length: 70 })
    expect(decide(situation({ trials, remaining: 0 }), CLOCK_PACING).kind).toBe('idle')
  })

  it('has equal slices in counted mode', () => {
    const decision = decide(situation({ trials: [trial('a', [[3, 0.5]])], now: 40, remaining: 100 }), countedPacing(7))
    expect(decision).toMatchObject({ kind: 'slice', length: 7 })
  })
})

describe('forecast', () => {
  it('reads the exponent off a power law', () => {
    const curve = [1, 2, 4, 8].map((spent) => ({ spent, objective: 1 - 0.5 * spent ** -0.4 }))
    expect(learningExponent(curve)).toBeCloseTo(0.4, 6)
  })

  it('does not hold the time since the last point against a trial: a long cycle shows only at its end', () => {
    const curve = [5, 15].map((spent) => ({ spent, objective: 1 - spent ** -0.5 }))
    const input = { curve, best: 0.7, slice: 1, remaining: 60, openEnded: true }
    expect(gainPerTime({ ...input, spent: 40 })).toBeGreaterThan(0.5 * gainPerTime({ ...input, spent: 20 }))
  })

  it('never expects more than perfection', () => {
    const curve = [1, 2].map((spent) => ({ spent, objective: 1 - spent ** -4 }))
    const gain = gainPerTime({ curve, spent: 2, best: 0.9, slice: 10, remaining: 10, openEnded: true })
    expect(gain).toBeGreaterThan(0)
    expect(gain).toBeLessThan(0.1 / 10 + 1e-3)
  })

  it('expects nothing of a trial that stood still, unless it leads and has no end of its own', () => {
    const curve = [1, 2, 4, 8].map((spent) => ({ spent, objective: 0.9 }))
    const input = { curve, spent: 8, best: 0.9, slice: 1, remaining: 100 }
    expect(gainPerTime({ ...input, openEnded: false })).toBe(0)
    expect(gainPerTime({ ...input, openEnded: true })).toBeGreaterThan(0)
    expect(gainPerTime({ ...input, best: 0.99, openEnded: true })).toBe(0)
  })

  it('looks far enough ahead to see a slow trial overtake', () => {
    const curve = [1, 2, 4, 8].map((spent, i) => ({ spent, objective: 0.5 + 0.1 * i }))
    const input = { curve, spent: 8, best: 0.9, slice: 1, openEnded: false }
    expect(gainPerTime({ ...input, remaining: 2 })).toBe(0)
    expect(gainPerTime({ ...input, remaining: 100 })).toBeGreaterThan(0)
  })
})

describe('surplus', () => {
  it('names the worst of the paused beyond what may stay', () => {
    const trials = [trial('a', [[1, 0.9]]), trial('b', [[1, 0.3]]), trial('c', [[1, 0.6]])]
    expect(surplus(trials, 2).map(({ id }) => id)).toEqual(['b'])
    expect(surplus(trials, 3)).toEqual([])
  })
})
