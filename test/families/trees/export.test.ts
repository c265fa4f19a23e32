import { afterAll, describe, expect, it } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { createBooster } from '../../../src/families/trees/booster.ts'
import { boosterOptions, boostingPortfolio } from '../../../src/families/trees/boosting-space.ts'
import { denseCodes } from '../../../src/families/trees/codes.ts'
import { treeEnsemble } from '../../../src/families/trees/tree-ensemble.ts'
import { MISSING_LEFT, TreeStore } from '../../../src/families/trees/tree-store.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import { Rng } from '../../../src/support/rng.ts'
import { oneHot, rowsOf, testTrial, worstDifference } from './helpers.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

async function run(
  store: TreeStore,
  codes: ReturnType<typeof denseCodes>,
  x: Float32Array,
  targets: number,
  base?: Float32Array,
) {
  const features = codes.bins.length
  const g = new GraphBuilder()
  const input = g.input('x', 'float32', ['n', features])
  g.output('y', treeEnsemble(g, input, store, codes.bins, { targets, ...(base ? { base } : {}) }))
  const executable = await engine.compile(g.build())
  const { y } = await executable.run({ x: { type: 'float32', shape: [x.length / features, features], data: x } })
  return y.data as Float32Array
}

/** Boosted on `train` rows, so that the others hold values that training never met. */
function boosted(
  values: Float32Array,
  features: number,
  labels: Float32Array,
  classes: number,
  categories: 'order' | 'sets',
) {
  const n = values.length / features
  const codes = denseCodes(values, n, features, { categorical: categories === 'sets' })
  const trial = testTrial({ matrices: [{ values, features }], labels, classes }, {}, engine).context
  const params = { ...boostingPortfolio(trial.profile, 0)[0].params, categories, minRows: 3 }
  const booster = createBooster({
    codes,
    labels,
    classes,
    link: 'softmax',
    train: rowsOf(n),
    watched: new Int32Array(0),
    options: { ...boosterOptions(params, { classes } as never, n), categoryL2: 0, categorySmoothing: 1 },
    rng: Rng.fromSeed(4),
    store: null,
  })
  while (booster.rounds < 12) for (const _ of booster.step());
  return { booster, codes }
}

describe('exported trees', () => {
  it.each([
    ['thresholds', 'order', 2],
    ['thresholds, a shared tree for many classes', 'order', 9],
    ['sets of categories', 'sets', 3],
    ['sets of categories, a shared tree for many classes', 'sets', 9],
  ] as const)('score as their codes do, missing values included: %s', async (_title, categories, classes) => {
    const rng = Rng.fromSeed(8)
    const n = 600
    const features = 5
    const values = Float32Array.from({ length: n * features }, (_, at) =>
      rng.uniform() < 0.1 ? Number.NaN : at % features < 3 ? rng.below(12) : rng.normal(),
    )
    const classOf = Int32Array.from({ length: n }, (_, i) => (rng.below(3) + (values[i * features] || 0)) % classes)
    const { booster, codes } = boosted(values, features, oneHot(classOf, classes), classes, categories)
    const { margins, start } = booster.objective
    const y = await run(booster.store, codes, values, margins, start)
    expect(booster.store.setCount > 0).toBe(categories === 'sets')
    expect(worstDifference(y, booster.margins)).toBeLessThan(1e-5)
  })

  it('treat unknown categories, infinities and values between cuts as the codes do', async () => {
    const rng = Rng.fromSeed(9)
    const n = 300
    const values = Float32Array.from({ length: n * 2 }, (_, at) => (at % 2 === 0 ? 2 * rng.below(6) : rng.normal()))
    const classOf = Int32Array.from({ length: n }, (_, i) => (values[i * 2] % 4 === 0 ? 1 : 0))
    const { booster, codes } = boosted(values, 2, oneHot(classOf, 2), 2, 'sets')
    const strange = Float32Array.of(
      3,
      0,
      99,
      1,
      -1,
      Number.NaN,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      4,
      Number.POSITIVE_INFINITY,
    )
    const { codeOf } = await import('../../../src/families/trees/bins.ts')
    const columns = new Uint8Array(10)
    for (let i = 0; i < 5; i++)
      for (let f = 0; f < 2; f++) columns[f * 5 + i] = codeOf(codes.bins[f], strange[i * 2 + f])
    const expected = new Float32Array(5)
    booster.store.addScores({ layout: 'dense', rows: 5, bins: codes.bins, columns }, rowsOf(5), expected, 1)
    expect(worstDifference(await run(booster.store, codes, strange, 1), expected)).toBeLessThan(1e-5)
  })

  it('split missing from present values with nothing else', async () => {
    const codes = denseCodes(Float32Array.of(1, 2, Number.NaN), 3, 1)
    const store = new TreeStore()
    const [root, left, right] = [store.addNode(), store.addNode(), store.addNode()]
    store.roots.push(root)
    store.feature[root] = 0
    store.rule[root] = 2
    store.left[root] = left
    store.right[root] = right
    store.openLeaf(left)
    store.addEntry(left, 0, 1)
    store.openLeaf(right)
    store.addEntry(right, 0, 5)
    const x = Float32Array.of(-9, 1e30, Number.NaN)
    expect([...(await run(store, codes, x, 1))]).toEqual([1, 1, 5])
    store.flags[root] = MISSING_LEFT
    expect([...(await run(store, codes, x, 1))]).toEqual([1, 1, 1])
  })

  it('are a constant when there are no trees', async () => {
    const codes = denseCodes(Float32Array.of(1, 2), 2, 1)
    expect([...(await run(new TreeStore(), codes, Float32Array.of(0, Number.NaN), 2, Float32Array.of(3, -4)))]).toEqual(
      [3, -4, 3, -4],
    )
  })
})
