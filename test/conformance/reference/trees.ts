// Tree ensembles of ai.onnx.ml: each tree sends the example to one leaf, whose weights are added to the targets. Missing values (NaN)
// take the true branch only where the node says so.
import { input, intAttr, type RefCall, type RefTable, tensor, textAttr } from './tensor.ts'

const COMPARE: Record<string, (x: number, value: number) => boolean> = {
  BRANCH_LEQ: (x, value) => x <= value,
  BRANCH_LT: (x, value) => x < value,
  BRANCH_GTE: (x, value) => x >= value,
  BRANCH_GT: (x, value) => x > value,
  BRANCH_EQ: (x, value) => x === value,
  BRANCH_NEQ: (x, value) => x !== value,
}

const list = (call: RefCall, name: string) => Array.from((call.attrs[name] ?? []) as number[])

/** Leaf node ids by tree that `row` ends in. */
function leavesOf(call: RefCall, row: ArrayLike<number>): { tree: number; node: number }[] {
  const trees = list(call, 'nodes_treeids')
  const ids = list(call, 'nodes_nodeids')
  const modes = call.attrs.nodes_modes as string[]
  const [features, values] = [list(call, 'nodes_featureids'), list(call, 'nodes_values')]
  const [yes, no] = [list(call, 'nodes_truenodeids'), list(call, 'nodes_falsenodeids')]
  const missing = list(call, 'nodes_missing_value_tracks_true')
  return [...new Set(trees)].map((tree) => {
    let at = trees.indexOf(tree)
    while (modes[at] !== 'LEAF') {
      const x = row[features[at]]
      const taken = Number.isNaN(x) ? missing[at] === 1 : COMPARE[modes[at]](x, values[at])
      const next = taken ? yes[at] : no[at]
      at = trees.findIndex((t, i) => t === tree && ids[i] === next)
    }
    return { tree, node: ids[at] }
  })
}

function scores(call: RefCall, targets: number, kind: 'target' | 'class'): Float64Array {
  const x = input(call, 0)
  const [n, width] = x.shape
  const [trees, nodes, ids] = ['treeids', 'nodeids', 'ids'].map((part) => list(call, `${kind}_${part}`))
  const weights = list(call, `${kind}_weights`)
  const base = list(call, 'base_values')
  const out = new Float64Array(n * targets)
  for (let i = 0; i < n; i++) {
    const leaves = leavesOf(call, x.data.subarray(i * width, (i + 1) * width))
    for (let k = 0; k < targets; k++) out[i * targets + k] = base[k] ?? 0
    weights.forEach((weight, w) => {
      if (leaves.some((leaf) => leaf.tree === trees[w] && leaf.node === nodes[w])) out[i * targets + ids[w]] += weight
    })
  }
  return textAttr(call, 'post_transform', 'NONE') === 'LOGISTIC' ? out.map((v) => 1 / (1 + Math.exp(-v))) : out
}

export const treeReference: RefTable = {
  TreeEnsembleRegressor: (call) => {
    const targets = intAttr(call, 'n_targets', 1)
    return tensor('float32', [input(call, 0).shape[0], targets], scores(call, targets, 'target'))
  },
  TreeEnsembleClassifier: (call) => {
    const labels = list(call, 'classlabels_int64s')
    const n = input(call, 0).shape[0]
    const all = scores(call, labels.length, 'class')
    const winner = (i: number) => {
      const row = all.subarray(i * labels.length, (i + 1) * labels.length)
      return labels[row.indexOf(Math.max(...row))]
    }
    return [
      tensor(
        'int64',
        [n],
        Float64Array.from({ length: n }, (_, i) => winner(i)),
      ),
      tensor('float32', [n, labels.length], all),
    ].slice(0, call.outputCount)
  },
}
