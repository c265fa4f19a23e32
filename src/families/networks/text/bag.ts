// Averaged embeddings with a linear head (fastText, Joulin et al. 2017), trained example by example: each step touches only the
// rows of the tokens at hand, which a dense graph cannot do; so the loop is ours, and only the finished model is a graph. Rows of
// the table: known tokens, subword pieces, buckets of token pairs. Adagrad with one accumulator per row (as in DLRM's sparse
// optimizer), since rows are seen with very different frequency. Pairs that few texts hold get no row: they would only be learned
// by heart, and drown the words beside them.

import type { Rng } from '../../../support/rng.ts'
import type { Targets } from '../../common/label-statistics.ts'
import type { Subwords } from './subwords.ts'
import type { Tokens } from './tokens.ts'

export interface BagOptions {
  /** Length of a vector. */
  dims: number
  /** Power of two; 0: no token pairs. */
  pairBuckets: number
  epochs: number
  rate: number
  /** Share of a text's tokens and pairs left out of each visit. */
  dropout: number
  labelSmoothing: number
}

export interface Bag {
  options: BagOptions
  /** Row of a token id in the table, -1 when no training text held it. */
  tokenRow: Int32Array
  subwords: Subwords | null
  firstPiece: number
  /** [pairBuckets] row of a bucket in the table, -1 when too few training texts hold such a pair. */
  pairRow: Int32Array
  /** [rows, dims] */
  table: Float32Array
  /** [rows] sums of mean squared gradients. */
  tableSquares: Float32Array
  /** [K, dims + 1], the last column is the bias. */
  head: Float32Array
  headSquares: Float32Array
}

/** Largest element of a new vector. */
const START = 0.2

/** Texts that must hold a pair for it to get a vector. */
const FEWEST_TEXTS = 3

/** @param counts texts per token id in `tokens`, the training rows; @param intercepts [K] where the head's biases start: the class frequencies */
export function newBag(
  tokens: Tokens,
  counts: Int32Array,
  subwords: Subwords | null,
  intercepts: Float32Array,
  options: BagOptions,
  rng: Rng,
): Bag {
  const { dims, pairBuckets } = options
  let rows = 0
  const tokenRow = Int32Array.from(counts, (count) => (count > 0 ? rows++ : -1))
  const firstPiece = rows
  const firstPair = (rows += subwords?.pieceCount ?? 0)
  const pairRow = pairCounts(tokens, pairBuckets).map((count) => (count >= FEWEST_TEXTS ? rows++ : -1))
  const table = new Float32Array(rows * dims)
  // Pairs start at zero: a pair that was never trained then adds nothing to a new text.
  for (let i = 0; i < firstPair * dims; i++) table[i] = (2 * rng.uniform() - 1) * START
  const classCount = intercepts.length
  const head = new Float32Array(classCount * (dims + 1))
  intercepts.forEach((intercept, c) => {
    head[c * (dims + 1) + dims] = intercept
  })
  return {
    options,
    tokenRow,
    subwords,
    firstPiece,
    pairRow,
    table,
    tableSquares: new Float32Array(rows),
    head,
    headSquares: new Float32Array(classCount * (dims + 1)),
  }
}

/** [buckets] texts that hold a pair of each bucket. */
function pairCounts({ ids, offsets }: Tokens, buckets: number): Int32Array {
  const counts = new Int32Array(buckets)
  const seen = new Int32Array(buckets).fill(-1)
  for (let i = 0; buckets > 0 && i + 1 < offsets.length; i++) {
    for (let j = offsets[i] + 1; j < offsets[i + 1]; j++) {
      if (ids[j - 1] < 0 || ids[j] < 0) continue
      const bucket = pairBucket(ids[j - 1], ids[j], buckets)
      if (seen[bucket] === i) continue
      seen[bucket] = i
      counts[bucket]++
    }
  }
  return counts
}

/** Both factors are odd and below 2^31, so that the products stay exact in int64. */
export const PAIR_FACTORS = [0x2545f491, 0x5851f42d] as const

