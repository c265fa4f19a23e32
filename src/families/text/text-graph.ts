// A linear text model as a graph of lookups, without strings: token ids -> table rows of tokens and of hashed n-grams -> repeats
// masked by sorting (features are binary) -> sum of rows -> division by the text's length -> margins. Each table row holds a part's
// weights for every output and, last, its squared length.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  add,
  cast,
  concat,
  div,
  equal,
  gather,
  less,
  maximum,
  mod,
  mul,
  pad,
  reduceSum,
  slice,
  sqrt,
  where,
} from '../../graph/functions.ts'
import type { ModelInput } from '../family.ts'
import type { LinearWeights } from '../sparse/dual-linear.ts'
import { type FeatureSpace, TextReader } from './feature-space.ts'
import { multiplier, type NgramShape, WORD_LIMIT } from './ngrams.ts'
import { TOKEN_LIMIT } from './texts.ts'

export interface TextTables {
  /** Lexicon size: id `size` is the unknown token, id `size + 1` lies beyond the text's end. */
  size: number
  shapes: readonly NgramShape[]
  tableSize: number
  /** [size + 2] row of a token; row 0 is all zeros. */
  tokenRows: Int32Array
  /** [size + 2] word ids, taken modulo WORD_LIMIT. */
  first: BigInt64Array
  last: BigInt64Array
  /** Per shape: [tableSize] row of a key. */
  keyRows: Int32Array[]
  /** [rows, outputs + 1] */
  table: Float32Array
  rows: number
  outputs: number
  bias: Float32Array
}

const YIELD_ROWS = 1 << 14

/** Folds a fitted model into tables. Yields every few thousand rows. */
export function* textTables(
  space: FeatureSpace,
  model: Pick<LinearWeights, 'weights' | 'bias'>,
): Generator<number, TextTables, void> {
  const { lexicon, shapes, tableSize, columns, idf } = space
  const outputs = model.bias.length
  const { size } = lexicon
  const reader = new TextReader(lexicon, shapes, tableSize)
  const stride = outputs + 1
  const ngramTotal = shapes.length * tableSize
  let rows = 1
  const tokenRows = new Int32Array(size + 2)
  for (let token = 0; token < size; token++) {
    let known = false
    for (let i = lexicon.start[token]; i < lexicon.start[token + 1] && !known; i++)
      known = columns[lexicon.keys[i]] >= 0
    // Words too rare for a column of their own may stand in a pair that is not.
    if (!known && lexicon.pairStart[token] < lexicon.pairStart[token + 1]) {
      reader.eachPair(token, (key) => {
        known ||= columns[key] >= 0
      })
    }
    if (known) tokenRows[token] = rows++
  }
  const tokenRowEnd = rows
  const keyRows = shapes.map((_, s) => {
    const base = lexicon.keyCount + s * tableSize
    const found = new Int32Array(tableSize)
    for (let key = 0; key < tableSize; key++) if (columns[base + key] >= 0) found[key] = rows++
    return found
  })
  const table = new Float32Array(rows * stride)
  const accumulate = (row: number, column: number, value: number) => {
    const at = row * stride
    for (let k = 0; k < outputs; k++) table[at + k] += value * model.weights[column * outputs + k]
    table[at + outputs] += value * value
  }
  for (let token = 0; token < size; token++) {
    const row = tokenRows[token]
    if (row === 0) continue
    if (row % YIELD_ROWS === 0) yield row
    for (let i = lexicon.start[token]; i < lexicon.start[token + 1]; i++) {
      const column = columns[lexicon.keys[i]]
      if (column >= 0) accumulate(row, column, lexicon.values[i] * idf[column])
    }
    reader.eachPair(token, (key, weight) => {
      if (columns[key] >= 0) accumulate(row, columns[key], weight * idf[columns[key]])
    })
  }
  let row = tokenRowEnd
  for (let key = 0; key < ngramTotal; key++) {
    const column = columns[lexicon.keyCount + key]
    if (column < 0) continue
    if (row % YIELD_ROWS === 0) yield row
    accumulate(row++, column, shapes[Math.floor(key / tableSize)].weight * idf[column])
  }
  const words = (ids: Int32Array) => {
    const out = new BigInt64Array(size + 2)
    for (let token = 0; token <= size; token++) out[token] = BigInt(ids[token] % WORD_LIMIT)
    return out
  }
  const { bias } = model
  return {
    size,
    shapes,
    tableSize,
    tokenRows,
    first: words(lexicon.first),
    last: words(lexicon.last),
    keyRows,
    table,
    rows,
    outputs,
    bias,
  }
}

