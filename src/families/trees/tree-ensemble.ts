// A store of trees as one TreeEnsembleRegressor (ai.onnx.ml 3): thresholds are the float32 cuts between codes, so that both forms
// send every input the same way. A set of categories becomes a chain of equality tests that share their true branch, which
// onnxruntime folds into one membership test.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add } from '../../graph/functions.ts'
import type { FeatureBins } from './bins.ts'
import { BY_SET, MISSING_LEFT, SET_WORDS, type TreeStore } from './tree-store.ts'

export interface EnsembleOptions {
  /** Number of outputs. */
  targets: number
  /** [targets] added to the sum of trees. @default zeros */
  base?: Float32Array
  /** Factor on every leaf. @default 1 */
  scale?: number
  /** Only trees from .. to. @default all */
  from?: number
  to?: number
}

/** @param x [n, features], NaN for missing. Returns [n, targets]. */
export function treeEnsemble(
  g: GraphBuilder,
  x: Value,
  store: TreeStore,
  bins: readonly FeatureBins[],
  options: EnsembleOptions,
): Value {
  const { targets, base, scale = 1, from = 0, to = store.roots.length } = options
  const nodes = nodeLists()
  const leaves = leafLists()
  const ids = new Int32Array(store.nodes)
  for (let t = from; t < to; t++) {
    writeTree(store, bins, store.roots[t], t - from, ids, nodes, leaves, scale)
  }
  if (to <= from) writeNothing(nodes, leaves)
  const sums = g.op('TreeEnsembleRegressor', [x], {
    nodes_treeids: nodes.tree.finish(),
    nodes_nodeids: nodes.id.finish(),
    nodes_featureids: nodes.feature.finish(),
    nodes_modes: nodes.mode,
    nodes_values: nodes.value.finish(),
    nodes_truenodeids: nodes.yes.finish(),
    nodes_falsenodeids: nodes.no.finish(),
    nodes_missing_value_tracks_true: nodes.missing.finish(),
    target_treeids: leaves.tree.finish(),
    target_nodeids: leaves.node.finish(),
    target_ids: leaves.target.finish(),
    target_weights: leaves.weight.finish(),
    n_targets: targets,
    aggregate_function: 'SUM',
    post_transform: 'NONE',
  })
  // Not as base_values: onnxruntime forgets those of a target that no leaf names.
  return base ? add(g, sums, g.constant(base, [1, targets])) : sums
}

interface Growing<T> {
  add(value: number): void
  finish(): T
}

function growing<T extends Int32Array | Float32Array>(make: (length: number) => T): Growing<T> {
  let data = make(1024)
  let length = 0
  return {
    add(value) {
      if (length === data.length) {
        const next = make(length * 2)
        next.set(data)
        data = next
      }
      data[length++] = value
    },
    finish: () => data.slice(0, length) as T,
  }
}

const ints = () => growing((length) => new Int32Array(length))
const floats = () => growing((length) => new Float32Array(length))
const nodeLists = () => ({
  tree: ints(),
  id: ints(),
  feature: ints(),
  mode: [] as string[],
  value: floats(),
  yes: ints(),
  no: ints(),
  missing: ints(),
})
const leafLists = () => ({ tree: ints(), node: ints(), target: ints(), weight: floats() })

function writeTree(
  store: TreeStore,
  bins: readonly FeatureBins[],
  root: number,
  tree: number,
  ids: Int32Array,
  nodes: ReturnType<typeof nodeLists>,
  leaves: ReturnType<typeof leafLists>,
  scale: number,
): void {
  const order = nodesUnder(store, root)
  // A set needs a node per value; the first takes the node's own id, the rest follow it.
  let next = 0
  for (const node of order) {
    ids[node] = next
    next += store.flags[node] & BY_SET && store.feature[node] >= 0 ? Math.max(1, valuesOf(store, bins, node).length) : 1
  }
  const write = (
    id: number,
    feature: number,
    mode: string,
    value: number,
    yes: number,
    no: number,
    missing: number,
  ) => {
    nodes.tree.add(tree)
    nodes.id.add(id)
    nodes.feature.add(feature)
    nodes.mode.push(mode)
    nodes.value.add(value)
    nodes.yes.add(yes)
    nodes.no.add(no)
    nodes.missing.add(missing)
  }
  for (const node of order) {
    const feature = store.feature[node]
    const id = ids[node]
    if (feature < 0) {
      write(id, 0, 'LEAF', 0, 0, 0, 0)
      for (let e = store.left[node]; e < store.right[node]; e++) {
        leaves.tree.add(tree)
        leaves.node.add(id)
        leaves.target.add(store.target[e])
        leaves.weight.add(store.weight[e] * scale)
      }
      continue
    }
    const yes = ids[store.left[node]]
    const no = ids[store.right[node]]
    if ((store.flags[node] & BY_SET) === 0) {
      const { cuts } = bins[feature]
      const at = store.rule[node] - 1
      const threshold = at < cuts.length ? cuts[at] : Number.POSITIVE_INFINITY
      write(id, feature, 'BRANCH_LEQ', threshold, yes, no, store.flags[node] & MISSING_LEFT)
      continue
    }
    const missing = holds(store, node, 0) ? 1 : 0
    const values = valuesOf(store, bins, node)
    // A set of nothing but "missing": no number equals NaN.
    if (values.length === 0) write(id, feature, 'BRANCH_EQ', Number.NaN, yes, no, missing)
    values.forEach((value, i) => {
      const last = i + 1 === values.length
      write(id + i, feature, 'BRANCH_EQ', value, yes, last ? no : id + i + 1, missing)
    })
  }
}

/** An ensemble without trees still needs one: a single leaf that adds 0. */
function writeNothing(nodes: ReturnType<typeof nodeLists>, leaves: ReturnType<typeof leafLists>): void {
  for (const list of [nodes.tree, nodes.id, nodes.feature, nodes.value, nodes.yes, nodes.no, nodes.missing]) list.add(0)
  nodes.mode.push('LEAF')
  for (const list of [leaves.tree, leaves.node, leaves.target, leaves.weight]) list.add(0)
}

function nodesUnder(store: TreeStore, root: number): number[] {
  const order: number[] = []
  const stack = [root]
  while (stack.length > 0) {
    const node = stack.pop()!
    order.push(node)
    if (store.feature[node] >= 0) stack.push(store.right[node], store.left[node])
  }
  return order
}

function holds(store: TreeStore, node: number, code: number): boolean {
  return ((store.sets[store.rule[node] * SET_WORDS + (code >>> 5)] >>> (code & 31)) & 1) === 1
}

function valuesOf(store: TreeStore, bins: readonly FeatureBins[], node: number): number[] {
  const values = bins[store.feature[node]].values
  return values === null ? [] : [...values].filter((_, i) => holds(store, node, i + 1))
}