/** Bucket of the pair (a, b), ids below 2^20: equal to the exported graph's int64 arithmetic. */
export function pairBucket(a: number, b: number, buckets: number): number {
  // Low bits of a product depend only on low bits of its factors, so 32-bit arithmetic suffices for a power of two.
  const h = (Math.imul(a + 1, PAIR_FACTORS[0]) + Math.imul(b + 1, PAIR_FACTORS[1])) >>> 0
  return (h >>> PAIR_SHIFT) & (buckets - 1)
}

/** The lowest bits mix worst; they are dropped. */
export const PAIR_SHIFT = 7

/**
 * Below this mean squared gradient a row moves as under plain SGD: Adagrad's full first step would turn every token seen once into
 * a strong vote.
 */
const SQUARE_FLOOR = 1e-3

/** Tokens of a text that a visit learns from on average: of longer texts other parts are seen at each visit, which costs no more than a short text. */
const VISITED_TOKENS = 64

/** Work done between two safe points, in table elements read or written: about 50 ms. */
const SLICE_WORK = 2e7

/** Trains in place for `options.epochs` passes with a linearly falling rate. Yields the passes done. */
export function* trainBag(bag: Bag, tokens: Tokens, targets: Targets, rng: Rng): Generator<number, void, void> {
  const { options, table, tableSquares, head, headSquares } = bag
  const { dims, epochs, labelSmoothing } = options
  const k = targets.classCount
  const n = targets.weights.length
  const softmax = targets.link === 'softmax'
  const order = Int32Array.from({ length: n }, (_, i) => i)
  const hidden = new Float32Array(dims)
  const hiddenGradient = new Float32Array(dims)
  const errors = new Float32Array(k)
  const visit = newVisit()
  const smooth = softmax ? labelSmoothing / k : labelSmoothing / 2
  let work = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    rng.shuffle(order)
    for (let at = 0; at < n; at++) {
      const i = order[at]
      const importance = targets.weights[i]
      if (importance === 0) continue
      const rate = options.rate * Math.max(0.01, 1 - (epoch + at / n) / epochs)
      const length = tokens.offsets[i + 1] - tokens.offsets[i]
      gather(bag, tokens, i, Math.max(options.dropout, 1 - VISITED_TOKENS / length), rng, visit)
      average(table, dims, visit, hidden)
      scores(head, hidden, errors, k, dims)
      link(errors, softmax)
      for (let c = 0; c < k; c++) {
        errors[c] = importance * (errors[c] - targets.values[i * k + c] * (1 - labelSmoothing) - smooth)
      }
      hiddenGradient.fill(0)
      for (let c = 0; c < k; c++) {
        const e = errors[c]
        const from = c * (dims + 1)
        for (let d = 0; d <= dims; d++) {
          const g = d === dims ? e : e * hidden[d]
          if (d < dims) hiddenGradient[d] += e * head[from + d]
          headSquares[from + d] += g * g
          head[from + d] -= (rate * g) / Math.sqrt(headSquares[from + d] + 1e-6)
        }
      }
      let square = 0
      for (let d = 0; d < dims; d++) square += hiddenGradient[d] ** 2
      square /= dims
      for (let f = 0; f < visit.count; f++) {
        const row = visit.rows[f]
        const weight = visit.weights[f]
        tableSquares[row] += square * weight * weight
        const step = (rate * weight) / Math.sqrt(tableSquares[row] + SQUARE_FLOOR)
        const from = row * dims
        for (let d = 0; d < dims; d++) table[from + d] -= step * hiddenGradient[d]
      }
      work += (2 * visit.count + 2 * k) * dims
      if (work > SLICE_WORK) {
        work = 0
        yield epoch + at / n
      }
    }
  }
}

