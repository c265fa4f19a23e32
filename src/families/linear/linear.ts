// Logistic regression on hand-made features: the first answer on every dense kind of data, and a steady one later.
import { BALANCE } from '../common/balance.ts'
import { trainClassical } from '../common/train-classical.ts'
import type { Family } from '../family.ts'
import { type FeatureLevel, featuresFor, hasFeatures } from './features.ts'
import { fitLinear } from './fit-linear.ts'

export const linear: Family = {
  name: 'linear',
  summary: 'logistic regression on gradients, spectra, statistics or columns',
  portfolio(profile) {
    if (!hasFeatures(profile)) return null
    return [{ params: { features: 'quick', balance: 0 }, order: 0 }]
  },
  space: () => ({
    features: {
      type: 'choice',
      options: ['quick', 'rich'],
      reason: 'rich features cost several times as much and pay when there are enough rows to weigh them',
    },
    balance: BALANCE,
  }),
  train(trial) {
    const level = trial.params.features as FeatureLevel
    return trainClassical(
      trial,
      {
        async *fit(rows, stage, choices) {
          const features = await featuresFor(trial, level, rows)
          return yield* fitLinear(trial, features, rows, stage, choices)
        },
      },
      { sampleFirst: level === 'quick' },
    )
  },
}
