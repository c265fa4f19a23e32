// The time that training is supposed to take, and what is chosen by it: on the processor, on a device that a probe timed, and in
// counted runs, which must not depend on a measurement.
import { describe, expect, it } from 'vitest'
import { YARDSTICK, yardstickTask } from '../../../src/engine/devices/yardstick.ts'
import type { FrontEnd, Pace, TrialContext } from '../../../src/families/family.ts'
import { pictureLearnerPlan } from '../../../src/families/networks/picture-learner.ts'
import { trainingMs } from '../../../src/families/networks/training-time.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import { Network } from '../../../src/graph/layers/network.ts'
import { Rng } from '../../../src/support/rng.ts'

const CLOCK: Pace = { kind: 'clock', remainingMs: () => 1e6, elapsedMs: () => 0 }
const COUNTED: Pace = { kind: 'steps', remainingSteps: () => 1000 }
const COUNT = 6400
const SIDE = 28

/** As much of a trial as sizes are chosen by: two threads, 6400 rows of two classes. */
function trialOf(yardstickMs: number | null, pace: Pace = CLOCK): TrialContext {
  const rows = Int32Array.from({ length: COUNT }, (_, i) => i)
  return {
    profile: { classCount: 2 },
    plan: { kind: 'holdout', folds: [{ train: rows, validation: rows.subarray(0, 10) }], rows: rows.subarray(0, 10) },
    labels: Float32Array.from({ length: 2 * COUNT }, (_, i) => i & 1),
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

describe('the width of a picture network', () => {
  const front = { key: 'test', base: null, shape: [1, SIDE, SIDE], store: 'uint8' } as unknown as FrontEnd
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
    return Number(/^picture (\d+)/.exec((await plan.learnerFor(0, cycleMs)).signature)![1])
  }

  it('grows with the speed of the device, by what was measured there', async () => {
    const cycleMs = 480_000
    const [fast, slow, unknown] = await Promise.all([1, 2000, null].map((ms) => widthFor(trialOf(ms), cycleMs)))
    expect(fast).toBeGreaterThan(unknown)
    expect(unknown).toBeGreaterThan(slow)
    expect(await widthFor(trialOf(1, COUNTED), cycleMs)).toBe(unknown)
  })
})
