// Videos, by two-dimensional convolutions with temporal shift on a few frames.
import { muon } from '../../graph/optimizers/muon.ts'
import { BALANCE } from '../common/balance.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import type { Pictures } from '../common/pictures.ts'
import { findSymmetry } from '../common/symmetry.ts'
import type { Family, TrialContext } from '../family.ts'
import { framesFront } from '../fronts/frames.ts'
import { heldPictureSize } from '../fronts/picture.ts'
import { pictureBatches } from './augment/pictures.ts'
import { channelStatistics } from './picture-learner.ts'
import { interceptsOf, trainNetwork } from './train-network.ts'
import { type TrainingWork, trainingMs } from './training-time.ts'
import { batchFor } from './vector-batches.ts'
import { type VideoNetwork, videoForward, videoMacs } from './video-network.ts'

export const videoNet: Family = {
  name: 'video-net',
  summary: 'convolutional network with temporal shift on a few frames',
  openEnded: true,
  portfolio(profile) {
    if (profile.kind !== 'video' || profile.matrices.some(({ spec }) => spec.format === 'SPARSE')) return null
    const params = {
      rate: 5e-3,
      weightDecay: 0.03,
      dropout: 0.3,
      shift: 0.1,
      zoom: 0.15,
      rotate: 5,
      side: 32,
      frames: 8,
      base: 16,
      balance: 0,
    }
    return [{ params, order: 40 }]
  },
  space: () => ({
    rate: { type: 'float', low: 1e-3, high: 2e-2, log: true, reason: 'peak of the one-cycle schedule for Muon' },
    weightDecay: { type: 'float', low: 1e-3, high: 0.1, log: true, reason: 'decoupled decay; more for few videos' },
    balance: BALANCE,
    dropout: { type: 'float', low: 0, high: 0.5, reason: 'before the head; helps few videos' },
    shift: { type: 'float', low: 0, high: 0.25, reason: 'the camera may point elsewhere' },
    zoom: { type: 'float', low: 0, high: 0.4, reason: 'the camera may stand nearer' },
    rotate: { type: 'float', low: 0, high: 15, reason: 'degrees; the camera may be tilted' },
    side: { type: 'choice', options: [24, 32, 48, 64], reason: 'detail against speed; caps the longer side' },
    frames: { type: 'choice', options: [4, 8, 12, 16], reason: 'detail in time against speed' },
    base: { type: 'choice', options: [12, 16, 24], reason: 'capacity against speed' },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const [matrix] = profile.matrices
    const frames = Math.max(1, Math.min(Number(params.frames), matrix.steps.max))
    const front = framesFront(
      profile,
      frames,
      heldPictureSize(profile, matrix, Number(params.side), frames * matrix.channels),
    )
    const [, channels, height, width] = front.shape
    const data = (yield* loadFeatures(trial, front)) as Uint8Array
    // One transform for all frames of a video: its frames are channels of one picture.
    const pictures: Pictures = { data, channels: frames * channels, height, width }
    const { blank, mean, deviation } = channelStatistics(pictures)
    const average = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
    const network: VideoNetwork = {
      frames,
      pairsApart: front.pairsApart,
      channels,
      height,
      width,
      base: Number(params.base),
      stages: Math.max(1, Math.min(4, Math.round(Math.log2(Math.min(height, width) / 4)) + 1)),
      dropout: Number(params.dropout),
      mean: average(mean),
      deviation: average(deviation),
    }
    const policy = {
      shift: Number(params.shift),
      flipX: findSymmetry(pictures, trial.labels, profile.classCount).x,
      flipY: false,
      rotateDegrees: Number(params.rotate),
      zoom: Number(params.zoom),
      contrast: 0,
      cutout: 0,
      mixup: 0,
    }
    const macs = videoMacs(network)
    const count = trial.plan.folds[0].train.length
    const batch = batchFor(count, 32)
    yield* trainNetwork(trial, link, {
      firstCycleMs: firstCycleMs(trial, { passes: 12, count, batch, macs }),
      learnerFor: async () => ({
        signature: `video ${network.base}`,
        front,
        definition: {
          inputShape: front.shape,
          inputType: 'uint8',
          classCount: profile.classCount,
          link,
          forward: videoForward(network, interceptsOf(trial, link)),
        },
        batch,
        optimizer: muon({ beta2: 0.99 }),
        rate: Number(params.rate),
        weightDecay: Number(params.weightDecay),
        labelSmoothing: 0.05,
        batches: pictureBatches(pictures, policy, blank),
        macs,
        views: policy.flipX ? ['mirror'] : [],
      }),
    })
  },
}

/** So much of every fold's network, within 2 and 15 s in all. */
function firstCycleMs(trial: TrialContext, work: TrainingWork): number {
  return Math.max(2000, Math.min(15_000, trial.plan.folds.length * trainingMs(trial, work)))
}
