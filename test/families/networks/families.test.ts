// Every network family on a small task of its kind: it learns, its exported graph gives the judged scores, the counted pace repeats
// itself bit for bit, an interrupted trial goes on, several labels and a class without examples are no obstacle.
import { afterAll, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { Family, FrontEnd, HyperParams, TrialEvent } from '../../../src/families/family.ts'
import { audioNet } from '../../../src/families/networks/audio-net.ts'
import { imageNet } from '../../../src/families/networks/image-net.ts'
import { joinedNet } from '../../../src/families/networks/joined-net.ts'
import { head } from '../../../src/families/networks/layers.ts'
import { seriesNet } from '../../../src/families/networks/series-net.ts'
import { tableNet } from '../../../src/families/networks/table-net.ts'
import { textBag } from '../../../src/families/networks/text-bag.ts'
import { textCnn } from '../../../src/families/networks/text-cnn.ts'
import { interceptsOf, trainNetwork } from '../../../src/families/networks/train-network.ts'
import { videoNet } from '../../../src/families/networks/video-net.ts'
import { reshape, where } from '../../../src/graph/functions.ts'
import { adamW } from '../../../src/graph/optimizers/adamw.ts'
import { nauc } from '../../../src/metrics/nauc.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryExample, type MemoryTask, profileOf, runExported, runTrial, type TrialRun } from './memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const COUNT = 240

function examples(
  make: (rng: Rng, k: number) => Omit<MemoryExample, 'classes'>,
  classes: (k: number) => number[],
): MemoryExample[] {
  const rng = Rng.fromSeed(11)
  return Array.from({ length: COUNT }, () => {
    const k = rng.below(3)
    return { ...make(rng, k), classes: classes(k) }
  })
}

/** A square in one of three corners. */
function picture(rng: Rng, k: number, side: number, at = 0): number[] {
  const [top, left] = [
    [1, 1],
    [side - 5, 1],
    [side - 5, side - 5],
  ][k]
  return Array.from({ length: side * side }, (_, p) => {
    const [y, x] = [Math.floor(p / side) - top, (p % side) - left - at]
    return (y >= 0 && y < 4 && x >= 0 && x < 4 ? 150 : 60) + rng.below(60)
  })
}

const ONE = (k: number) => [k]
const VOCABULARY = Array.from({ length: 30 }, (_, i) => `word${i}`)

const TASKS: Record<
  string,
  { family: Family; yields: number; params: HyperParams; make: (classes: (k: number) => number[]) => MemoryTask }
> = {
  image: {
    family: imageNet,
    yields: 60,
    params: { shift: 0.05 },
    make: (classes) => ({
      kind: 'image',
      classCount: 4,
      bytes: true,
      varies: false,
      vocabulary: [],
      examples: examples((rng, k) => ({ shape: [1, 16, 16, 1], values: picture(rng, k, 16) }), classes),
    }),
  },
  video: {
    family: videoNet,
    yields: 70,
    params: { shift: 0.05, frames: 4 },
    make: (classes) => ({
      kind: 'video',
      classCount: 4,
      bytes: true,
      varies: true,
      vocabulary: [],
      examples: examples((rng, k) => {
        const steps = 4 + rng.below(3)
        const frames = Array.from({ length: steps }, (_, t) => picture(rng, k, 16, t % 2))
        return { shape: [steps, 16, 16, 1], values: frames.flat() }
      }, classes),
    }),
  },
  audio: {
    family: audioNet,
    yields: 60,
    params: {},
    make: (classes) => ({
      kind: 'audio',
      classCount: 4,
      bytes: false,
      varies: true,
      vocabulary: [],
      examples: examples((rng, k) => {
        const steps = 900 + rng.below(300)
        const pitch = 0.15 + 0.5 * k + 0.05 * rng.uniform()
        return {
          shape: [steps, 1, 1, 1],
          values: Array.from({ length: steps }, (_, t) => Math.sin(pitch * t) + 0.3 * rng.normal()),
        }
      }, classes),
    }),
  },
  series: {
    family: seriesNet,
    yields: 60,
    params: { filters: 8 },
    make: (classes) => ({
      kind: 'series',
      classCount: 4,
      bytes: false,
      varies: true,
      vocabulary: [],
      examples: examples((rng, k) => {
        const steps = 28 + rng.below(8)
        const values = Array.from({ length: steps }, (_, t) => [
          Math.sin(t * (0.3 + 0.4 * k)) + 0.2 * rng.normal(),
          rng.normal(),
        ])
        return { shape: [steps, 1, 2, 1], values: values.flat() }
      }, classes),
    }),
  },
  'text of tokens': {
    family: textCnn,
    yields: 80,
    params: { dims: 32, filters: 48 },
    make: (classes) => textTask(classes),
  },
  'text as a bag': {
    family: textBag,
    yields: 400,
    params: { dims: 16, epochs: 12 },
    make: (classes) => textTask(classes),
  },
  table: {
    family: tableNet,
    yields: 60,
    params: { units: 64 },
    make: (classes) => ({
      kind: 'table',
      classCount: 4,
      bytes: false,
      varies: false,
      vocabulary: [],
      examples: examples((rng, k) => {
        const values = Array.from({ length: 6 }, (_, j) => rng.normal() + (j < 2 ? 3 * ((k >> j) & 1) : 0))
        if (rng.uniform() < 0.2) values[5] = Number.NaN
        return { shape: [1, 1, 6, 1], values }
      }, classes),
    }),
  },
  'a picture beside columns': {
    family: joinedNet,
    yields: 60,
    params: { shift: 0 },
    make: (classes) => ({
      kind: 'image',
      classCount: 4,
      bytes: true,
      varies: false,
      vocabulary: [],
      beside: [{ kind: 'table', bytes: false, varies: false }],
      examples: examples((rng, k) => {
        const values = [k === 2 ? 1 : 0, rng.normal(), rng.uniform() < 0.2 ? Number.NaN : rng.normal()]
        return {
          shape: [1, 16, 16, 1],
          values: picture(rng, Math.min(k, 1), 16),
          beside: [{ shape: [1, 1, 3, 1], values }],
        }
      }, classes),
    }),
  },
  'series beside tokens': {
    family: joinedNet,
    yields: 60,
    params: {},
    make: (classes) => ({
      kind: 'series',
      classCount: 4,
      bytes: false,
      varies: true,
      vocabulary: VOCABULARY,
      beside: [{ kind: 'text', bytes: false, varies: true }],
      examples: examples((rng, k) => {
        const steps = 28 + rng.below(8)
        const values = Array.from({ length: steps }, (_, t) => Math.sin(t * (k === 0 ? 0.3 : 0.8)) + 0.2 * rng.normal())
        const words = Array.from({ length: 3 + rng.below(4) }, () => 9 + rng.below(4))
        words[rng.below(words.length)] = k === 2 ? 1 : 2
        return {
          shape: [steps, 1, 1, 1],
          values,
          beside: [{ shape: [words.length, 1, 1, 1], values: words }],
        }
      }, classes),
    }),
  },
}
TASKS['audio, recurrent'] = { ...TASKS.audio, params: { recurrent: 32 } }

function textTask(classes: (k: number) => number[]): MemoryTask {
  return {
    kind: 'text',
    classCount: 4,
    bytes: false,
    varies: true,
    vocabulary: VOCABULARY,
    examples: examples((rng, k) => {
      const steps = 3 + rng.below(9)
      const values = Array.from({ length: steps }, () => 9 + rng.below(21))
      values[rng.below(steps)] = 3 * k + rng.below(3)
      return { shape: [steps, 1, 1, 1], values }
    }, classes),
  }
}

type Candidate = Extract<TrialEvent, { type: 'candidate' }>

function lastCandidate({ events }: TrialRun): Candidate {
  const all = events.filter((event): event is Candidate => event.type === 'candidate' && event.validation !== null)
  expect(all.length).toBeGreaterThan(0)
  return all[all.length - 1]
}

function quality(run: TrialRun, scores: Float32Array): number {
  const k = 4
  const labels = new Float32Array(run.plan.rows.length * k)
  run.plan.rows.forEach((row, i) => {
    labels.set(run.labels.subarray(row * k, (row + 1) * k), i * k)
  })
  return nauc(labels, scores, k)
}

const table = Object.entries(TASKS)

test.each(table)(
  '%s: learns, although class 3 has no example, and exports what was judged',
  async (_, { family, yields, params, make }) => {
    const task = make(ONE)
    const run = await runTrial(family, { engine, task, yields, params })
    const candidate = lastCandidate(run)
    expect(quality(run, candidate.validation!)).toBeGreaterThan(0.8)
    // What has seen the validation rows is judged by the scores of what had not: only the latter can be compared.
    const judged = run.events.findLast((e): e is Candidate => e.type === 'candidate' && e.trainedOn === 'train')!
    const exported = await runExported(engine, task, judged.model, run.plan.rows)
    exported.forEach((score, i) => {
      expect(Math.abs(score - judged.validation![i])).toBeLessThan(1e-4)
    })
    for (const score of candidate.validation!) expect(score >= 0 && score <= 1).toBe(true)
  },
  120_000,
)

test.each(table)(
  '%s: several labels at once are questions of their own',
  async (_, { family, yields, params, make }) => {
    const task = make((k) => (k === 0 ? [] : k === 1 ? [1] : [0, 2]))
    expect(profileOf(task).multiLabel).toBe(true)
    const run = await runTrial(family, { engine, task, yields, params })
    expect(quality(run, lastCandidate(run).validation!)).toBeGreaterThan(0.6)
  },
  120_000,
)

test.each(table)(
  '%s: the counted pace gives the same scores twice',
  async (_, { family, yields, params, make }) => {
    const runs = []
    for (let i = 0; i < 2; i++)
      runs.push(await runTrial(family, { engine, task: make(ONE), yields: Math.min(yields, 45), params }))
    expect(runs[1].events.length).toBe(runs[0].events.length)
    const scores = runs.map((run) =>
      run.events.filter((e): e is Candidate => e.type === 'candidate').map((c) => c.validation),
    )
    expect(scores[1]).toEqual(scores[0])
  },
  120_000,
)

test('the last cycle ends on all rows, and what is saved then has not seen the rows that judge', async () => {
  const { family, params, make } = TASKS.table
  const run = await runTrial(family, { engine, task: make(ONE), yields: 120, params })
  const candidates = run.events.filter((e): e is Candidate => e.type === 'candidate')
  const [before, last] = candidates.slice(-2)
  expect([before.trainedOn, last.trainedOn]).toEqual(['train', 'all'])
  expect(last.validation).toEqual(before.validation)
  expect(run.states.at(-1)!.arrays).toEqual(run.states.at(-2)!.arrays)
  const [a, b] = await Promise.all(
    [before, last].map(({ model }) => runExported(engine, make(ONE), model, run.plan.rows)),
  )
  expect(b).not.toEqual(a)
})

test('rows that are not held teach nothing, not even in the end, and all rows that judge are judged', async () => {
  const drawn = new Set<number>()
  const front: FrontEnd = {
    key: 'columns',
    base: null,
    shape: [6],
    store: 'float32',
    build: (g, _x, [{ matrix }]) =>
      where(g, g.op('IsNaN', [reshape(g, matrix, [-1, 6])]), 0, reshape(g, matrix, [-1, 6])),
  }
  const family: Family = {
    ...tableNet,
    train: (trial) =>
      trainNetwork(trial, 'softmax', {
        held: Int32Array.from({ length: COUNT / 2 }, (_, i) => 2 * i),
        firstCycleMs: 1000,
        learnerFor: async () => ({
          signature: 'one layer',
          front,
          definition: {
            inputShape: front.shape,
            inputType: 'float32',
            classCount: 4,
            link: 'softmax',
            forward: (net, x) => head(net, x, interceptsOf(trial, 'softmax')),
          },
          batch: 32,
          optimizer: adamW(),
          rate: 1e-2,
          weightDecay: 0,
          labelSmoothing: 0,
          batches: {
            fill(rows) {
              for (const row of rows) drawn.add(row)
            },
          },
          macs: 24,
        }),
      }),
  }
  const run = await runTrial(family, { engine, task: TASKS.table.make(ONE), yields: 120 })
  const candidate = lastCandidate(run)
  expect(candidate.trainedOn).toBe('all')
  expect(candidate.validation!.length).toBe(4 * run.plan.rows.length)
  expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT / 2 }, (_, i) => 2 * i))
})

test.each(table.filter(([name]) => name !== 'text as a bag'))(
  '%s: folds judge every row, and a saved state goes on',
  async (_, { family, params, make }) => {
    const task = make(ONE)
    const first = await runTrial(family, { engine, task, yields: 90, folds: 3, params })
    const candidate = lastCandidate(first)
    expect(candidate.validation!.length).toBe(COUNT * 4)
    const saved = structuredClone(first.state)
    const second = await runTrial(family, { engine, task, yields: 90, folds: 3, params, resumed: saved })
    expect(Number(second.state.facts.spentMs)).toBeGreaterThan(Number(saved.facts.spentMs))
    const steps = (state: typeof saved) =>
      (state.facts.trainings as { step: number }[]).reduce((sum, { step }) => sum + step, 0)
    expect(steps(second.state)).toBeGreaterThan(steps(saved))
  },
  120_000,
)
