// Chooses and feeds the picture network: size from the time a cycle has, policy from the data.
import { muon } from '../../graph/optimizers/muon.ts'
import type { Link } from '../common/label-statistics.ts'
import type { Pictures } from '../common/pictures.ts'
import type { FrontEnd, TrialContext } from '../family.ts'
import type { ClassifierDefinition } from './classifier.ts'
import type { BatchMaker, LearnerPlan, NetworkLearner } from './learner.ts'
import { type PictureNetwork, type PictureShape, pictureForward, pictureMacs, stagesFor } from './picture-network.ts'
import { interceptsOf } from './train-network.ts'
import { stepTimer, type TrainingWork, trainingMs } from './training-time.ts'
import { batchFor } from './vector-batches.ts'
import { whiteningOf } from './whitening.ts'

/** Passes over the training rows that a cycle should make; a network too large for that learns less than a smaller one. */
const PASSES = 12
/** Steps that it should make at least: twelve passes over fifty clips are a few dozen. */
const LEAST_STEPS = 120

/**
 * Passes that a detailed network needs before it is ahead. On 32x32 photographs, 9000 to learn from and 1000 held out, one training
 * each: at full resolution 13 passes (24e6 multiply-adds, 283 s of one thread) .802 accurate, NAUC .954, as after 10.5; behind the halved layer
 * 44 passes (6e6, 258 s) .785, .948 and 14 passes (19e6, 225 s) .779, .949.
 */
const DETAILED_PASSES = 10
/** Steps that it needs besides, however few the rows: it starts from nothing. */
const DETAILED_STEPS = 700
/** Rows below which it is not known to be better. */
const DETAILED_ROWS = 2000

export interface PictureLearnerOptions {
  rate: number
  weightDecay: number
  dropout: number
  labelSmoothing: number
  /** Factor on the chosen width. */
  widthFactor: number
  mirrorViews: boolean
  /** A computed first layer instead of a learned one. */
  whiten: boolean
  /** What stands on the stages. @default means and maxima under a linear head */
  top?: PictureTop
}

export interface PictureTop {
  /** Two tops of one signature have interchangeable weights. */
  signature: string
  forward(network: PictureNetwork, intercepts: Float32Array): ClassifierDefinition['forward']
  /** Multiply-adds on top of the stages. */
  macs(network: PictureNetwork): number
}

const PLAIN_TOP: PictureTop = { signature: '', forward: pictureForward, macs: () => 0 }

/**
 * @param pictures outputs of `front` for all training rows
 * @param batchesFor makes the batches; told the mean of each channel as bytes, which is what blanked parts take
 */