/** [m, K] probabilities of texts. */
export function predictBag(bag: Bag, tokens: Tokens, classCount: number, softmax: boolean): Float32Array {
  const { dims } = bag.options
  const n = tokens.offsets.length - 1
  const out = new Float32Array(n * classCount)
  const hidden = new Float32Array(dims)
  const visit = newVisit()
  for (let i = 0; i < n; i++) {
    gather(bag, tokens, i, 0, null, visit)
    average(bag.table, dims, visit, hidden)
    const row = out.subarray(i * classCount, (i + 1) * classCount)
    scores(bag.head, hidden, row, classCount, dims)
    link(row, softmax)
  }
  return out
}

/** Table rows of one text and their shares of its mean. */
interface Visit {
  rows: Int32Array
  weights: Float32Array
  count: number
}

function newVisit(): Visit {
  return { rows: new Int32Array(256), weights: new Float32Array(256), count: 0 }
}

function push(visit: Visit, row: number, weight: number): void {
  if (visit.count === visit.rows.length) {
    const rows = new Int32Array(2 * visit.count)
    const weights = new Float32Array(2 * visit.count)
    rows.set(visit.rows)
    weights.set(visit.weights)
    visit.rows = rows
    visit.weights = weights
  }
  visit.rows[visit.count] = row
  visit.weights[visit.count++] = weight
}

/** A token is the mean of its own row and its pieces; the text is the mean of its kept tokens and pairs. */
function gather(bag: Bag, tokens: Tokens, text: number, dropout: number, rng: Rng | null, visit: Visit): void {
  const { tokenRow, subwords, firstPiece, pairRow } = bag
  const { pairBuckets } = bag.options
  const { ids, offsets } = tokens
  visit.count = 0
  let parts = 0
  let before = -1
  for (let j = offsets[text]; j < offsets[text + 1]; j++) {
    const id = ids[j]
    const dropped = rng !== null && dropout > 0 && rng.uniform() < dropout
    if (!dropped) {
      const row = id >= 0 && id < tokenRow.length ? tokenRow[id] : -1
      const from = subwords && id >= 0 && id + 1 < subwords.offsets.length ? subwords.offsets[id] : 0
      const to = subwords && id >= 0 && id + 1 < subwords.offsets.length ? subwords.offsets[id + 1] : 0
      const own = row >= 0 ? 1 : 0
      const size = own + to - from
      if (size > 0) {
        if (own) push(visit, row, 1 / size)
        for (let p = from; p < to; p++) push(visit, firstPiece + subwords!.pieces[p], 1 / size)
        parts++
      }
    }
    if (pairBuckets > 0 && before >= 0 && id >= 0) {
      const row = pairRow[pairBucket(before, id, pairBuckets)]
      if (row >= 0 && (rng === null || dropout === 0 || rng.uniform() >= dropout)) {
        push(visit, row, 1)
        parts++
      }
    }
    before = id
  }
  for (let f = 0; f < visit.count; f++) visit.weights[f] /= parts
}

function average(table: Float32Array, dims: number, visit: Visit, hidden: Float32Array): void {
  hidden.fill(0)
  for (let f = 0; f < visit.count; f++) {
    const from = visit.rows[f] * dims
    const weight = visit.weights[f]
    for (let d = 0; d < dims; d++) hidden[d] += weight * table[from + d]
  }
}

function scores(head: Float32Array, hidden: Float32Array, out: Float32Array, k: number, dims: number): void {
  for (let c = 0; c < k; c++) {
    const from = c * (dims + 1)
    let sum = head[from + dims]
    for (let d = 0; d < dims; d++) sum += head[from + d] * hidden[d]
    out[c] = sum
  }
}

/** Logits to probabilities, in place. */
function link(z: Float32Array, softmax: boolean): void {
  if (!softmax) {
    for (let c = 0; c < z.length; c++) z[c] = 1 / (1 + Math.exp(-z[c]))
    return
  }
  let top = Number.NEGATIVE_INFINITY
  for (let c = 0; c < z.length; c++) top = Math.max(top, z[c])
  let sum = 0
  for (let c = 0; c < z.length; c++) sum += z[c] = Math.exp(z[c] - top)
  for (let c = 0; c < z.length; c++) z[c] /= sum
}
