// Class weights against their definition, and what they do to fits: rare classes get more of the score.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { balancedWeights, classWeightsOf } from '../../../src/families/common/balance.ts'
import { targetsOf } from '../../../src/families/common/label-statistics.ts'
import type { Family } from '../../../src/families/family.ts'
import { linearFamilies } from '../../../src/families/linear/index.ts'
import { networkFamilies } from '../../../src/families/networks/index.ts'
import { treeFamilies } from '../../../src/families/trees/index.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryTask, profileOf, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

describe('balanced weights', () => {
  /** Three rows of class 0, one of class 1, none of class 2. */
  const labels = Float32Array.of(1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0)
  const rows = Int32Array.of(0, 1, 2, 3)

  test('are all one without balance', () => {
    expect([...balancedWeights(labels, 3, rows, 0)]).toEqual([1, 1, 1, 1])
    expect(classWeightsOf('softmax', labels, 3, rows, 0)).toBeNull()
  })

  test('give every class that occurs the same total at full balance, one on average', () => {
    const weights = balancedWeights(labels, 3, rows, 1)
    expect(weights[2]).toBeCloseTo(3 * weights[0], 5)
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(4, 5)
    const ofClasses = classWeightsOf('softmax', labels, 3, rows, 1)!
    expect(ofClasses[1]).toBeCloseTo(3 * ofClasses[0], 5)
    expect(3 * ofClasses[0] + ofClasses[1]).toBeCloseTo(4, 5)
    expect(Number.isFinite(ofClasses[2])).toBe(true)
  })

  test('of a question of its own are of its positives', () => {
    const [common, rare, never] = classWeightsOf('sigmoid', labels, 3, rows, 1)!
    expect([common, rare, never]).toEqual([Math.fround(2 / 3), 4, 1])
  })

  test('go half of the way in the exponent', () => {
    const weights = balancedWeights(labels, 3, rows, 0.5)
    expect(weights[2] / weights[0]).toBeCloseTo(Math.sqrt(3), 5)
  })

  test('leave rows without a label at nothing under softmax', () => {
    const targets = targetsOf('softmax', Float32Array.of(1, 0, 0, 0, 0, 1, 1, 0), 2, rows, 1)
    expect(targets.weights[1]).toBe(0)
    expect(targets.weights[2]).toBeGreaterThan(targets.weights[0])
  })
})

describe('a family that balances', () => {
  /** One example in seven is of class 1, and the columns tell little. */
  const rng = Rng.fromSeed(3)
  const data: MemoryTask = {
    kind: 'table',
    classCount: 2,
    bytes: false,
    varies: false,
    vocabulary: [],
    examples: Array.from({ length: 420 }, (_, i) => {
      const rare = i % 7 === 0
      const values = Array.from({ length: 4 }, () => rng.normal() + (rare ? 0.7 : 0))
      return { shape: [1, 1, 4, 1], values, classes: [rare ? 1 : 0] }
    }),
  }
  const families = [...linearFamilies, ...networkFamilies, ...treeFamilies].filter(
    (family) => family.portfolio(profileOf(data)) !== null && 'balance' in family.space(profileOf(data)),
  )

  async function rareShare(family: Family, balance: number): Promise<number> {
    const { events } = await runTrial(family, { engine, task: data, yields: 120, params: { balance } })
    const judged = events.filter((event) => event.type === 'candidate' && event.validation !== null)
    const last = judged.at(-1)! as { validation: Float32Array }
    return last.validation.reduce((sum, score, i) => sum + (i % 2 === 1 ? score : 0), 0)
  }

  // The kernel's scale is chosen by how often classes occur, so its shares need not grow: its weights have a test of their own.
  test.each(families.filter(({ name }) => name !== 'kernel'))('$name gives the rare class more', async (family) => {
    expect(await rareShare(family, 1)).toBeGreaterThan(1.1 * (await rareShare(family, 0)))
  })

  test('is every kind of learner that minimises a loss on tables', () => {
    const names = families.map(({ name }) => name)
    for (const name of ['linear', 'kernel', 'boosting', 'forest', 'table-net']) expect(names).toContain(name)
  })
})
