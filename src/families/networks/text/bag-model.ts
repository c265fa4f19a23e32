// A trained bag as a graph: token ids -> rows of one table in which words and their pieces are already folded together, hashed
// pairs -> rows of a second; means; head. A last column of ones in both tables counts what was found, so that one sum over the
// text gives both the total and how many parts it has.
import type { GraphBuilder, Value } from '../../../graph/builder.ts'
import {
  add,
  and,
  cast,
  div,
  gather,
  gemm,
  greaterOrEqual,
  less,
  maximum,
  mod,
  mul,
  range,
  reduceSum,
  reshape,
  sigmoid,
  slice,
  softmax,
  where,
} from '../../../graph/functions.ts'
import type { Link } from '../../common/label-statistics.ts'
import type { Model, ModelInput } from '../../family.ts'
import { type Bag, PAIR_FACTORS, PAIR_SHIFT } from './bag.ts'
import { MAX_TOKENS } from './tokens.ts'

export function bagModel(bag: Bag, link: Link): Model {
  const { dims, pairBuckets } = bag.options
  const width = dims + 1
  const tokenTable = foldedTokens(bag)
  const { pairTable, pairIndex, pairCount } = pairTables(bag)
  const classCount = bag.head.length / width
  const weights = new Float32Array(classCount * dims)
  const biases = new Float32Array(classCount)
  for (let c = 0; c < classCount; c++) {
    weights.set(bag.head.subarray(c * width, c * width + dims), c * dims)
    biases[c] = bag.head[c * width + dims]
  }
  return {
    front: null,
    build: (g, _x, inputs) => {
      const { ids, valid } = tokenIds(g, inputs[0], MAX_TOKENS)
      const size = tokenTable.length / width - 1
      const inside = and(g, and(g, valid, greaterOrEqual(g, ids, 0)), less(g, ids, size))
      const tokens = gather(g, g.constant(tokenTable, [size + 1, width]), where(g, inside, ids, size))
      let sum = reduceSum(g, tokens, [1])
      if (pairBuckets > 0) {
        const [left, right] = [slice(g, ids, 1, 0, -1), slice(g, ids, 1, 1, null)]
        const counted = and(
          g,
          slice(g, valid, 1, 1, null),
          and(g, greaterOrEqual(g, left, 0), greaterOrEqual(g, right, 0)),
        )
        const products = add(g, mul(g, add(g, left, 1), PAIR_FACTORS[0]), mul(g, add(g, right, 1), PAIR_FACTORS[1]))
        // Negative ids would leave a negative remainder; they are masked below.
        const bucket = mod(g, div(g, mod(g, products, 2 ** 32), 2 ** PAIR_SHIFT), pairBuckets)
        const row = gather(g, g.constant(pairIndex, [pairBuckets]), where(g, counted, bucket, 0))
        const pairs = gather(g, g.constant(pairTable, [pairCount + 1, width]), where(g, counted, row, pairCount))
        sum = add(g, sum, reduceSum(g, pairs, [1]))
      }
      const parts = maximum(g, slice(g, sum, 1, dims, null), 1)
      const mean = div(g, slice(g, sum, 1, 0, dims), parts)
      const z = gemm(g, mean, g.constant(weights, [classCount, dims]), g.constant(biases, [classCount]), {
        transB: true,
      })
      return link === 'softmax' ? softmax(g, z) : sigmoid(g, z)
    },
  }
}

/**
 * Token ids int64 [n, t] and whether each is part of its text, bool [n, t]; t is at least 2 and at most `most` + 2, so that an
 * empty text still has positions to look at.
 */
export function tokenIds(g: GraphBuilder, input: ModelInput, most: number): { ids: Value; valid: Value } {
  const { matrix, length } = input
  const flat = slice(g, reshape(g, matrix, [matrix.shape[0], -1]), 1, 0, most)
  const count = reshape(g, g.op('Shape', [flat], { start: 1, end: 2 }), [])
  const padding = g.op('Pad', [flat, g.ints([0, 0, 0, 2]), g.scalar(-1)], { mode: 'constant' })
  const ids = cast(g, padding, 'int64')
  const position = range(g, 0, add(g, count, 2))
  const end =
    length === null ? reshape(g, count, [1, 1]) : g.op('Min', [reshape(g, length, [-1, 1]), reshape(g, count, [1, 1])])
  const before = less(g, reshape(g, position, [1, -1]), end)
  return { ids, valid: and(g, before, greaterOrEqual(g, ids, 0)) }
}

/** Vectors of the pairs that have one with a 1 behind each, then zeros; and the row of every bucket, the zeros where it has none. */
function pairTables(bag: Bag): { pairTable: Float32Array; pairIndex: Int32Array; pairCount: number } {
  const { dims } = bag.options
  const width = dims + 1
  const pairCount = bag.pairRow.filter((row) => row >= 0).length
  const pairTable = new Float32Array((pairCount + 1) * width)
  let next = 0
  const pairIndex = bag.pairRow.map((row) => {
    if (row < 0) return pairCount
    pairTable.set(bag.table.subarray(row * dims, (row + 1) * dims), next * width)
    pairTable[next * width + dims] = 1
    return next++
  })
  return { pairTable, pairIndex, pairCount }
}

/** [V + 1, dims + 1]: the mean of each id's own row and pieces and a 1, or zeros where nothing is known; the last row is zero. */
function foldedTokens(bag: Bag): Float32Array {
  const { tokenRow, subwords, firstPiece, table } = bag
  const { dims } = bag.options
  const width = dims + 1
  const size = Math.max(tokenRow.length, subwords ? subwords.offsets.length - 1 : 0)
  const out = new Float32Array((size + 1) * width)
  for (let id = 0; id < size; id++) {
    const rows = id < tokenRow.length && tokenRow[id] >= 0 ? [tokenRow[id]] : []
    if (subwords && id + 1 < subwords.offsets.length) {
      for (let p = subwords.offsets[id]; p < subwords.offsets[id + 1]; p++) rows.push(firstPiece + subwords.pieces[p])
    }
    for (const row of rows) {
      for (let d = 0; d < dims; d++) out[id * width + d] += table[row * dims + d] / rows.length
    }
    if (rows.length > 0) out[id * width + dims] = 1
  }
  return out
}
