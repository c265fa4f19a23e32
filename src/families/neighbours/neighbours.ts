// Nearest neighbours on small tables and few series: what no other head here assumes is that rows which lie close together have
// one label. On 2000 rows of 16 numbers and 26 classes that ranks better than trees and kernels do (NAUC .991 against .989, .983).
import type { TaskProfile } from '../../dataset/profile.ts'
import { thin } from '../common/collect-features.ts'
import { rawTable, tableWidth } from '../common/raw-table.ts'
import { trainClassical } from '../common/train-classical.ts'
import type { Family, TrialContext } from '../family.ts'
import { tableFront } from '../fronts/table.ts'
import { type DenseFeatures, featuresFor, hasFeatures } from '../linear/features.ts'
import { fitNeighbours, MAX_VALUES } from './fit-neighbours.ts'

/** Beyond, a search among all rows costs too much for what it adds to trees. */
const MAX_ROWS = 5000
/** Values looked at to place codes and pieces. */
const FIT_VALUES = 5e6

export const neighbours: Family = {
  name: 'neighbours',
  summary: 'votes of the nearest rows, for few rows',
  portfolio(profile) {
    if (!isSmall(profile)) return null
    if (profile.kind === 'series') return [{ params: { pieces: 0, relevance: 2 }, order: 15 }]
    return [
      { params: { pieces: 0, relevance: 1 }, order: 14 },
      { params: { pieces: 6, relevance: 0 }, order: 28 },
    ]
  },
  space: (profile) => ({
    relevance: {
      type: 'float',
      low: 0,
      high: 3,
      reason: "power of a column's share of spread between classes, which weighs it: 0 trusts all columns alike",
    },
    pieces: {
      type: 'choice',
      options: profile.kind === 'table' ? [0, 6] : [0],
      reason: 'quantile pieces measure distance by ranks, where columns are skewed',
    },
  }),
  train(trial) {
    const { pieces, relevance } = trial.params
    return trainClassical(trial, {
      async *fit(rows, _stage, choices) {
        const features = await featuresOf(trial, rows, Number(pieces))
        return yield* fitNeighbours(trial, features, rows, Number(relevance), choices)
      },
    })
  },
}

function isSmall(profile: TaskProfile): boolean {
  if (profile.kind !== 'table' && profile.kind !== 'series') return false
  if (!hasFeatures(profile) || profile.trainCount > MAX_ROWS) return false
  return (tableWidth(profile) ?? 0) * profile.trainCount <= MAX_VALUES
}

async function featuresOf(trial: TrialContext, rows: Int32Array, pieces: number): Promise<DenseFeatures> {
  if (trial.profile.kind !== 'table') return featuresFor(trial, 'quick', rows)
  const width = tableWidth(trial.profile)!
  const looked = thin(rows, FIT_VALUES / width)
  const room = Math.max(width, Math.floor(MAX_VALUES / trial.profile.trainCount))
  const values = await rawTable(trial, 'train', looked)
  return {
    front: tableFront(values, looked.length, width, { pieces, maxFeatures: Math.min(2048, room) }),
    scaling: 'whole',
  }
}
