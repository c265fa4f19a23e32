// Columns of tables, spread out so that a linear model can bend: each column standardised (heavy tails through asinh first), missing
// values replaced by the mean and flagged, small integral columns one-hot, other columns also as piecewise linear pieces between
// quantiles (Gorishniy et al. 2022, section 3.2). All matrices of an example are laid side by side.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  abs,
  add,
  cast,
  clip,
  concat,
  div,
  equal,
  gather,
  log,
  mul,
  reshape,
  sign,
  sqrt,
  sub,
  where,
} from '../../graph/functions.ts'
import { fingerprint } from '../common/fingerprint.ts'
import type { FrontEnd, ModelInput } from '../family.ts'

export interface TableFrontOptions {
  /** Columns get quantile pieces and one-hot codes while the sum stays below this many features. @default 2048 */
  maxFeatures?: number
  /** Quantile pieces per continuous column; 0 leaves them out. @default 0 */
  pieces?: number
}

interface TableColumns {
  /** [d] each: where missing values go, and what standardises. */
  mean: Float32Array
  scale: Float32Array
  /** [d] 1: the column passes through asinh after standardising. */
  heavy: Float32Array
  /** Columns with missing values. */
  flagged: Int32Array
  /** Pairs (column, value) of one-hot codes. */
  codeColumns: Int32Array
  codeValues: Float32Array
  /** Pieces: column, lower end, one over the width. */
  pieceColumns: Int32Array
  pieceStarts: Float32Array
  pieceSlopes: Float32Array
}

const MAX_CODES = 32
/** Standard deviations beyond which a column is heavy-tailed. */
const HEAVY = 8
/** Where asinh of a heavy column ends: its square still fits float32. */
const FAR = 1e15
/** Infinities become this, still a very large number. */
const HUGE = 1e30

/** @param x [n, d] values of sampled rows, NaN where missing. */
export function tableFront(x: Float32Array, n: number, d: number, options: TableFrontOptions = {}): FrontEnd {
  const columns = describeColumns(x, n, d, options)
  const size = d + columns.flagged.length + columns.codeColumns.length + columns.pieceColumns.length
  return {
    key: `table:${fingerprint(...Object.values(columns))}`,
    base: null,
    shape: [size],
    store: 'float32',
    build: (g, _x, inputs) => spread(g, flattenMatrices(g, inputs, d), columns),
  }
}

/** [n, d]: all matrices of an example, flattened, side by side. */
export function flattenMatrices(g: GraphBuilder, inputs: readonly ModelInput[], d: number): Value {
  const parts = inputs.map(({ matrix }) => g.op('Flatten', [matrix], { axis: 1 }))
  return reshape(g, concat(g, parts, 1), [-1, d])
}

function spread(g: GraphBuilder, x: Value, columns: TableColumns): Value {
  const d = columns.mean.length
  const row = (values: Float32Array) => g.constant(values, [1, values.length])
  const missing = g.op('IsNaN', [x])
  const filled = clip(g, where(g, missing, row(columns.mean), x), -HUGE, HUGE)
  const z = mul(g, sub(g, filled, row(columns.mean)), row(columns.scale))
  const parts = [clip(g, z, -HEAVY, HEAVY)]
  if (columns.heavy.some((flag) => flag > 0)) {
    const far = clip(g, z, -FAR, FAR)
    const bent = mul(g, sign(g, far), log(g, add(g, abs(g, far), sqrt(g, add(g, mul(g, far, far), 1)))))
    parts[0] = where(g, cast(g, g.constant(columns.heavy, [1, d]), 'bool'), bent, parts[0])
  }
  if (columns.flagged.length > 0) parts.push(gather(g, cast(g, missing, 'float32'), index(g, columns.flagged), 1))
  if (columns.codeColumns.length > 0) {
    const values = gather(g, x, index(g, columns.codeColumns), 1)
    parts.push(cast(g, equal(g, values, row(columns.codeValues)), 'float32'))
  }
  if (columns.pieceColumns.length > 0) {
    const values = gather(g, filled, index(g, columns.pieceColumns), 1)
    const offset = sub(g, values, row(columns.pieceStarts))
    parts.push(clip(g, div(g, offset, row(columns.pieceSlopes.map((slope) => 1 / slope))), 0, 1))
  }
  return concat(g, parts, 1)
}

