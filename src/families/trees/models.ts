// Trained trees as models: the features they compare, the sum of their leaves, and scores in [0, 1].
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, clip, concat, sigmoid, softmax, sub } from '../../graph/functions.ts'
import type { Model } from '../family.ts'
import type { Objective } from './objective.ts'
import { treeInput } from './source.ts'
import type { TrainingTable } from './training-table.ts'
import { treeEnsemble } from './tree-ensemble.ts'
import type { TreeStore } from './tree-store.ts'

/** A booster as it stood when it had so many trees. */
export interface BoosterPart {
  store: TreeStore
  objective: Objective
  trees: number
}

/** Margins are the parts' mean. */
export function boostedModel(table: TrainingTable, parts: readonly BoosterPart[]): Model {
  const { objective } = parts[0]
  return model(table, (g, x) => {
    const share = 1 / parts.length
    const margins = parts.map(({ store, objective: { margins: targets, start }, trees }) =>
      treeEnsemble(g, x, store, table.codes.bins, {
        targets,
        base: start.map((value) => value * share),
        scale: share,
        to: trees,
      }),
    )
    const sum = margins.reduce((a, b) => add(g, a, b))
    switch (objective.link) {
      case 'softmax':
        return softmax(g, sum)
      case 'sigmoid':
        return sigmoid(g, sum)
      case 'binary': {
        const positive = sigmoid(g, sum)
        return concat(g, [sub(g, 1, positive), positive], 1)
      }
      default:
        return objective.link satisfies never
    }
  })
}

/** Trees from .. to of a store; their leaves hold class frequencies. */
export interface ForestPart {
  store: TreeStore
  from: number
  to: number
}

/** Scores are the mean over trees. */
export function forestModel(table: TrainingTable, parts: readonly ForestPart[]): Model {
  const trees = parts.reduce((sum, { from, to }) => sum + to - from, 0)
  return model(table, (g, x) => {
    const sums = parts
      .filter(({ from, to }) => to > from)
      .map(({ store, from, to }) =>
        treeEnsemble(g, x, store, table.codes.bins, { targets: table.classes, scale: 1 / trees, from, to }),
      )
    // Many float32 leaves may add up to a little more than 1.
    return clip(
      g,
      sums.reduce((a, b) => add(g, a, b)),
      0,
      1,
    )
  })
}

function model({ source, columns }: TrainingTable, scores: (g: GraphBuilder, x: Value) => Value): Model {
  return {
    front: source.kind === 'sparse' ? null : source.front,
    build: (g, x, inputs) => scores(g, treeInput(g, source, columns, x, inputs)),
  }
}
