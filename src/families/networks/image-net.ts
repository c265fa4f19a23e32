// Pictures, by a convolutional network that grows with the time there is.
import { BALANCE } from '../common/balance.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import type { Pictures } from '../common/pictures.ts'
import { findSymmetry, type Symmetry } from '../common/symmetry.ts'
import type { Family, HyperParams } from '../family.ts'
import { heldPictureSize, pictureFront } from '../fronts/picture.ts'
import type { PicturePolicy } from './augment/picture-policy.ts'
import { pictureBatches } from './augment/pictures.ts'
import { pictureLearnerPlan } from './picture-learner.ts'
import { trainNetwork } from './train-network.ts'

/** Training pictures below which every variation helps. */
const FEW = 2000

export const imageNet: Family = {
  name: 'image-net',
  summary: 'convolutional network on pictures, wider as time allows',
  openEnded: true,
  portfolio(profile) {
    if (profile.kind !== 'image' || profile.matrices.some(({ spec }) => spec.format === 'SPARSE')) return null
    const few = profile.trainCount < FEW
    const params = {
      rate: 6e-3,
      weightDecay: 0.02,
      dropout: few ? 0.2 : 0.1,
      labelSmoothing: 0.05,
      shift: 0.12,
      rotate: few ? 12 : 10,
      zoom: few ? 0.2 : 0.12,
      contrast: few ? 0.3 : 0,
      cutout: 0,
      mixup: 0,
      width: 1,
      side: 64,
      whiten: true,
      balance: 0,
    }
    return [{ params, order: 30 }]
  },
  space: () => ({
    rate: { type: 'float', low: 1e-3, high: 2e-2, log: true, reason: 'peak of the one-cycle schedule for Muon' },
    weightDecay: { type: 'float', low: 1e-3, high: 0.1, log: true, reason: 'decoupled decay; more for few pictures' },
    balance: BALANCE,
    dropout: { type: 'float', low: 0, high: 0.5, reason: 'before the head; helps few pictures' },
    labelSmoothing: { type: 'float', low: 0, high: 0.2, reason: 'keeps scores comparable across examples' },
    shift: { type: 'float', low: 0, high: 0.25, reason: 'most objects may move a little' },
    rotate: { type: 'float', low: 0, high: 30, reason: 'degrees; costs resampling, so it must earn its time' },
    zoom: { type: 'float', low: 0, high: 0.4, reason: 'objects come in several sizes' },
    contrast: { type: 'float', low: 0, high: 0.6, reason: 'light differs between photographs' },
    cutout: { type: 'float', low: 0, high: 0.5, reason: 'hides parts, so that no single part decides' },
    mixup: { type: 'float', low: 0, high: 1, reason: 'for long training on few pictures' },
    width: { type: 'choice', options: [0.5, 1, 1.5], reason: 'passes against capacity' },
    whiten: {
      type: 'choice',
      options: [true, false],
      reason: 'a computed first layer is cheaper; a learned one fits better in the end',
    },
    side: { type: 'choice', options: [32, 48, 64, 96], reason: 'detail against speed; caps the longer side' },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const [matrix] = profile.matrices
    const front = pictureFront(profile, heldPictureSize(profile, matrix, Number(params.side), matrix.channels))
    const [channels, height, width] = front.shape
    const data = (yield* loadFeatures(trial, front)) as Uint8Array
    const pictures: Pictures = { data, channels, height, width }
    const symmetry = findSymmetry(pictures, trial.labels, profile.classCount)
    const policy = policyFrom(params, symmetry, profile.trainCount)
    yield* trainNetwork(
      trial,
      link,
      pictureLearnerPlan(trial, link, front, pictures, (blank) => pictureBatches(pictures, policy, blank), {
        rate: Number(params.rate),
        weightDecay: Number(params.weightDecay),
        dropout: Number(params.dropout),
        labelSmoothing: Number(params.labelSmoothing),
        widthFactor: Number(params.width),
        mirrorViews: policy.flipX,
        whiten: params.whiten === true,
      }),
    )
  },
}

/** Many pictures that have a mirror image teach more unwarped (photographs blur); glyphs and few pictures gain by rotation and zoom. */
function policyFrom(params: HyperParams, symmetry: Symmetry, count: number): PicturePolicy {
  const warps = !symmetry.x || count < FEW
  return {
    shift: Number(params.shift),
    flipX: symmetry.x,
    flipY: symmetry.y,
    rotateDegrees: warps ? Number(params.rotate) : 0,
    zoom: warps ? Number(params.zoom) : 0,
    contrast: Number(params.contrast),
    cutout: Number(params.cutout),
    mixup: Number(params.mixup),
  }
}
