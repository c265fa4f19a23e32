// How long training takes, as far as it can be known beforehand: for lengths of cycles and sizes of networks.
//   on the processor: multiply-adds over what a thread does;
//   elsewhere: by the step that the probe timed on that device, in proportion to the step's work. A step smaller than the yardstick's
//   counts like it, since starting the operators takes its time however little they do.
//   once training has begun on the processor: by its own steps, which also tell what else the machine has to do.
// Counted runs suppose the processor: what they choose must not hang on a measurement.
import { YARDSTICK } from '../../engine/devices/yardstick.ts'
import type { TrialContext } from '../family.ts'
import type { BatchMaker } from './learner.ts'

/** Multiply-adds per millisecond of training, forward and backward together, on one thread. */
const MACS_PER_MS = 8e6

export interface TrainingWork {
  /** Passes over `count` examples. */
  passes: number
  count: number
  batch: number
  /** Multiply-adds of one example's forward pass. */
  macs: number
}

export function trainingMs(
  { engine, pace, yardstickMs }: Pick<TrialContext, 'engine' | 'pace' | 'yardstickMs'>,
  { passes, count, batch, macs }: TrainingWork,
): number {
  const examples = passes * count
  if (pace.kind === 'steps' || yardstickMs == null) return (3 * examples * macs) / (MACS_PER_MS * engine.threads)
  const stepMs = yardstickMs * Math.max(1, (batch * macs) / (YARDSTICK.batch * YARDSTICK.macs))
  return (examples / batch) * stepMs
}

/** Steps that are looked back on: enough for what happens between some of them (judging, other trials) not to count. */
const STEPS_LOOKED_AT = 101
const STEPS_NEEDED = 9

export interface StepTimer {
  /** The same batches, each taken as the beginning of a step. */
  batches: BatchMaker
  /** Median of the latest steps, ms; null where steps are not to be measured, or too few were taken. */
  stepMs(): number | null
}

/** Times the steps of the network in training, on the processor and under the clock only. */
export function stepTimer(
  { pace, yardstickMs }: Pick<TrialContext, 'pace' | 'yardstickMs'>,
  batches: BatchMaker,
): StepTimer {
  if (pace.kind !== 'clock' || yardstickMs != null) return { batches, stepMs: () => null }
  const begun: number[] = []
  return {
    batches: {
      fill(rows, x, targets, rng, done) {
        begun.push(pace.elapsedMs())
        if (begun.length > STEPS_LOOKED_AT) begun.shift()
        batches.fill(rows, x, targets, rng, done)
      },
    },
    stepMs() {
      if (begun.length <= STEPS_NEEDED) return null
      const took = begun.slice(1).map((at, i) => at - begun[i])
      return took.sort((a, b) => a - b)[took.length >> 1]
    },
  }
}
