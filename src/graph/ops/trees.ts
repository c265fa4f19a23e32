// Tree ensembles of ai.onnx.ml (version 3): x [n, features] -> scores [n, targets].
import type { AttributeKind, OpTable } from './spec.ts'

const NODES: Record<string, AttributeKind> = {
  nodes_falsenodeids: 'ints',
  nodes_featureids: 'ints',
  nodes_hitrates: 'floats',
  nodes_missing_value_tracks_true: 'ints',
  nodes_modes: 'strings',
  nodes_nodeids: 'ints',
  nodes_treeids: 'ints',
  nodes_truenodeids: 'ints',
  nodes_values: 'floats',
  base_values: 'floats',
  post_transform: 'string',
}

export const treeOps: OpTable = {
  TreeEnsembleRegressor: {
    domain: 'ai.onnx.ml',
    arity: [1, 1],
    attrs: {
      ...NODES,
      aggregate_function: 'string',
      n_targets: 'int',
      target_ids: 'ints',
      target_nodeids: 'ints',
      target_treeids: 'ints',
      target_weights: 'floats',
    },
    infer: (c) => {
      const shape = c.in(0).shape
      if (shape.length !== 2) c.fail('input must be [n, features]')
      return [{ type: 'float32', shape: [shape[0], c.int('n_targets', 1)] }]
    },
  },
  TreeEnsembleClassifier: {
    domain: 'ai.onnx.ml',
    arity: [1, 1],
    attrs: {
      ...NODES,
      class_ids: 'ints',
      class_nodeids: 'ints',
      class_treeids: 'ints',
      class_weights: 'floats',
      classlabels_int64s: 'ints',
    },
    outputs: 2,
    infer: (c) => {
      const shape = c.in(0).shape
      if (shape.length !== 2) c.fail('input must be [n, features]')
      const classes = c.ints('classlabels_int64s', []).length
      return [
        { type: 'int64', shape: [shape[0]] },
        { type: 'float32', shape: [shape[0], classes] },
      ]
    },
  },
}
