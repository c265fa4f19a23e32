// Reductions, cumulative sums and searches along axes.
import { toLast } from '../cell.ts'
import { type Call, type Kernel, type KernelTable, type Made, wrapAxis } from '../kernel.ts'
import type { Tf, TfTensor } from '../runtime.ts'

type Reduce = (tf: Tf, x: TfTensor, axes: number[], keep: boolean) => TfTensor

export const reductionKernels: KernelTable = {
  ReduceSum: reduction((tf, x, axes, keep) => tf.sum(x, axes, keep)),
  ReduceMean: reduction((tf, x, axes, keep) => tf.mean(x, axes, keep)),
  ReduceMax: reduction((tf, x, axes, keep) => tf.max(x, axes, keep)),
  ReduceMin: reduction((tf, x, axes, keep) => tf.min(x, axes, keep)),
  ReduceProd: reduction((tf, x, axes, keep) => tf.prod(x, axes, keep)),
  ReduceL1: reduction((tf, x, axes, keep) => tf.sum(tf.abs(x), axes, keep)),
  ReduceL2: reduction((tf, x, axes, keep) => tf.sqrt(tf.sum(tf.square(x), axes, keep))),
  ReduceSumSquare: reduction((tf, x, axes, keep) => tf.sum(tf.square(x), axes, keep)),
  ReduceLogSum: reduction((tf, x, axes, keep) => tf.log(tf.sum(x, axes, keep))),
  ReduceLogSumExp: reduction((tf, x, axes, keep) => tf.logSumExp(x, axes, keep)),
  ArgMax: search((tf, x, axis) => tf.argMax(x, axis)),
  ArgMin: search((tf, x, axis) => tf.argMin(x, axis)),
  CumSum: (call) => {
    const axis = wrapAxis(call.host(1)[0], call.shape(0).length)
    return call.tf.cumsum(call.in(0), axis, call.flag('exclusive'), call.flag('reverse'))
  },
  TopK: (call) => {
    const { tf } = call
    const rank = call.shape(0).length
    const axis = call.axis(-1)
    const k = call.host(1)[0]
    const swap = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i))
    const largest = call.flag('largest', true)
    const turned = axis === rank - 1 ? call.in(0) : tf.transpose(call.in(0), swap)
    const { values, indices } = tf.topk(largest ? turned : tf.neg(turned), k, true)
    const back = (x: TfTensor) => (axis === rank - 1 ? x : tf.transpose(x, swap))
    return [back(largest ? values : tf.neg(values)), back(indices)].slice(0, call.types.length)
  },
  Softmax: (call) => alongAxis(call, (tf, x, axis) => exponentials(tf, x, axis)),
  LogSoftmax: (call) =>
    alongAxis(call, (tf, x, axis) => {
      const shifted = tf.sub(x, tf.max(x, axis, true))
      return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), axis, true)))
    }),
}

function exponentials(tf: Tf, x: TfTensor, axis: number): TfTensor {
  if (axis === x.rank - 1) return tf.softmax(x)
  const e = tf.exp(tf.sub(x, tf.max(x, axis, true)))
  return tf.div(e, tf.sum(e, axis, true))
}

function alongAxis(call: Call, f: (tf: Tf, x: TfTensor, axis: number) => TfTensor): Made {
  const axis = call.axis(-1)
  if (!call.isLast(0)) return f(call.tf, call.in(0), axis)
  return { last: f(call.tf, call.last(0), toLast(call.shape(0).length).indexOf(axis)) }
}

function reduction(reduce: Reduce): Kernel {
  return (call) => {
    const { tf } = call
    const rank = call.shape(0).length
    const given = call.integers(1)
    if (given.length === 0 && call.flag('noop_with_empty_axes')) return call.in(0).clone()
    const axes = given.length === 0 ? call.shape(0).map((_, i) => i) : given.map((axis) => wrapAxis(axis, rank))
    const keep = call.flag('keepdims', true)
    if (!call.isLast(0)) return reduce(tf, call.in(0), axes, keep)
    const order = toLast(rank)
    const held = axes.map((axis) => order.indexOf(axis))
    if (keep) return { last: reduce(tf, call.last(0), held, true) }
    // What is left is in the graph's order unless channels and space both are.
    const left = order.filter((axis) => !axes.includes(axis))
    const ordered = left.every((axis, i) => i === 0 || left[i - 1] < axis)
    return ordered ? reduce(tf, call.last(0), held, false) : reduce(tf, call.in(0), axes, false)
  }
}

function search(find: (tf: Tf, x: TfTensor, axis: number) => TfTensor): Kernel {
  return (call) => {
    const { tf } = call
    const axis = call.axis(0)
    const x = call.in(0)
    const backwards = call.flag('select_last_index')
    const found = find(tf, backwards ? tf.reverse(x, axis) : x, axis)
    const index = backwards ? tf.sub(tf.scalar(x.shape[axis] - 1, 'int32'), found) : found
    return call.flag('keepdims', true) ? tf.expandDims(index, axis) : index
  }
}
