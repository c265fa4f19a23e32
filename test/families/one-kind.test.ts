// Matrices of several kinds: each kind's families see their own matrices, wherever those stand in an example.
import { afterAll, expect, test } from 'vitest'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import type { Family } from '../../src/families/family.ts'
import { loadFamilies } from '../../src/families/registry.ts'
import { nauc } from '../../src/metrics/nauc.ts'
import { Rng } from '../../src/support/rng.ts'
import { type MemoryTask, profileOf, runExported, runTrial } from './networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

/** Two columns before a picture; both hint at the class. */
function columnsBeforePicture(count: number): MemoryTask {
  const rng = Rng.fromSeed(8)
  return {
    kind: 'table',
    classCount: 3,
    bytes: false,
    varies: false,
    vocabulary: [],
    beside: [{ kind: 'image', bytes: true, varies: false }],
    examples: Array.from({ length: count }, () => {
      const k = rng.below(3)
      const values = Array.from(
        { length: 144 },
        (_, p) => (Math.floor(p / 12) === 2 + 3 * k ? 160 : 60) + rng.below(60),
      )
      return {
        shape: [1, 1, 2, 1],
        values: [k + rng.normal() / 2, rng.normal()],
        classes: [k],
        beside: [{ shape: [1, 12, 12, 1], values }],
      }
    }),
  }
}

/** As the reader decides: the first matrix that is more than a table. */
const profileFor = (task: MemoryTask) => ({ ...profileOf(task), kind: 'image' as const })

async function families(task: MemoryTask): Promise<Map<string, Family>> {
  return new Map((await loadFamilies(profileFor(task))).map((family) => [family.name, family]))
}

test('every kind has its families, and the task of one kind those of before', async () => {
  const mixed = columnsBeforePicture(240)
  const names = [...(await families(mixed)).keys()]
  expect(names).toEqual(expect.arrayContaining(['linear', 'image-net', 'linear@table', 'boosting@table', 'joined-net']))
  expect(names.filter((name) => name.startsWith('joined-net'))).toEqual(['joined-net'])
  const { beside: _, ...alone } = mixed
  const plain = (await loadFamilies(profileOf(alone))).map(({ name }) => name)
  expect(plain.some((name) => name.includes('@') || name === 'joined-net')).toBe(false)
})

test.each(['linear', 'image-net', 'linear@table', 'boosting@table', 'forest@table'])(
  '%s learns from its own matrix, and its exported graph finds it',
  async (name) => {
    const task = columnsBeforePicture(240)
    const family = (await families(task)).get(name)!
    const { events, plan, labels } = await runTrial(family, {
      engine,
      task,
      yields: name === 'image-net' ? 60 : 3000,
      folds: 2,
    })
    const last = events.flatMap((event) => (event.type === 'candidate' && event.validation ? [event] : [])).at(-1)!
    const truth = Float32Array.from(Array.from(plan.rows, (row) => [...labels.subarray(3 * row, 3 * row + 3)]).flat())
    expect(nauc(truth, last.validation!, 3)).toBeGreaterThan(0.6)
    const scores = await runExported(engine, task, last.model, plan.rows)
    expect(nauc(truth, scores, 3)).toBeGreaterThan(0.6)
  },
  60_000,
)

test('an interrupted trial goes on', async () => {
  const task = columnsBeforePicture(240)
  const family = (await families(task)).get('boosting@table')!
  const whole = await runTrial(family, { engine, task, yields: 1e4 })
  const { state } = await runTrial(family, { engine, task, yields: 2 })
  const resumed = await runTrial(family, { engine, task, yields: 1e4, resumed: state })
  const final = ({ events }: typeof whole) => events.flatMap((e) => (e.type === 'candidate' ? [e] : [])).at(-1)!
  const rows = Int32Array.from(task.examples.keys())
  const [a, b] = [
    await runExported(engine, task, final(whole).model, rows),
    await runExported(engine, task, final(resumed).model, rows),
  ]
  for (let i = 0; i < a.length; i++) expect(b[i]).toBeCloseTo(a[i], 4)
})
