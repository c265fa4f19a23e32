// Tables, by a multilayer perceptron on standardised columns with one-hot codes and piecewise linear pieces (Gorishniy et al. 2022).
import { add, relu } from '../../graph/functions.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import { linear } from '../../graph/layers/linear.ts'
import { batchNorm } from '../../graph/layers/normalization.ts'
import { adamW } from '../../graph/optimizers/adamw.ts'
import { BALANCE } from '../common/balance.ts'
import { thin } from '../common/collect-features.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import { rawTable, tableWidth } from '../common/raw-table.ts'
import { allRows } from '../common/train-classical.ts'
import type { Family } from '../family.ts'
import { tableFront } from '../fronts/table.ts'
import type { ClassifierDefinition } from './classifier.ts'
import { head } from './layers.ts'
import { interceptsOf, trainNetwork } from './train-network.ts'
import { trainingMs } from './training-time.ts'
import { batchFor, vectorBatches } from './vector-batches.ts'

/** Values looked at to place pieces, and the widest table taken. */
const LOOKED_VALUES = 5e6
const MAX_COLUMNS = 4000
/** Features of all columns together that pieces and codes are made for, and the values of all rows together that are held: 400 MB. */
const MOST_FEATURES = 2048
const HELD_VALUES = 1e8

export const tableNet: Family = {
  name: 'table-net',
  summary: 'multilayer perceptron on standardised columns and their quantile pieces',
  openEnded: true,
  portfolio(profile) {
    const width = tableWidth(profile)
    if (profile.kind !== 'table' || width === null || width > MAX_COLUMNS) return null
    return [
      {
        params: {
          rate: 2e-3,
          weightDecay: 0.02,
          dropout: 0.15,
          units: 256,
          layers: 2,
          pieces: 12,
          mixup: 0,
          balance: 0,
        },
        order: 40,
      },
    ]
  },
  space: () => ({
    rate: { type: 'float', low: 3e-4, high: 1e-2, log: true, reason: 'peak of the one-cycle schedule for AdamW' },
    weightDecay: { type: 'float', low: 1e-4, high: 0.3, log: true, reason: 'decoupled decay; more for few rows' },
    balance: BALANCE,
    dropout: { type: 'float', low: 0, high: 0.6, reason: 'after every hidden layer; more for few rows' },
    units: { type: 'choice', options: [64, 128, 256, 512], reason: 'per hidden layer' },
    layers: { type: 'int', low: 1, high: 4, reason: 'deeper nets seldom gain on tables' },
    pieces: { type: 'choice', options: [0, 8, 16, 32], reason: 'quantile pieces let units bend where the data are' },
    mixup: { type: 'float', low: 0, high: 1, reason: 'smooths between rows' },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const columns = tableWidth(profile)!
    const looked = thin(allRows(trial), Math.max(200, LOOKED_VALUES / columns))
    const values = await rawTable(trial, 'train', looked)
    const maxFeatures = featuresFor(profile.trainCount, columns)
    const front = tableFront(values, looked.length, columns, { pieces: Number(params.pieces), maxFeatures })
    const [width] = front.shape
    const rows = thin(allRows(trial), HELD_VALUES / width)
    const held = rows.length < profile.trainCount ? rows : null
    const data = yield* loadFeatures(trial, front, rows)
    const [units, layers, rate] = [Number(params.units), Number(params.layers), Number(params.dropout)]
    const intercepts = interceptsOf(trial, link)
    const definition: ClassifierDefinition = {
      inputShape: front.shape,
      inputType: 'float32',
      classCount: profile.classCount,
      link,
      forward(net, x) {
        const { g } = net
        let y = x
        for (let i = 0; i < layers; i++) {
          const h = dropout(net, relu(g, batchNorm(net, linear(net, y, units, { bias: false }))), rate)
          y = i === 0 ? h : add(g, y, h)
        }
        return head(net, y, intercepts)
      },
    }
    const macs = width * units + (layers - 1) * units * units + units * profile.classCount
    const { length } = trial.plan.folds[0].train
    const count = held === null ? length : Math.ceil((length * held.length) / profile.trainCount)
    const batch = batchFor(count)
    const passesMs = trial.plan.folds.length * trainingMs(trial, { passes: 20, count, batch, macs })
    yield* trainNetwork(trial, link, {
      ...(held === null ? {} : { held }),
      firstCycleMs: Math.max(1000, Math.min(10_000, passesMs)),
      learnerFor: async () => ({
        signature: 'table',
        front,
        definition,
        batch,
        optimizer: adamW({ beta2: 0.99 }),
        rate: Number(params.rate),
        weightDecay: Number(params.weightDecay),
        labelSmoothing: 0,
        batches: vectorBatches(data, width, Number(params.mixup), held),
        macs,
      }),
    })
  },
}

/** Many rows leave less room for pieces and codes, and none beyond the columns; only then are rows left out. */
export function featuresFor(rowCount: number, columns: number): number {
  return Math.max(columns, Math.min(MOST_FEATURES, Math.floor(HELD_VALUES / rowCount)))
}
