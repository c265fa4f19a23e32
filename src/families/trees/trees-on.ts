// Boosting and forests on any source of features: raw tables, sparse tables, or the statistics that another family's front end makes.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { Family } from '../family.ts'
import { trainBoosting } from './boosting.ts'
import { boostingPortfolio, boostingSpace } from './boosting-space.ts'
import { trainForest } from './forest.ts'
import { forestPortfolio, forestSpace } from './forest-space.ts'
import type { TreeSource } from './source.ts'

export interface TreesOnOptions {
  /** Prefix of the families' names: '' for tables, 'audio-' and so on for heads. */
  prefix: string
  /** What the features are, for people. */
  features: string
  /** Null when such data have no such features. */
  source(profile: TaskProfile): TreeSource | null
  /** Rank of the first entries: boosting, extremely randomised trees. */
  order: { boosting: number; forest: number }
}

export function treesOn({ prefix, features, source, order }: TreesOnOptions): Family[] {
  const boosting: Family = {
    name: `${prefix}boosting`,
    summary: `histogram gradient boosting on ${features}`,
    portfolio: (profile) => (source(profile) === null ? null : boostingPortfolio(profile, order.boosting)),
    space: boostingSpace,
    train: (trial) => trainBoosting(trial, source(trial.profile)!),
  }
  const forest: Family = {
    name: `${prefix}forest`,
    summary: `extremely randomised trees and random forests on ${features}`,
    portfolio: (profile) => {
      const from = source(profile)
      return from === null ? null : forestPortfolio(profile, order.forest, from.kind === 'sparse')
    },
    space: forestSpace,
    train: (trial) => trainForest(trial, source(trial.profile)!),
  }
  return [boosting, forest]
}
