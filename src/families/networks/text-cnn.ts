// Text, by a TextCNN on the tokens that training texts hold often enough.
import { muon } from '../../graph/optimizers/muon.ts'
import { BALANCE } from '../common/balance.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import { allRows } from '../common/train-classical.ts'
import type { Family } from '../family.ts'
import { tokenFront, UNKNOWN } from './fronts/token-front.ts'
import type { BatchMaker } from './learner.ts'
import { documentCounts, readTokens, type Tokens } from './text/tokens.ts'
import { type TextNetwork, textForward, textMacs } from './text-network.ts'
import { interceptsOf, trainNetwork } from './train-network.ts'
import { trainingMs } from './training-time.ts'
import { batchFor } from './vector-batches.ts'

const MOST_TOKENS = 20_000

export const textCnn: Family = {
  name: 'text-cnn',
  summary: 'convolutions over learned token embeddings',
  openEnded: true,
  portfolio(profile) {
    if (profile.kind !== 'text' || profile.trainCount < 200) return null
    const params = {
      rate: 6e-3,
      weightDecay: 0.05,
      dims: 64,
      filters: 48,
      inputDropout: 0.25,
      dropout: 0.4,
      wordDropout: 0.1,
      length: 128,
      balance: 0,
    }
    return [{ params, order: 30 }]
  },
  space: () => ({
    rate: { type: 'float', low: 1e-3, high: 2e-2, log: true, reason: 'peak of the one-cycle schedule for Muon' },
    weightDecay: {
      type: 'float',
      low: 1e-3,
      high: 0.3,
      log: true,
      reason: 'decoupled decay; embeddings overfit easily',
    },
    dims: { type: 'choice', options: [32, 64, 128], reason: 'length of an embedding; few texts fill few dimensions' },
    filters: { type: 'choice', options: [48, 96, 160], reason: 'per width; the paper has 100' },
    balance: BALANCE,
    inputDropout: { type: 'float', low: 0, high: 0.5, reason: 'on embeddings' },
    dropout: { type: 'float', low: 0.1, high: 0.7, reason: 'before the head; the paper has 0.5' },
    wordDropout: { type: 'float', low: 0, high: 0.3, reason: 'whole tokens become unknown, as in test texts' },
    length: { type: 'choice', options: [64, 128, 256], reason: 'tokens read; time grows with it' },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const tokens = await readTokens(trial.data, allRows(trial))
    yield { type: 'progress', units: 0, of: null, note: 'texts read' }
    const counts = documentCounts(tokens, profile.spec.vocabulary.length)
    const length = lengthFor(tokens, Number(params.length))
    const { front, size } = tokenFront(counts, length, MOST_TOKENS, profile.trainCount > 2000 ? 2 : 1)
    const data = (yield* loadFeatures(trial, front)) as Float32Array
    const network: TextNetwork = {
      length,
      vocabulary: size,
      dims: Number(params.dims),
      filters: Number(params.filters),
      widths: [3, 5],
      inputDropout: Number(params.inputDropout),
      dropout: Number(params.dropout),
    }
    const count = trial.plan.folds[0].train.length
    const macs = textMacs(network)
    const batch = batchFor(count, 64)
    const passesMs = trial.plan.folds.length * trainingMs(trial, { passes: 3, count, batch, macs })
    yield* trainNetwork(trial, link, {
      firstCycleMs: Math.max(2000, Math.min(10_000, passesMs)),
      learnerFor: async () => ({
        signature: `text ${size}`,
        front,
        definition: {
          inputShape: [length],
          inputType: 'float32',
          classCount: profile.classCount,
          link,
          forward: textForward(network, interceptsOf(trial, link)),
        },
        batch,
        optimizer: muon({ beta2: 0.99 }),
        rate: Number(params.rate),
        weightDecay: Number(params.weightDecay),
        labelSmoothing: 0.02,
        batches: wordBatches(data, length, Number(params.wordDropout)),
        macs,
      }),
    })
  },
}

/** The length that 98 % of the texts keep to, in steps of 8. */
export function lengthFor({ offsets }: Tokens, most: number): number {
  const lengths = Array.from({ length: offsets.length - 1 }, (_, i) => offsets[i + 1] - offsets[i]).sort(
    (a, b) => a - b,
  )
  const usual = lengths[Math.floor(0.98 * (lengths.length - 1))] ?? 8
  return Math.max(8, Math.min(most, 8 * Math.ceil(usual / 8)))
}

/** Rows of compact ids, each known token unknown with probability `rate`. */
function wordBatches(data: Float32Array, length: number, rate: number): BatchMaker {
  return {
    fill(rows, x, _targets, rng) {
      for (let i = 0; i < rows.length; i++) {
        const from = rows[i] * length
        for (let j = 0; j < length; j++) {
          const id = data[from + j]
          x[i * length + j] = id > UNKNOWN && rate > 0 && rng.uniform() < rate ? UNKNOWN : id
        }
      }
    },
  }
}
