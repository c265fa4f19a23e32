// How stored values become features. 'counts' (whole numbers, none negative: words of a document, events): log(1 + x) times the
// inverse document frequency, rows scaled to length 1. 'values': divided by the column's root mean square over all rows, rows kept
// at their own length, in units of the usual one. Missing and infinite values count as 0.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { abs, add, cast, div, log, matmul, maximum, mul, reduceSumSquare, sqrt, where } from '../../graph/functions.ts'
import { type Csr, documentFrequencies, normaliseRows, rowCount } from './csr.ts'

export type ValueForm = 'counts' | 'presence' | 'values'

export interface ColumnWeights {
  form: ValueForm
  /** [width]; 0 for columns without any stored value. */
  scales: Float32Array
}

export function fitColumnWeights(matrix: Csr, form: ValueForm): ColumnWeights {
  const scales = new Float32Array(matrix.width)
  const rows = rowCount(matrix)
  if (form !== 'values') {
    const frequencies = documentFrequencies(matrix)
    for (let f = 0; f < scales.length; f++) {
      if (frequencies[f] > 0) scales[f] = Math.log((1 + rows) / (1 + frequencies[f])) + 1
    }
    return { form, scales }
  }
  const squares = new Float64Array(matrix.width)
  for (let at = 0; at < matrix.indices.length; at++) squares[matrix.indices[at]] += matrix.values[at] ** 2
  for (let f = 0; f < scales.length; f++) if (squares[f] > 0) scales[f] = Math.sqrt(rows / squares[f])
  let total = 0
  for (let at = 0; at < matrix.indices.length; at++) total += (matrix.values[at] * scales[matrix.indices[at]]) ** 2
  const usual = Math.sqrt(total / Math.max(1, rows))
  if (usual > 0) for (let f = 0; f < scales.length; f++) scales[f] /= usual
  return { form, scales }
}

/** Features of `matrix`, sharing its indices. */
export function weightedRows(matrix: Csr, { form, scales }: ColumnWeights): Csr {
  const values = new Float32Array(matrix.values.length)
  for (let at = 0; at < values.length; at++) {
    const x = matrix.values[at]
    const formed = form === 'counts' ? Math.log1p(Math.abs(x)) : form === 'presence' ? +(x !== 0) : x
    values[at] = formed * scales[matrix.indices[at]]
  }
  const weighted = { ...matrix, values }
  return form === 'values' ? weighted : normaliseRows(weighted)
}

/**
 * Margins without bias as graph nodes: x [n, width], weights [width, outputs] -> [n, outputs]. Rows are divided by their length
 * after the product, which is [n, outputs] small.
 */
export function weightedProduct(
  g: GraphBuilder,
  x: Value,
  { form, scales }: ColumnWeights,
  weights: Float32Array,
): Value {
  const clean = where(g, g.op('IsNaN', [x]), 0, x)
  const scale = g.constant(scales, [scales.length])
  const matrix = g.constant(weights, [scales.length, weights.length / scales.length])
  if (form === 'values') return matmul(g, mul(g, clean, scale), matrix)
  const formed =
    form === 'counts' ? log(g, add(g, abs(g, clean), 1)) : cast(g, g.op('Cast', [clean], { to: 'bool' }), 'float32')
  const weighted = mul(g, formed, scale)
  const length = sqrt(g, maximum(g, reduceSumSquare(g, weighted, [1], true), 1e-20))
  return div(g, matmul(g, weighted, matrix), length)
}
