// Tree ensembles: two small trees, with missing values.
import { type GraphCase, values } from '../graph-case.ts'

const only = { kinds: ['onnx-cpu'], reason: 'ai.onnx.ml has kernels in onnxruntime’s CPU provider alone' }

/** Tree 0: x0 <= 0.5 ? (x1 <= 0 ? a : b) : c. Tree 1: x1 <= 1 ? d : e, missing values go left. */
const nodes = {
  nodes_treeids: [0, 0, 0, 0, 0, 1, 1, 1],
  nodes_nodeids: [0, 1, 2, 3, 4, 0, 1, 2],
  nodes_featureids: [0, 1, 0, 0, 0, 1, 0, 0],
  nodes_values: [0.5, 0, 0, 0, 0, 1, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF', 'BRANCH_LEQ', 'LEAF', 'LEAF'],
  nodes_truenodeids: [1, 3, 0, 0, 0, 1, 0, 0],
  nodes_falsenodeids: [2, 4, 0, 0, 0, 2, 0, 0],
  nodes_missing_value_tracks_true: [0, 0, 0, 0, 0, 1, 0, 0],
}
const leafTrees = [0, 0, 0, 1, 1]
const leafNodes = [3, 4, 2, 1, 2]
const x = { shape: [4, 2], fill: values(0, -1, 0, 2, 1, 1, Number.NaN, Number.NaN) }

export const treeCases: readonly GraphCase[] = [
  {
    op: 'TreeEnsembleRegressor',
    what: 'two targets, base values',
    inputs: [x],
    build: (g, [rows]) =>
      g.op('TreeEnsembleRegressor', [rows], {
        ...nodes,
        n_targets: 2,
        target_treeids: leafTrees,
        target_nodeids: leafNodes,
        target_ids: [0, 1, 0, 1, 0],
        target_weights: [0.1, 0.2, 0.3, 0.4, 0.5],
        base_values: [1, -1],
        post_transform: 'NONE',
      }),
    gradient: false,
    only,
  },
  {
    op: 'TreeEnsembleClassifier',
    what: 'three classes',
    inputs: [x],
    build: (g, [rows]) =>
      g.ops(
        'TreeEnsembleClassifier',
        [rows],
        {
          ...nodes,
          class_treeids: leafTrees,
          class_nodeids: leafNodes,
          class_ids: [0, 1, 2, 1, 0],
          class_weights: [0.9, 0.2, 0.3, 0.4, 0.5],
          classlabels_int64s: [0, 1, 2],
          post_transform: 'NONE',
        },
        2,
      ),
    gradient: false,
    only,
  },
]
