// Kernel ridge on hand-made features: what support vector machines were for, in closed form.
import type { TaskProfile } from '../../dataset/profile.ts'
import { BALANCE } from '../common/balance.ts'
import { trainClassical } from '../common/train-classical.ts'
import type { Family, HyperParams } from '../family.ts'
import { type FeatureLevel, featuresFor, hasFeatures } from './features.ts'
import { fitKernel } from './fit-kernel.ts'

export const kernel: Family = {
  name: 'kernel',
  summary: 'Gaussian kernel ridge on landmarks over gradients, spectra, statistics or columns',
  portfolio(profile) {
    if (!hasFeatures(profile)) return null
    return [{ params: defaults(profile), order: ORDER[profile.kind] }]
  },
  space: () => ({
    features: { type: 'choice', options: ['quick', 'rich'], reason: 'few rows cannot weigh many features' },
    landmarks: {
      type: 'int',
      low: 500,
      high: 5000,
      log: true,
      reason: 'capacity; time grows with its square, memory too',
    },
    gamma: {
      type: 'float',
      low: 0.1,
      high: 4,
      log: true,
      reason:
        'width of the kernel for rows of about unit length: small is nearly linear, large nearly nearest neighbours',
    },
    balance: BALANCE,
  }),
  train(trial) {
    const { features, landmarks, gamma } = trial.params
    const options = { landmarks: landmarks as number, gamma: gamma as number }
    return trainClassical(trial, {
      async *fit(rows, _stage, choices) {
        const dense = await featuresFor(trial, features as FeatureLevel, rows)
        return yield* fitKernel(trial, dense, rows, choices, options)
      },
    })
  },
}

const ORDER = { image: 10, audio: 10, video: 15, table: 30, series: 25, text: 90 } as const

function defaults(profile: TaskProfile): HyperParams {
  const picture = profile.kind === 'image' || profile.kind === 'video'
  return {
    features: profile.kind === 'table' ? 'quick' : 'rich',
    landmarks: 2000,
    gamma: picture ? 1 : 0.5,
    balance: 0,
  }
}
