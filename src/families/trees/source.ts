// Where trees get their features from, and how an exported model finds the same ones: any front end with a flat output, or, for
// wide sparse tables, the columns that enough rows fill, read straight from the sparse rows.
import type { SparseBatch } from '../../dataset/batch.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { concat, gather, reshape } from '../../graph/functions.ts'
import type { FrontEnd, ModelInput } from '../family.ts'

export type TreeSource =
  | { kind: 'front'; front: FrontEnd }
  /** A table's own columns: `front` passes them through, training reads them straight from the data. */
  | { kind: 'table'; front: FrontEnd }
  | { kind: 'sparse'; widths: readonly number[] }

/** Tables up to this wide are read as dense rows even when they are stored sparsely. */
const DENSE_WIDTH = 300

/** Raw columns of all matrices side by side, NaN kept. Null when examples vary in size. */
export function tableSource(profile: TaskProfile): TreeSource | null {
  const widths: number[] = []
  for (const { fixed, steps, rows, cols, channels } of profile.matrices) {
    if (!fixed || steps.min !== steps.max) return null
    widths.push(steps.max * rows.max * cols.max * channels)
  }
  const width = widths.reduce((sum, w) => sum + w, 0)
  const sparse = profile.matrices.some(({ spec }) => spec.format === 'SPARSE')
  if (sparse && width > DENSE_WIDTH) return { kind: 'sparse', widths }
  const front: FrontEnd = {
    key: `table-columns:${widths.join('+')}`,
    base: null,
    shape: [width],
    store: 'float32',
    build: (g, _x, inputs) => flattened(g, inputs, widths),
  }
  return { kind: sparse ? 'front' : 'table', front }
}

/** [n, sum of widths] */
function flattened(g: GraphBuilder, inputs: readonly ModelInput[], widths: readonly number[]): Value {
  const parts = inputs.map(({ matrix }, i) => reshape(g, matrix, [matrix.shape[0], widths[i]]))
  return parts.length === 1 ? parts[0] : concat(g, parts, 1)
}

/** What a tree model compares: [n, features]. @param columns kept columns of a sparse source */
export function treeInput(
  g: GraphBuilder,
  source: TreeSource,
  columns: Int32Array | null,
  x: Value | null,
  inputs: readonly ModelInput[],
): Value {
  if (source.kind !== 'sparse') {
    const features = source.front.shape.reduce((product, size) => product * size, 1)
    return source.front.shape.length === 1 ? x! : reshape(g, x!, [x!.shape[0], features])
  }
  const all = flattened(g, inputs, source.widths)
  return gather(g, all, g.constant(BigInt64Array.from(columns!, BigInt), [columns!.length]), 1)
}

/** Sparse rows of several matrices side by side. */
export function joinSparse(parts: readonly SparseBatch[]): SparseBatch {
  if (parts.length === 1) return parts[0]
  const rows = parts[0].indptr.length - 1
  const total = parts.reduce((sum, part) => sum + part.indices.length, 0)
  const indptr = new Int32Array(rows + 1)
  const indices = new Int32Array(total)
  const values = new Float32Array(total)
  let n = 0
  for (let i = 0; i < rows; i++) {
    let offset = 0
    for (const part of parts) {
      for (let p = part.indptr[i]; p < part.indptr[i + 1]; p++) {
        indices[n] = part.indices[p] + offset
        values[n++] = part.values[p]
      }
      offset += part.width
    }
    indptr[i + 1] = n
  }
  return { layout: 'sparse', indptr, indices, values, width: parts.reduce((sum, part) => sum + part.width, 0) }
}
