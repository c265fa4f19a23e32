import { describe, expect, it } from 'vitest'
import { nauc } from '../../src/metrics/nauc.ts'
import { naucDifferenceError } from '../../src/metrics/nauc-difference.ts'
import { Rng } from '../../src/support/rng.ts'

const ROWS = 300

/** Labels of `classCount` classes and two models' scores of them, whose noise is partly the same. */
function draw(rng: Rng, classCount: number, common: number) {
  const labels = new Float32Array(ROWS * classCount)
  const [a, b] = [new Float32Array(labels.length), new Float32Array(labels.length)]
  for (let row = 0; row < ROWS; row++) {
    const label = rng.below(classCount + 1) % classCount
    for (let k = 0; k < classCount; k++) {
      const at = row * classCount + k
      labels[at] = k === label ? 1 : 0
      const shared = labels[at] + common * rng.normal()
      a[at] = shared + rng.normal()
      b[at] = shared + rng.normal()
    }
  }
  return { labels, a, b }
}

describe('the standard error of a difference of NAUCs', () => {
  it.each([
    [2, 0],
    [3, 1],
    [3, 5],
  ])('is the spread of the difference over samples: %i classes, common noise %d', (classCount, common) => {
    const rng = Rng.fromSeed(classCount + common)
    const differences: number[] = []
    let stated = 0
    for (let repeat = 0; repeat < 300; repeat++) {
      const { labels, a, b } = draw(rng, classCount, common)
      differences.push(nauc(labels, a, classCount) - nauc(labels, b, classCount))
      stated += naucDifferenceError(labels, a, b, classCount) / 300
    }
    const spread = Math.sqrt(differences.reduce((sum, x) => sum + x * x, 0) / differences.length)
    expect(stated / spread).toBeGreaterThan(0.85)
    expect(stated / spread).toBeLessThan(1.15)
  })

  it('is 0 between equal scores and where nothing can be ranked', () => {
    const { labels, a } = draw(Rng.fromSeed(1), 3, 1)
    expect(naucDifferenceError(labels, a, a, 3)).toBe(0)
    expect(naucDifferenceError(new Float32Array(labels.length), a, a, 3)).toBe(0)
  })
})
