// Learners made for tests of the search: one that is quick, one that climbs for ever, and some that misbehave. Plugged in with
// --family-modules; bundled for the worker by build-fakes.ts.
import type { Family, Model, TrialContext, TrialEvent } from '../../../src/families/family.ts'
import type { GraphBuilder, Value } from '../../../src/graph/builder.ts'

interface Linear {
  /** [d, K] */
  weights: Float32Array
  bias: Float32Array
  d: number
}

/** softmax(x W + b) on the flattened first matrix. */
function linearModel({ weights, bias, d }: Linear): Model {
  const k = bias.length
  return {
    front: null,
    build(g: GraphBuilder, _x: Value | null, [{ matrix }]) {
      const x = g.op('Reshape', [matrix, g.constant(BigInt64Array.of(0n, BigInt(d)), [2])])
      const logits = g.op('Add', [g.op('MatMul', [x, g.constant(weights, [d, k])]), g.constant(bias, [k])])
      return g.op('Softmax', [logits], { axis: -1 })
    },
  }
}

async function rowsOf(trial: TrialContext, rows: Int32Array): Promise<{ x: Float32Array; d: number }> {
  const batch = await trial.data.raw('train', rows)
  if (batch.layout !== 'dense') throw new Error('dense only')
  return { x: batch.data as Float32Array, d: batch.data.length / rows.length }
}

/** One pass of gradient descent. */
function descend(model: Linear, x: Float32Array, y: Float32Array, rate: number): void {
  const { weights, bias, d } = model
  const k = bias.length
  for (let i = 0; i < y.length / k; i++) {
    const z = Float64Array.from(bias)
    for (let j = 0; j < d; j++) for (let c = 0; c < k; c++) z[c] += x[i * d + j] * weights[j * k + c]
    const top = Math.max(...z)
    const p = z.map((value) => Math.exp(value - top))
    const sum = p.reduce((a, b) => a + b, 0)
    for (let c = 0; c < k; c++) {
      const error = p[c] / sum - y[i * k + c]
      bias[c] -= rate * error
      for (let j = 0; j < d; j++) weights[j * k + c] -= rate * error * x[i * d + j]
    }
  }
}

async function* climb(trial: TrialContext, passes: number, pauseMs: number): AsyncGenerator<TrialEvent, void, void> {
  const { labels, plan, profile } = trial
  const k = profile.classCount
  const pick = (rows: Int32Array) => {
    const y = new Float32Array(rows.length * k)
    rows.forEach((row, i) => {
      y.set(labels.subarray(row * k, (row + 1) * k), i * k)
    })
    return y
  }
  const fresh = (d: number): Linear => ({ weights: new Float32Array(d * k), bias: new Float32Array(k), d })
  if (trial.resumed === null) {
    const { x, d } = await rowsOf(trial, trial.sample)
    const first = fresh(d)
    descend(first, x, pick(trial.sample), 0.01)
    yield { type: 'candidate', validation: null, model: linearModel(first), trainedOn: 'sample' }
  }
  const { train, validation } = plan.folds[0]
  const { x, d } = await rowsOf(trial, train)
  const y = pick(train)
  const model = fresh(d)
  let pass = 0
  if (trial.resumed !== null) {
    pass = trial.resumed.facts.pass as number
    model.weights.set(trial.resumed.arrays.weights)
    model.bias.set(trial.resumed.arrays.bias)
  }
  trial.saveState(() => ({ facts: { pass }, arrays: { weights: model.weights.slice(), bias: model.bias.slice() } }))
  const rate = typeof trial.params.rate === 'number' ? trial.params.rate : 0.002
  for (; pass < passes; ) {
    descend(model, x, y, rate * (0.5 + trial.rng.uniform()))
    pass++
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    yield { type: 'progress', units: pass, of: passes, note: 'passes' }
    const snapshot = linearModel({ weights: model.weights.slice(), bias: model.bias.slice(), d })
    const scores = new Float32Array(plan.rows.length * k)
    scores.set(await trial.data.predict(snapshot, 'train', validation))
    yield { type: 'candidate', validation: scores, model: snapshot, trainedOn: 'train' }
  }
}

function family(name: string, order: number, train: Family['train'], space: ReturnType<Family['space']> = {}): Family {
  return { name, summary: `for tests: ${name}`, portfolio: () => [{ params: {}, order }], space: () => space, train }
}

const rate = {
  rate: { type: 'float', low: 1e-4, high: 0.1, log: true, reason: 'tests need something to tune' },
} as const

export const families: Family[] = [
  family('fake-quick', -10, (trial) => climb(trial, 3, 0), rate),
  family('fake-climb', -1, (trial) => climb(trial, 1_000_000, 20), rate),
  // Before every other: the run's first trial.
  family('fake-silent', -20, async function* () {
    yield { type: 'progress', units: 0, of: null, note: 'about to say nothing more' }
    await new Promise(() => {})
  }),
  family('fake-breaks', -9, async function* (trial) {
    yield* climb(trial, 2, 0)
    throw new Error('this learner fails late')
  }),
  family('fake-stuck', -8, async function* (trial) {
    yield* climb(trial, 2, 0)
    for (;;) Math.sqrt(2)
  }),
  family('fake-throws', -7, async function* () {
    yield { type: 'progress', units: 0, of: null, note: 'about to fail' }
    throw new Error('this learner always fails')
  }),
  family('fake-nan', -6, async function* (trial) {
    const { x, d } = await rowsOf(trial, trial.sample)
    const weights = new Float32Array(d * trial.profile.classCount).fill(Number.NaN)
    const model = linearModel({ weights, bias: new Float32Array(trial.profile.classCount), d })
    const validation = new Float32Array(trial.plan.rows.length * trial.profile.classCount).fill(
      x.length > 0 ? Number.NaN : 0,
    )
    yield { type: 'candidate', validation, model, trainedOn: 'train' }
  }),
  family('fake-dies', -5, async function* () {
    yield { type: 'progress', units: 0, of: null, note: 'about to die' }
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }),
]
