// The time that training is supposed to take, and what is chosen by it: on the processor, on a device that a probe timed, and in
// counted runs, which must not depend on a measurement.
import { describe, expect, it } from 'vitest'
import { YARDSTICK, yardstickTask } from '../../../src/engine/devices/yardstick.ts'
import type { FrontEnd, Pace, TrialContext } from '../../../src/families/family.ts'
import type { LearnerPlan } from '../../../src/families/networks/learner.ts'
import { pictureLearnerPlan } from '../../../src/families/networks/picture-learner.ts'
import { stepTimer, trainingMs } from '../../../src/families/networks/training-time.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import { Network } from '../../../src/graph/layers/network.ts'
import { Rng } from '../../../src/support/rng.ts'

const CLOCK: Pace = { kind: 'clock', remainingMs: () => 1e6, elapsedMs: () => 0 }
const COUNTED: Pace = { kind: 'steps', remainingSteps: () => 1000 }
const COUNT = 6400
const SIDE = 28

/** As much of a trial as sizes are chosen by: two threads, rows of two classes. */
function trialOf(yardstickMs: number | null, pace: Pace = CLOCK, count = COUNT): TrialContext {
  const rows = Int32Array.from({ length: count }, (_, i) => i)
  return {
    profile: { classCount: 2 },
    plan: { kind: 'holdout', folds: [{ train: rows, validation: rows.subarray(0, 10) }], rows: rows.subarray(0, 10) },
    labels: Float32Array.from({ length: 2 * count }, (_, i) => i & 1),
    engine: { threads: 2 },
    rng: Rng.fromSeed(1),
    pace,
    yardstickMs,
  } as unknown as TrialContext
}

describe('the time of training', () => {
  const work = { passes: 10, count: COUNT, batch: YARDSTICK.batch, macs: YARDSTICK.macs }

  it('is that of the steps which the probe timed', () => {
    expect(trainingMs(trialOf(5), work)).toBeCloseTo(5 * 1000, 6)
    expect(trainingMs(trialOf(5), { ...work, macs: 3 * work.macs })).toBeCloseTo(15 * 1000, 6)
    expect(trainingMs(trialOf(5), { ...work, batch: 2 * work.batch })).toBeCloseTo(5 * 1000, 6)
  })

  it('is no shorter for steps that do less, since starting operators takes its time', () => {
    expect(trainingMs(trialOf(5), { ...work, macs: 1000 })).toBeCloseTo(5 * 1000, 6)
    expect(trainingMs(trialOf(5), { ...work, batch: 16 })).toBeCloseTo(4 * 5 * 1000, 6)
  })

  it('follows the threads where nothing was timed, and always in counted runs', () => {
    const onProcessor = trainingMs(trialOf(null), work)
    expect(onProcessor).toBeGreaterThan(0)
    expect(trainingMs({ ...trialOf(null), engine: { threads: 4 } as TrialContext['engine'] }, work)).toBe(
      onProcessor / 2,
    )
    expect(trainingMs(trialOf(5, COUNTED), work)).toBe(onProcessor)
  })

  it('knows how much the yardstick does', () => {
    const { definition } = yardstickTask()
    const g = new GraphBuilder()
    const net = new Network(g, 'infer', ({ name, shape }) => g.input(name, 'float32', shape))
    const size = (shape: readonly (number | string)[]) => shape.reduce<number>((a, b) => a * Number(b), 1)
    definition.forward(net, { x: g.input('x', 'float32', [1, ...definition.inputs.x.shape]) })
    let macs = 0
    for (const { node, inputs, outputs } of g.producers()) {
      // One for each element of the output and each element of a filter, or of a column.
      if (node.op === 'Conv') macs += size(outputs[0].shape) * size(inputs[1]!.shape.slice(1))
      if (node.op === 'MatMul' || node.op === 'Gemm') macs += size(inputs[1]!.shape)
    }
    expect(macs).toBe(YARDSTICK.macs)
  })
})