/** Margins [n, outputs] of token sequences. */
export function textMargins(g: GraphBuilder, input: ModelInput, tables: TextTables): Value {
  const ids = tokenIds(g, input, tables.size)
  const parts = [gather(g, g.constant(tables.tokenRows, [tables.size + 2]), ids)]
  if (tables.shapes.length > 0) {
    const padded = (words: BigInt64Array) => pad(g, gather(g, g.constant(words, [tables.size + 2]), ids), [0, 1, 0, 2])
    const first = padded(tables.first)
    const last = padded(tables.last)
    tables.shapes.forEach((shape, s) => {
      const key = ngramKeyGraph(g, shape, first, last, tables.tableSize)
      parts.push(gather(g, g.constant(tables.keyRows[s], [tables.tableSize]), key))
    })
  }
  // Parts have rows of their own, so each is sorted and summed apart: what is held at once is one part's rows.
  const table = g.constant(tables.table, [tables.rows, tables.outputs + 1])
  const sums = parts
    .map((part) => reduceSum(g, gather(g, table, distinct(g, part)), [1]))
    .reduce((a, b) => add(g, a, b))
  const weights = slice(g, sums, 1, 0, tables.outputs)
  const length = sqrt(g, maximum(g, slice(g, sums, 1, tables.outputs, null), 1e-12))
  return add(g, div(g, weights, length), g.constant(tables.bias, [tables.outputs]))
}

/** Lexicon ids [n, t] as int32: size for unknown tokens, size + 1 beyond a text's end. */
function tokenIds(g: GraphBuilder, input: ModelInput, size: number): Value {
  const { matrix, length } = input
  const flat = g.op('Reshape', [matrix, g.ints([0, -1])])
  const raw = slice(g, flat, 1, 0, TOKEN_LIMIT)
  const inside = g.op('And', [g.op('GreaterOrEqual', [raw, g.scalar(0)]), less(g, raw, size)])
  const ids = cast(g, where(g, inside, raw, size), 'int32')
  if (length === null) return ids
  const steps = g.op('Squeeze', [g.op('Shape', [raw], { start: 1, end: 2 }), g.ints([0])])
  const positions = g.op('Range', [g.scalar(0, 'int64'), steps, g.scalar(1, 'int64')])
  const within = less(g, positions, g.op('Unsqueeze', [length, g.ints([1])]))
  return where(g, within, ids, size + 1)
}

/** Hash keys [n, t or t + 1] of one shape; 0 where there is nothing. Words have one 0 before and two after. */
function ngramKeyGraph(g: GraphBuilder, shape: NgramShape, first: Value, last: Value, tableSize: number): Value {
  const tail = shape.name === 'pair' ? 1 : 0
  const at = (words: Value, offset: number) => {
    const end = offset - 2 + tail
    return slice(g, words, 1, offset + 1, end === 0 ? null : end)
  }
  let sum: Value | null = null
  shape.offsets.forEach((offset, j) => {
    const term = mul(g, at(j === 0 ? last : first, offset), multiplier(offset))
    sum = sum === null ? term : add(g, sum, term)
  })
  const key = mod(g, sum as unknown as Value, tableSize)
  return shape.name === 'pair' ? key : where(g, equal(g, at(first, 0), 0), 0, key)
}

/** Sorts the row numbers of each text and zeroes repeats. [n, m] -> [n, m] */
function distinct(g: GraphBuilder, rows: Value): Value {
  const [sorted] = g.ops('TopK', [rows, g.op('Shape', [rows], { start: 1, end: 2 })], { axis: 1 }, 2)
  const head = slice(g, sorted, 1, 0, 1)
  const rest = slice(g, sorted, 1, 1, null)
  const repeated = equal(g, rest, slice(g, sorted, 1, 0, -1))
  return concat(g, [head, where(g, repeated, 0, rest)], 1)
}
