// Targets and priors for single labels, several labels, gaps and empty classes.
import { describe, expect, test } from 'vitest'
import type { TaskProfile } from '../../../src/dataset/profile.ts'
import {
  classPriors,
  dominantClasses,
  linkOf,
  priorIntercepts,
  targetsOf,
} from '../../../src/families/common/label-statistics.ts'

const profile = (classCount: number, multiLabel = false) => ({ classCount, multiLabel }) as TaskProfile

describe('the form of the output', () => {
  test.each([
    ['one label a row is softmax', 2, false, [1, 0, 0, 1], 'softmax'],
    ['several labels are sigmoid', 2, true, [1, 1, 0, 1], 'sigmoid'],
    ['a single column is sigmoid', 1, false, [1, 0, 1], 'sigmoid'],
    ['many rows without any label are sigmoid', 2, false, [1, 0, 0, 0, 0, 1], 'sigmoid'],
    ['one gap in a hundred rows is softmax', 2, false, [0, 0, ...new Array(99).fill([1, 0]).flat()], 'softmax'],
  ] as const)('%s', (_title, k, multi, labels, link) => {
    expect(linkOf(profile(k, multi), Float32Array.from(labels))).toBe(link)
  })
})

describe('targets', () => {
  const labels = Float32Array.of(0.5, 1.5, 0, 0, 1, 0)

  test('softmax rows sum to one and unlabelled rows weigh nothing', () => {
    const targets = targetsOf('softmax', labels, 2, Int32Array.of(0, 1, 2))
    expect([...targets.values]).toEqual([0.25, 0.75, 0, 0, 1, 0])
    expect([...targets.weights]).toEqual([1, 0, 1])
    expect(targets.weightSum).toBe(2)
    expect([...dominantClasses(targets)]).toEqual([1, -1, 0])
  })

  test('sigmoid rows are kept as labelled', () => {
    const targets = targetsOf('sigmoid', labels, 2, Int32Array.of(1, 2))
    expect([...targets.values]).toEqual([0, 0, 1, 0])
    expect(targets.weightSum).toBe(2)
  })

  test('priors are shrunk and an empty class is rare, not impossible', () => {
    const targets = targetsOf('softmax', Float32Array.of(1, 0, 0, 1, 0, 0, 0, 1, 0), 3, Int32Array.of(0, 1, 2))
    const p = classPriors(targets)
    expect(p[0]).toBeCloseTo(2.5 / 4.5, 12)
    expect(p[2]).toBeCloseTo(0.5 / 4.5, 12)
    expect(p[0] + p[1] + p[2]).toBeCloseTo(1, 12)
    expect(priorIntercepts(targets)[2]).toBeCloseTo(Math.log(0.5 / 4.5), 5)
  })
})
