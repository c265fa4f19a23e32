// How long training takes, as far as it can be known beforehand: for lengths of cycles and sizes of networks.
//   on the processor: multiply-adds over what a thread does;
//   elsewhere: by the step that the probe timed on that device, in proportion to the step's work. A step smaller than the yardstick's
//   counts like it, since starting the operators takes its time however little they do.
// Counted runs suppose the processor: what they choose must not hang on a measurement.
import { YARDSTICK } from '../../engine/devices/yardstick.ts'
import type { TrialContext } from '../family.ts'

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
