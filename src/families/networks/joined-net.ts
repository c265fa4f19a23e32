// Several matrices per example, of whatever kinds: a branch of layers for each, joined late and learned together, so that what one
// matrix means may hang on another. Offered where no other network reads all matrices: tables side by side are table-net's.
import type { TaskProfile } from '../../dataset/profile.ts'
import { muon } from '../../graph/optimizers/muon.ts'
import { BALANCE } from '../common/balance.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import { tableWidth } from '../common/raw-table.ts'
import type { Family } from '../family.ts'
import { concatFronts } from '../fronts/concat-fronts.ts'
import { type Branch, branchesOf, LEVELS, type Level, type Moments, readingOf } from './joined-branches.ts'
import { type JoinedNetwork, joinedForward, joinedMacs } from './joined-network.ts'
import type { BatchMaker } from './learner.ts'
import { interceptsOf, trainNetwork } from './train-network.ts'
import { trainingMs } from './training-time.ts'
import { batchFor } from './vector-batches.ts'

/** Passes over the training rows that a cycle should make; a network too large for that learns less than a smaller one. */
const PASSES = 12

export const joinedNet: Family = {
  name: 'joined-net',
  summary: 'a branch for each matrix by its kind, joined late in one network',
  openEnded: true,
  portfolio(profile) {
    if (!joins(profile)) return null
    const params = {
      rate: 4e-3,
      weightDecay: 0.02,
      dropout: profile.trainCount < 2000 ? 0.2 : 0.1,
      units: 128,
      shift: 0.08,
      wordDropout: 0.1,
      side: 48,
      steps: 256,
      length: 128,
      pieces: 12,
      balance: 0,
    }
    return [{ params, order: 15 }]
  },
  space: () => ({
    rate: { type: 'float', low: 5e-4, high: 2e-2, log: true, reason: 'peak of the one-cycle schedule for Muon' },
    weightDecay: { type: 'float', low: 1e-3, high: 0.3, log: true, reason: 'decoupled decay; more for few examples' },
    balance: BALANCE,
    dropout: { type: 'float', low: 0, high: 0.6, reason: 'around the joint; more for few examples' },
    units: { type: 'choice', options: [64, 128, 256], reason: 'of the joint: how much one matrix may bend another' },
    shift: { type: 'float', low: 0, high: 0.2, reason: 'most objects and sounds may move a little' },
    wordDropout: { type: 'float', low: 0, high: 0.3, reason: 'whole tokens become unknown, as in test texts' },
    side: { type: 'choice', options: [32, 48, 64], reason: 'detail against speed; caps the longer side of pictures' },
    steps: { type: 'choice', options: [128, 256, 512], reason: 'detail against speed; caps the length of series' },
    length: { type: 'choice', options: [64, 128, 256], reason: 'tokens read; time grows with it' },
    pieces: { type: 'choice', options: [0, 8, 16, 32], reason: 'quantile pieces let columns bend where the data are' },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const branches = await branchesOf(trial)
    yield { type: 'progress', units: 0, of: null, note: 'branches chosen' }
    const front = concatFronts(branches.map((branch) => branch.front))
    const data = (yield* loadFeatures(trial, front)) as Float32Array
    const moments = momentsOf(branches, data, front.shape[0])
    const networkAt = (level: Level): JoinedNetwork => ({
      branches: branches.map((branch, i) => branch.layers(level, moments[i])),
      units: Number(params.units),
      dropout: Number(params.dropout),
    })
    const count = trial.plan.folds[0].train.length
    const batch = batchFor(count, 64)
    const timeOf = (macs: number, passes: number) => trainingMs(trial, { passes, count, batch, macs })
    const intercepts = interceptsOf(trial, link)
    const batches = joinedBatches(branches, data, front.shape[0])
    const signatureOf = (network: JoinedNetwork) => `joined ${front.shape[0]} ${joinedMacs(network)}`
    let current: JoinedNetwork | null = null
    yield* trainNetwork(trial, link, {
      firstCycleMs: firstCycleMs(trial.plan.folds.length, timeOf(joinedMacs(networkAt(LEVELS[0])), 8)),
      async learnerFor(_cycle, cycleMs, before) {
        const networks = LEVELS.map(networkAt)
        current ??= networks.find((network) => signatureOf(network) === before) ?? null
        const wanted = networks.findLast((network) => timeOf(joinedMacs(network), PASSES) <= cycleMs) ?? networks[0]
        // A new network starts from nothing: worth it only when it is a good deal larger.
        if (current === null || joinedMacs(wanted) > 2.2 * joinedMacs(current)) current = wanted
        return {
          signature: signatureOf(current),
          front,
          definition: {
            inputShape: front.shape,
            inputType: 'float32',
            classCount: profile.classCount,
            link,
            forward: joinedForward(current, intercepts),
          },
          batch,
          optimizer: muon({ beta2: 0.99 }),
          rate: Number(params.rate),
          weightDecay: Number(params.weightDecay),
          labelSmoothing: 0.02,
          batches,
          macs: joinedMacs(current),
        }
      },
    })
  },
}

/** Two matrices or more that can be read, and not all of them by table-net. */
function joins(profile: TaskProfile): boolean {
  const readings = profile.matrices.map((_, matrix) => readingOf(profile, matrix)).filter((reading) => reading !== null)
  const tables = profile.kind === 'table' && tableWidth(profile) !== null
  return readings.length > 1 && !tables
}

/** So much of every fold's network, within 2 and 10 s in all. */
function firstCycleMs(folds: number, foldMs: number): number {
  return Math.max(2000, Math.min(10_000, folds * foldMs))
}

/** Means and deviations of every branch's channels, from at most 4000 examples. */
function momentsOf(branches: readonly Branch[], data: Float32Array, width: number): Moments[] {
  const count = Math.min(4000, data.length / width)
  let from = 0
  return branches.map(({ front, channels }) => {
    const size = front.shape.reduce((product, extent) => product * extent, 1)
    const sums = new Float64Array(channels)
    const squares = new Float64Array(channels)
    const run = channels > 0 ? size / channels : 0
    for (let i = 0; i < count; i++) {
      for (let c = 0, at = i * width + from; c < channels; c++) {
        for (const end = at + run; at < end; at++) {
          sums[c] += data[at]
          squares[c] += data[at] * data[at]
        }
      }
    }
    from += size
    const mean = Array.from(sums, (sum) => sum / (count * run))
    const deviation = mean.map((m, c) => Math.sqrt(Math.max(0, squares[c] / (count * run) - m * m)))
    return { mean, deviation }
  })
}

/** Rows of the joined vectors, each branch's part changed as that branch says. */
function joinedBatches(branches: readonly Branch[], data: Float32Array, width: number): BatchMaker {
  const sizes = branches.map(({ front }) => front.shape.reduce((product, extent) => product * extent, 1))
  return {
    fill(rows, x, _targets, rng) {
      const values = x as Float32Array
      for (let i = 0; i < rows.length; i++) {
        values.set(data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
        let from = i * width
        for (const [b, branch] of branches.entries()) branch.augment(values.subarray(from, (from += sizes[b])), rng)
      }
    },
  }
}
