// Pictures coded by patches of their own kind next to oriented gradients, under a kernel head: the strongest of the learners that
// need no epochs.
import { BALANCE } from '../common/balance.ts'
import { collectFeatures, thin, widthOf } from '../common/collect-features.ts'
import { type FitProgress, trainClassical } from '../common/train-classical.ts'
import type { Family, FrontEnd, TrialContext } from '../family.ts'
import { concatFronts } from '../fronts/concat-fronts.ts'
import { orientedGradientsFront } from '../fronts/oriented-gradients.ts'
import { fitPatches, patchOptions } from '../fronts/patches.ts'
import { pictureFront } from '../fronts/picture.ts'
import { shrunkPixelsFront } from '../fronts/shrunk-pixels.ts'
import type { DenseFeatures } from './features.ts'
import { fitKernel } from './fit-kernel.ts'
import { bothSides, isMirrorFair } from './mirrored.ts'

/** Pictures that patches are drawn from, and their values: of many channels fewer pictures say enough. */
const DICTIONARY_ROWS = 1000
const DICTIONARY_VALUES = 3e7
/**
 * Training pictures from which on networks have learned more by the time that patches take: 10,000 photographs, 60 s, ended at .9260
 * NAUC without patches and .9185 with; 8000 digits at .9999 and 1.0000 (one or two runs each).
 */
const MANY = 5000
/** Training pictures below which a second try teaches mirror images besides. With 1500 photographs that gained nothing any more. */
const FEW = 1000
/** Pictures with shorter sides have too few patches to speak of. */
const SHORTEST_SIDE = 8

export const patches: Family = {
  name: 'patches',
  summary: 'whitened k-means patch features and oriented gradients under Gaussian kernel ridge',
  portfolio(profile) {
    if (profile.kind !== 'image' || profile.trainCount >= MANY) return null
    const { shape } = pictureFront(profile)
    const params = { filters: 400, landmarks: 2000, gamma: 0.5, mirror: false, balance: 0 }
    if (Math.min(shape[1], shape[2]) < SHORTEST_SIDE || patchOptions(shape, params.filters) === null) return null
    const plain = { params, order: 20 }
    return profile.trainCount < FEW ? [plain, { params: { ...params, mirror: true }, order: 25 }] : [plain]
  },
  space: ({ trainCount }) => ({
    filters: {
      type: 'int',
      low: 128,
      high: 1600,
      log: true,
      reason: 'accuracy grows with the dictionary, time linearly',
    },
    landmarks: {
      type: 'int',
      low: 500,
      high: 5000,
      log: true,
      reason: 'capacity of the head; time grows with its square',
    },
    gamma: { type: 'float', low: 0.1, high: 2, log: true, reason: 'width of the kernel for rows of about unit length' },
    mirror: {
      type: 'choice',
      options: trainCount < FEW ? [true, false] : [false],
      reason: 'mirror images teach too, where they are fair, at twice the time',
    },
    balance: BALANCE,
  }),
  async *train(trial) {
    const { filters, landmarks, gamma, mirror } = trial.params
    const picture = pictureFront(trial.profile)
    if (mirror === true && !(yield* isMirrorFair(trial, picture))) return
    let front: FrontEnd | null = null
    yield* trainClassical(trial, {
      async *fit(rows, _stage, choices) {
        front ??= yield* patchFront(trial, picture, 16 * Math.max(1, Math.round((filters as number) / 16)))
        const features: DenseFeatures = { front, scaling: 'columns' }
        return yield* fitKernel(trial, mirror === true ? bothSides(features) : features, rows, choices, {
          landmarks: landmarks as number,
          gamma: gamma as number,
        })
      },
    })
  },
}

/** Learned from the sample: labels play no part in it, so folds may share it. */
async function* patchFront(
  trial: TrialContext,
  picture: FrontEnd,
  filters: number,
): AsyncGenerator<FitProgress, FrontEnd, void> {
  const rows = thin(trial.sample, Math.min(DICTIONARY_ROWS, DICTIONARY_VALUES / widthOf(picture)))
  const { x } = yield* collectFeatures(trial, picture, 'train', rows)
  const options = patchOptions(picture.shape, filters)!
  const fit = fitPatches(trial.engine, picture, x, options, trial.rng.split('dictionary'))
  for (;;) {
    const step = await fit.next()
    if (step.done) return concatFronts([step.value, orientedGradientsFront(picture, 8), shrunkPixelsFront(picture, 4)])
    yield { done: step.value, of: null, note: 'dictionary rounds' }
  }
}