function index(g: GraphBuilder, columns: Int32Array): Value {
  return g.constant(columns, [columns.length])
}

function describeColumns(x: Float32Array, n: number, d: number, options: TableFrontOptions): TableColumns {
  const { maxFeatures = 2048, pieces = 0 } = options
  const mean = new Float32Array(d)
  const scale = new Float32Array(d)
  const heavy = new Float32Array(d)
  const flagged: number[] = []
  const codes: [number, number][] = []
  const slopes: [number, number, number][] = []
  const column = new Float32Array(n)
  let room = maxFeatures - d
  for (let j = 0; j < d; j++) {
    let count = 0
    for (let i = 0; i < n; i++) {
      const value = x[i * d + j]
      if (!Number.isNaN(value)) column[count++] = Math.max(-HUGE, Math.min(HUGE, value))
    }
    if (count < n) flagged.push(j)
    const sorted = column.subarray(0, count).slice().sort()
    const moments = momentsOf(sorted)
    mean[j] = moments.mean
    scale[j] = moments.std > 1e-7 * Math.abs(moments.mean) && moments.std > 1e-30 ? 1 / moments.std : 0
    if (scale[j] === 0) continue
    const reach = Math.max(sorted[count - 1] - moments.mean, moments.mean - sorted[0]) * scale[j]
    if (reach > HEAVY) {
      heavy[j] = 1
      const spread = quantile(sorted, 0.75) - quantile(sorted, 0.25)
      mean[j] = quantile(sorted, 0.5)
      if (spread > 0) scale[j] = 2 / spread
    }
    const distinct = distinctValues(sorted, MAX_CODES)
    if (distinct && distinct.length <= room && distinct.length > 2 && distinct.every(Number.isInteger)) {
      for (const value of distinct) codes.push([j, value])
      room -= distinct.length
    } else if (!distinct && pieces > 0 && pieces <= room) {
      const knots = Float32Array.from({ length: pieces + 1 }, (_, i) => quantile(sorted, i / pieces))
      for (let p = 0; p < pieces; p++) {
        if (knots[p + 1] > knots[p]) slopes.push([j, knots[p], 1 / (knots[p + 1] - knots[p])])
      }
      room -= pieces
    }
  }
  return {
    mean,
    scale,
    heavy,
    flagged: Int32Array.from(flagged),
    codeColumns: Int32Array.from(codes, ([j]) => j),
    codeValues: Float32Array.from(codes, ([, value]) => value),
    pieceColumns: Int32Array.from(slopes, ([j]) => j),
    pieceStarts: Float32Array.from(slopes, ([, start]) => start),
    pieceSlopes: Float32Array.from(slopes, ([, , slope]) => slope),
  }
}

function momentsOf(values: Float32Array): { mean: number; std: number } {
  let sum = 0
  for (const value of values) sum += value
  const mean = values.length > 0 ? sum / values.length : 0
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return { mean, std: Math.sqrt(squares / Math.max(1, values.length)) }
}

/** Linear interpolation between order statistics; `sorted` not empty. */
function quantile(sorted: Float32Array, share: number): number {
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}

/** Ascending distinct values, or null when there are more than `most`. */
function distinctValues(sorted: Float32Array, most: number): number[] | null {
  const found: number[] = []
  for (const value of sorted) {
    if (found.length === 0 || value !== found[found.length - 1]) {
      if (found.length === most) return null
      found.push(value)
    }
  }
  return found
}
