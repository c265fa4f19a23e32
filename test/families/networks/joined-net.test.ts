// Networks that join several matrices: offered for the right tasks, and they learn what no matrix shows by itself.
import { afterAll, describe, expect, test } from 'vitest'
import type { TaskProfile } from '../../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { Family } from '../../../src/families/family.ts'
import { imageNet } from '../../../src/families/networks/image-net.ts'
import { joinedNet } from '../../../src/families/networks/joined-net.ts'
import { nauc } from '../../../src/metrics/nauc.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryTask, profileOf, runTrial } from './memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

/** Whether a bar stands or lies, and a code beside it that turns the answer round at one of its three values. */
function turnedRound(count: number): MemoryTask {
  const rng = Rng.fromSeed(5)
  return {
    kind: 'image',
    classCount: 2,
    bytes: true,
    varies: false,
    vocabulary: [],
    beside: [{ kind: 'table', bytes: false, varies: false }],
    examples: Array.from({ length: count }, () => {
      const [lies, code] = [rng.below(2), rng.below(3)]
      const at = 2 + rng.below(7)
      const values = Array.from({ length: 144 }, (_, p) => {
        const across = lies === 1 ? Math.floor(p / 12) : p % 12
        return (across === at || across === at + 1 ? 150 : 60) + rng.below(60)
      })
      const turned = code === 2 ? 1 - lies : lies
      return {
        shape: [1, 12, 12, 1],
        values,
        classes: [turned],
        beside: [{ shape: [1, 1, 2, 1], values: [code, rng.normal()] }],
      }
    }),
  }
}

async function best(family: Family, task: MemoryTask, yields: number): Promise<number> {
  const { events, plan, labels } = await runTrial(family, { engine, task, yields, params: { shift: 0 } })
  const { classCount: k } = task
  const truth = Float32Array.from(Array.from(plan.rows, (row) => [...labels.subarray(row * k, (row + 1) * k)]).flat())
  const scores = events.flatMap((event) => (event.type === 'candidate' && event.validation ? [event.validation] : []))
  return Math.max(...scores.map((each) => nauc(truth, each, k)))
}

test('joined-net learns from a picture and a column what neither shows alone', async () => {
  const task = turnedRound(480)
  const { beside: _, ...pictures } = task
  expect(await best(imageNet, pictures, 60)).toBeLessThan(0.45)
  expect(await best(joinedNet, task, 60)).toBeGreaterThan(0.8)
}, 120_000)

describe('joined-net is', () => {
  const picturesAndColumns = profileOf(turnedRound(20))
  const one = { ...picturesAndColumns, matrices: [picturesAndColumns.matrices[0]], kinds: ['image' as const] }
  const columns = picturesAndColumns.matrices[1]
  const tables = { ...picturesAndColumns, kind: 'table' as const, matrices: [columns, columns] }
  const kinds = ['table' as const, 'table' as const]
  const sparse = { ...columns, spec: { ...columns.spec, format: 'SPARSE' as const } }
  const wide = { ...columns, cols: { min: 5000, median: 5000, max: 5000 } }

  test.each<[string, TaskProfile, boolean]>([
    ['offered for a picture beside columns', picturesAndColumns, true],
    ['not offered for one matrix', one, false],
    ['not offered for dense tables side by side, which table-net reads', { ...tables, kinds }, false],
    ['offered for a dense table beside a sparse one', { ...tables, kinds, matrices: [columns, sparse] }, true],
    [
      'not offered where all but one matrix are too wide',
      { ...picturesAndColumns, matrices: [picturesAndColumns.matrices[0], wide] },
      false,
    ],
  ])('%s', (_, profile, offered) => {
    expect(joinedNet.portfolio(profile) !== null).toBe(offered)
  })
})
