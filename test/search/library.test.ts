// Which candidates are kept: by validation within a trial, and fits on all rows by what they must know more.
import { describe, expect, it } from 'vitest'
import { createLibrary, type Library, type TrainedOn } from '../../src/search/library.ts'
import { type Judge, judge, objective, refitTolerance } from '../../src/search/quality.ts'

const ROWS = 200
const AGAINST: Judge = {
  labels: Float32Array.from({ length: 2 * ROWS }, (_, at) => (((at >> 1) + at) % 2 === 0 ? 1 : 0)),
  classCount: 2,
  multiLabel: false,
}

/** Right on all rows but the first `wrong`. */
function scores(wrong: number): Float32Array {
  return AGAINST.labels.map((label, at) => (at >> 1 < wrong ? 1 - label : label) * 0.8 + 0.1)
}

function kept(library: Library, member: string, wrong: number, trainedOn: TrainedOn): boolean {
  const { keep } = library.consider(
    { trial: 't0', member, family: 'linear', trainedOn, validation: scores(wrong) },
    false,
  )
  if (keep) library.stage('t0', member, 1)
  return keep
}

describe('candidates of one trial', () => {
  it('are kept when validation says they are better', () => {
    const library = createLibrary(AGAINST)
    expect(kept(library, 'a', 10, 'train')).toBe(true)
    expect(kept(library, 'b', 12, 'train')).toBe(false)
    expect(kept(library, 'c', 8, 'train')).toBe(true)
    expect(library.staged().map(({ member }) => member)).toEqual(['c'])
  })

  it('fitted on all rows are kept although they look a little worse, not much worse', () => {
    const before = judge(AGAINST, scores(40))
    const loss = (wrong: number) => objective(before) - objective(judge(AGAINST, scores(wrong)))
    const tolerance = refitTolerance(AGAINST, before)
    expect(loss(41)).toBeGreaterThan(0)
    expect(loss(41)).toBeLessThan(tolerance)
    expect(loss(46)).toBeGreaterThan(tolerance)
    const library = createLibrary(AGAINST)
    kept(library, 'a', 40, 'train')
    expect(kept(library, 'b', 46, 'all')).toBe(false)
    expect(kept(library, 'c', 41, 'train')).toBe(false)
    expect(kept(library, 'd', 41, 'all')).toBe(true)
    // What replaced a better-looking one is not replaced by a worse one again.
    expect(kept(library, 'e', 42, 'all')).toBe(false)
    expect(library.staged().map(({ member }) => member)).toEqual(['d'])
  })
})

describe('a candidate whose files never came', () => {
  it('is forgotten with its trial, what was staged stays', () => {
    const library = createLibrary(AGAINST)
    kept(library, 'a', 10, 'train')
    const better = { trial: 't0', member: 'b', family: 'linear', trainedOn: 'train', validation: scores(2) } as const
    expect(library.consider(better, false).keep).toBe(true)
    const other = { ...better, trial: 't1', validation: scores(5) }
    expect(library.consider(other, true).keep).toBe(false)
    expect(library.forgetUnstaged('t0')).toBe(true)
    expect(library.forgetUnstaged('t0')).toBe(false)
    expect(library.staged().map(({ member }) => member)).toEqual(['a'])
    expect(library.consider(other, true).keep).toBe(true)
  })
})