describe('the steps that were taken', () => {
  it('tell their median, whatever came between some of them', () => {
    let now = 0
    const pace: Pace = { kind: 'clock', remainingMs: () => 1e6, elapsedMs: () => now }
    const timer = stepTimer({ pace, yardstickMs: null }, { fill: () => {} })
    const take = (ms: number) => {
      timer.batches.fill(new Int32Array(1), new Uint8Array(1), new Float32Array(1), Rng.fromSeed(1), 0)
      now += ms
    }
    expect(timer.stepMs()).toBeNull()
    for (let i = 0; i < 40; i++) take(i % 10 === 0 ? 500 : 20)
    expect(timer.stepMs()).toBe(20)
    for (let i = 0; i < 200; i++) take(35)
    expect(timer.stepMs()).toBe(35)
  })

  it('are not looked at where nothing may hang on them', () => {
    for (const trial of [
      { pace: COUNTED, yardstickMs: null },
      { pace: CLOCK, yardstickMs: 5 },
    ]) {
      const timer = stepTimer(trial, { fill: () => {} })
      for (let i = 0; i < 50; i++) {
        timer.batches.fill(new Int32Array(1), new Uint8Array(1), new Float32Array(1), Rng.fromSeed(1), 0)
      }
      expect(timer.stepMs()).toBeNull()
    }
  })
})

const front = { key: 'test', base: null, shape: [1, SIDE, SIDE], store: 'uint8' } as unknown as FrontEnd

describe('the width of a picture network', () => {
  const rng = Rng.fromSeed(2)
  const data = Uint8Array.from({ length: 50 * SIDE * SIDE }, () => rng.below(256))
  const options = { rate: 1e-3, weightDecay: 0, dropout: 0, labelSmoothing: 0, widthFactor: 1 }

  async function widthFor(trial: TrialContext, cycleMs: number): Promise<number> {
    const pictures = { data, channels: 1, height: SIDE, width: SIDE }
    const batches = () => ({ fill: () => {} })
    const plan = pictureLearnerPlan(trial, 'softmax', front, pictures, batches, {
      ...options,
      mirrorViews: false,
      whiten: false,
    })
    return Number(/^picture (\d+)/.exec((await plan.learnerFor(0, cycleMs, null)).signature)![1])
  }

  it('grows with the speed of the device, by what was measured there', async () => {
    const cycleMs = 480_000
    const [fast, slow, unknown] = await Promise.all([1, 2000, null].map((ms) => widthFor(trialOf(ms), cycleMs)))
    expect(fast).toBeGreaterThan(unknown)
    expect(unknown).toBeGreaterThan(slow)
    expect(await widthFor(trialOf(1, COUNTED), cycleMs)).toBe(unknown)
  })
})

describe('the resolution of a picture network', () => {
  let now = 0

  function planOf({ rows = COUNT, side = SIDE }: Record<string, number>): LearnerPlan {
    now = 0
    const pace: Pace = { kind: 'clock', remainingMs: () => 1e6, elapsedMs: () => now }
    const rng = Rng.fromSeed(3)
    const data = Uint8Array.from({ length: 50 * side * side }, () => rng.below(256))
    const trial = trialOf(null, pace, rows)
    const pictures = { data, channels: 1, height: side, width: side }
    return pictureLearnerPlan(trial, 'softmax', front, pictures, () => ({ fill: () => {} }), {
      rate: 1e-3,
      weightDecay: 0,
      dropout: 0,
      labelSmoothing: 0,
      widthFactor: 1,
      mirrorViews: false,
      whiten: true,
    })
  }

  /** Stages and residual of the second cycle's network, after a first whose steps took `stepMs`. */
  async function second(cycleMs: number, { stepMs, ...size }: Record<string, number>) {
    const plan = planOf(size)
    const { batches } = await plan.learnerFor(0, 1000, null)
    for (let i = 0; i < 50; i++) {
      batches.fill(new Int32Array(1), new Uint8Array(1), new Float32Array(1), Rng.fromSeed(1), 0)
      now += stepMs
    }
    return (await plan.learnerFor(1, cycleMs, null)).signature
  }

  it('is whole where the steps so far say that there is time for enough passes', async () => {
    expect(await second(200_000, { stepMs: 20 })).toBe('picture 32 3 1 true')
    expect(await second(200_000, { stepMs: 80 })).not.toContain('picture 32 3')
    expect(await second(20_000, { stepMs: 20 })).not.toContain('picture 32 3')
  })

  it('is halved for large pictures and for few', async () => {
    expect(await second(200_000, { stepMs: 20, side: 64 })).not.toContain('picture 32 4')
    expect(await second(200_000, { stepMs: 20, rows: 500 })).not.toContain('picture 32 3')
  })

  it('stays what it was when a later session goes on, unless there is time for much more', async () => {
    const { signature } = await planOf({}).learnerFor(3, 1000, 'picture 32 3 1 true')
    expect(signature).toBe('picture 32 3 1 true')
    expect((await planOf({}).learnerFor(3, 1000, 'picture 24 2 2 true')).signature).not.toContain('picture 32 3')
  })
})