export function pictureLearnerPlan(
  trial: TrialContext,
  link: Link,
  front: FrontEnd,
  pictures: Pictures,
  batchesFor: (blank: Uint8Array) => BatchMaker,
  options: PictureLearnerOptions,
): LearnerPlan {
  const { classCount } = trial.profile
  const { top = PLAIN_TOP } = options
  const macsOf = (network: PictureNetwork) => pictureMacs(network) + top.macs(network)
  const count = trial.plan.folds[0].train.length
  const { mean, deviation, blank } = channelStatistics(pictures)
  const shape: PictureShape = { channels: pictures.channels, height: pictures.height, width: pictures.width }
  const whitening = options.whiten ? whiteningOf(pictures, 12, trial.rng.split('whitening')) : null
  const inner = whitening ? { height: Math.floor(shape.height / 2), width: Math.floor(shape.width / 2) } : shape
  const base: PictureNetwork = {
    shape,
    ...stagesFor(inner),
    width: whitening ? 32 : 16,
    maxWidth: 512,
    residual: false,
    dropout: options.dropout,
    whitening,
    mean,
    deviation,
  }
  const batch = batchFor(count)
  const passes = Math.max(PASSES, (LEAST_STEPS * batch) / count)
  const timer = stepTimer(trial, batchesFor(blank))
  const intercepts = interceptsOf(trial, link)
  const sizes = sizesOf(base, options.widthFactor)
  const detailed = detailedNetwork()
  let current: PictureNetwork | null = null
  return {
    firstCycleMs: firstCycleMs(trial, { passes: 1, count, batch, macs: macsOf(base) }),
    async learnerFor(_cycle, cycleMs, before) {
      const known = detailed === null ? sizes : [...sizes, detailed]
      current ??= known.find((network) => signatureOf(network) === before) ?? null
      const fitting = sizes.filter((network) => {
        return trainingMs(trial, { passes, count, batch, macs: macsOf(network) }) <= cycleMs
      })
      const wanted = detailedFor(cycleMs) ?? fitting.at(-1) ?? base
      // A new network starts from nothing: worth it only when it is a good deal larger.
      if (current === null || (!current.detailed && macsOf(wanted) > 2.2 * macsOf(current))) current = wanted
      return learner(current)
    },
    startsAnew: (cycleMs) => current !== null && !current.detailed && detailedFor(cycleMs) !== null,
  }

  /** At full resolution. Small pictures lose by being halved at once; larger ones have the pixels. */
  function detailedNetwork(): PictureNetwork | null {
    const { stride, stages } = stagesFor(shape)
    if (!whitening || stride > 1 || stages === base.stages || count < DETAILED_ROWS) return null
    const width = widened(base.width, options.widthFactor)
    return { ...base, width, maxWidth: 4 * width, stages, stride, residual: true, detailed: true }
  }

  /** Where a cycle has the time for it. */
  function detailedFor(cycleMs: number): PictureNetwork | null {
    if (detailed === null) return null
    const enough = Math.max(DETAILED_PASSES, (DETAILED_STEPS * batch) / count)
    const stepMs = timer.stepMs()
    const ms =
      stepMs === null || current === null
        ? trainingMs(trial, { passes: enough, count, batch, macs: macsOf(detailed) })
        : ((enough * count) / batch) * stepMs * (macsOf(detailed) / macsOf(current))
    return ms <= cycleMs ? detailed : null
  }

  function signatureOf({ width, stages, stride, residual }: PictureNetwork): string {
    return `picture ${width} ${stages} ${stride} ${residual}${top.signature}`
  }

  function learner(network: PictureNetwork): NetworkLearner {
    return {
      signature: signatureOf(network),
      front,
      definition: {
        inputShape: [shape.channels, shape.height, shape.width],
        inputType: 'uint8',
        classCount,
        link,
        forward: top.forward(network, intercepts),
      },
      batch,
      optimizer: muon({ beta2: 0.99 }),
      rate: options.rate,
      weightDecay: options.weightDecay,
      labelSmoothing: options.labelSmoothing,
      batches: timer.batches,
      macs: macsOf(network),
      views: options.mirrorViews ? ['mirror'] : [],
    }
  }
}

/** About three passes with the smallest network, within 2.5 and 8 s; in all folds together, up to the square root of their number longer. */
function firstCycleMs(trial: TrialContext, pass: TrainingWork): number {
  const longer = Math.sqrt(trial.plan.folds.length)
  return longer * Math.max(2500, Math.min(8000, 3 * longer * trainingMs(trial, pass)))
}

/** From narrow to wide, in steps of 8; a residual pair from 1.5 times the first width on. */
function sizesOf(base: PictureNetwork, factor: number): PictureNetwork[] {
  const sizes: PictureNetwork[] = []
  for (let width = base.width; width <= 96; width += 8) {
    sizes.push({ ...base, width: widened(width, factor), residual: width >= 1.5 * base.width })
  }
  return sizes
}

/** In steps of 8. */
function widened(width: number, factor: number): number {
  return Math.max(8, Math.round((width * factor) / 8) * 8)
}

/** Means and deviations per channel in [0, 1], and the mean as a byte. From at most 4000 pictures. */
export function channelStatistics({ data, channels, height, width }: Pictures) {
  const plane = height * width
  const planes = Math.min(data.length / plane, 4000 * channels)
  const sums = new Float64Array(channels)
  const squares = new Float64Array(channels)
  for (let p = 0; p < planes; p++) {
    let sum = 0
    let square = 0
    for (let i = p * plane; i < (p + 1) * plane; i++) {
      sum += data[i]
      square += data[i] * data[i]
    }
    sums[p % channels] += sum
    squares[p % channels] += square
  }
  const size = (planes / channels) * plane
  const mean = Array.from(sums, (sum) => sum / size / 255)
  const deviation = mean.map((m, c) => Math.sqrt(Math.max(0, squares[c] / size / 65025 - m * m)))
  return { mean, deviation, blank: Uint8Array.from(mean, (m) => Math.round(255 * m)) }
}
