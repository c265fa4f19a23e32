// Series, by a small InceptionTime on a fixed number of steps.
import { muon } from '../../graph/optimizers/muon.ts'
import { BALANCE } from '../common/balance.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import type { Family } from '../family.ts'
import { PLAIN_SIGNAL_POLICY, type SignalPolicy, type Signals, signalBatches } from './augment/signals.ts'
import { seriesFront } from './fronts/series-front.ts'
import { type SeriesNetwork, seriesForward, seriesMacs } from './series-network.ts'
import { interceptsOf, trainNetwork } from './train-network.ts'
import { trainingMs } from './training-time.ts'
import { batchFor } from './vector-batches.ts'

export const seriesNet: Family = {
  name: 'series-net',
  summary: 'InceptionTime-like network on series of a fixed length',
  openEnded: true,
  portfolio(profile) {
    if (profile.kind !== 'series' || profile.matrices[0].spec.format === 'SPARSE') return null
    if (seriesFront(profile, 256) === null) return null
    const params = {
      rate: 5e-3,
      weightDecay: 0.02,
      dropout: 0.2,
      filters: 16,
      modules: 3,
      steps: 256,
      shift: 0.03,
      scale: 0.1,
      masks: 1,
      mixup: 0,
      balance: 0,
    }
    return [{ params, order: 40 }]
  },
  space: () => ({
    rate: { type: 'float', low: 5e-4, high: 2e-2, log: true, reason: 'peak of the one-cycle schedule for Muon' },
    weightDecay: { type: 'float', low: 1e-3, high: 0.1, log: true, reason: 'decoupled decay; more for few series' },
    balance: BALANCE,
    dropout: { type: 'float', low: 0, high: 0.5, reason: 'before the head; helps few series' },
    filters: { type: 'choice', options: [8, 16, 32], reason: 'per kernel size; the paper has 32' },
    modules: { type: 'choice', options: [3, 6], reason: 'the paper has 6; 3 train in half the time' },
    steps: { type: 'choice', options: [128, 256, 512], reason: 'detail against speed' },
    shift: { type: 'float', low: 0, high: 0.2, reason: 'where events have no fixed place' },
    scale: { type: 'float', low: 0, high: 0.3, reason: 'where amplitude varies by nature' },
    masks: { type: 'int', low: 0, high: 2, reason: 'stretches blanked, so that no single one decides' },
    mixup: { type: 'float', low: 0, high: 1, reason: 'for long training on few series' },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const front = seriesFront(profile, Number(params.steps))!
    const [channels, steps] = front.shape
    const data = (yield* loadFeatures(trial, front)) as Float32Array
    const signals: Signals = { data, bands: channels, steps }
    const { mean, deviation } = bandMoments(signals)
    const network: SeriesNetwork = {
      channels,
      steps,
      filters: Number(params.filters),
      modules: Number(params.modules),
      dropout: Number(params.dropout),
      // A single channel's own scale is what the archives of such series have settled on.
      perExample: channels === 1,
      mean,
      deviation,
    }
    const policy: SignalPolicy = {
      ...PLAIN_SIGNAL_POLICY,
      shift: Number(params.shift),
      scale: Number(params.scale),
      timeMasks: Number(params.masks),
      timeMaskShare: 0.1,
      mixup: Number(params.mixup),
    }
    const macs = seriesMacs(network)
    const count = trial.plan.folds[0].train.length
    const batch = batchFor(count, 32)
    const passesMs = trial.plan.folds.length * trainingMs(trial, { passes: 15, count, batch, macs })
    yield* trainNetwork(trial, link, {
      firstCycleMs: Math.max(2000, Math.min(15_000, passesMs)),
      learnerFor: async () => ({
        signature: `series ${network.filters} ${network.modules}`,
        front,
        definition: {
          inputShape: front.shape,
          inputType: 'float32',
          classCount: profile.classCount,
          link,
          forward: seriesForward(network, interceptsOf(trial, link)),
        },
        batch,
        optimizer: muon({ beta2: 0.99 }),
        rate: Number(params.rate),
        weightDecay: Number(params.weightDecay),
        labelSmoothing: 0.05,
        batches: signalBatches(signals, policy, 'own'),
        macs,
      }),
    })
  },
}

/** Mean and deviation of every channel. */
function bandMoments({ data, bands, steps }: Signals): { mean: number[]; deviation: number[] } {
  const sums = new Float64Array(bands)
  const squares = new Float64Array(bands)
  const rows = data.length / steps
  for (let r = 0; r < rows; r++) {
    for (let i = r * steps; i < (r + 1) * steps; i++) {
      sums[r % bands] += data[i]
      squares[r % bands] += data[i] * data[i]
    }
  }
  const size = (rows / bands) * steps
  const mean = Array.from(sums, (sum) => sum / size)
  return { mean, deviation: mean.map((m, b) => Math.sqrt(Math.max(0, squares[b] / size - m * m))) }
}
