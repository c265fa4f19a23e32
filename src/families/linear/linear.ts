// Logistic regression on hand-made features: the first answer on every dense kind of data, and a steady one later.
import type { TaskProfile } from '../../dataset/profile.ts'
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
      level === 'quick' ? { sampleFirst: true, firstPart: quickRows(trial.profile) } : {},
    )
  },
}

/** What a fit of a second or two may do: raw values, and features times classes, each about 40 ns. */
const QUICK_WORK = 3e7
/** Features of a picture, a clip or a series, roughly; a column of a table becomes some. */
const FEATURES = 1000
const FEATURES_PER_COLUMN = 7
/** Fewer rows than this many times the first part are fitted at once: the part would come little sooner. */
const WORTH_A_PART = 5

function quickRows(profile: TaskProfile): number {
  const { matrices, classCount, trainCount } = profile
  const raw = matrices.reduce((sum, { steps, rows, cols, channels }) => {
    return sum + steps.median * rows.median * cols.median * channels
  }, 0)
  const features = profile.kind === 'table' ? FEATURES_PER_COLUMN * raw : FEATURES
  const rows = QUICK_WORK / (raw + features * classCount)
  return trainCount >= WORTH_A_PART * rows ? Math.max(300, rows) : Number.POSITIVE_INFINITY
}
