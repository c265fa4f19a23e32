// Votes of the nearest stored rows: row i counts (1 - d_i^2 / d_k^2)^power, where d_k is the distance of the neighbour after the last
// that votes. The width of the kernel so follows the density of the rows, and a vote has faded to nothing where a neighbour is about
// to be replaced by another: scores are continuous in x, which keeps engines that round differently together (Samworth 2012 has
// such weights as the best for classification).
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  add,
  clip,
  div,
  gather,
  gemm,
  mul,
  neg,
  pow,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  slice,
  squeeze,
  sub,
  topK,
  transpose,
  unsqueeze,
} from '../../graph/functions.ts'
import type { Targets } from '../common/label-statistics.ts'

/** Added to the squared distance of the neighbour after the last: rows of unit length that are closer than 0.01 are equal. */
export const EQUAL = 1e-4

export interface Vote {
  /** Neighbours that vote; fewer where fewer are stored. */
  neighbours: number
  /** 1: votes fall in a straight line with the squared distance; more: the nearest ones decide. */
  power: number
  /** Votes that the class frequencies have. */
  prior: number
  /** Factor on the logarithms (softmax) or log odds (sigmoid) of the shares: what makes them honest. */
  scale: number
}

export interface Neighbourhood {
  /** [m, d] */
  rows: Float32Array
  /** [m, K] */
  targets: Float32Array
  /** [K] class frequencies, none of them 0 or 1. */
  priors: Float32Array
}

/** The weight of a neighbour at `squared` when the first that does not vote is at `outside`. */
export function weightOf(squared: number, outside: number, power: number): number {
  return Math.max(0, 1 - squared / (outside + EQUAL)) ** power
}

/** Ascending squared distances [n, count] and the rows' indices. x: [n, d] */
export function nearest(g: GraphBuilder, x: Value, rows: Value, count: number): { squared: Value; indices: Value } {
  const squares = add(g, reduceSumSquare(g, x, [1], true), transpose(g, reduceSumSquare(g, rows, [1], true), [1, 0]))
  const distances = relu(g, add(g, gemm(g, x, rows, null, { transB: true, alpha: -2 }), squares))
  const { values, indices } = topK(g, neg(g, distances), count)
  return { squared: neg(g, values), indices }
}

/** x: [n, d] -> scores [n, K] */
export function neighbourScores(
  g: GraphBuilder,
  x: Value,
  { rows, targets, priors }: Neighbourhood,
  vote: Vote,
  link: Targets['link'],
): Value {
  const k = priors.length
  const m = targets.length / k
  const stored = g.constant(rows, [m, rows.length / m])
  const count = votersOf(vote.neighbours, m)
  const { squared, indices } = nearest(g, x, stored, Math.min(m, count + 1))
  const outside = add(g, slice(g, squared, 1, -1, null), EQUAL)
  const weights = pow(g, relu(g, sub(g, 1, div(g, slice(g, squared, 1, 0, count), outside))), vote.power)
  const voters = reshape(g, gather(g, g.constant(targets, [m, k]), slice(g, indices, 1, 0, count)), [-1, count, k])
  const sums = squeeze(g, g.op('MatMul', [unsqueeze(g, weights, [1]), voters]), [1])
  const prior = g.constant(
    priors.map((p) => p * vote.prior),
    [1, k],
  )
  const shares = div(g, add(g, sums, prior), add(g, reduceSum(g, weights, [1], true), vote.prior))
  return linked(g, shares, vote.scale, link)
}

/** The last of few stored rows says how far the others are. */
export function votersOf(neighbours: number, m: number): number {
  return Math.max(1, Math.min(neighbours, m - 1))
}

function linked(g: GraphBuilder, shares: Value, scale: number, link: Targets['link']): Value {
  const logs = g.op('Log', [clip(g, shares, 1e-6, 1)])
  if (link === 'softmax') return g.op('Softmax', [mul(g, logs, scale)], { axis: -1 })
  const others = g.op('Log', [clip(g, sub(g, 1, shares), 1e-6, 1)])
  return g.op('Sigmoid', [mul(g, sub(g, logs, others), scale)])
}
