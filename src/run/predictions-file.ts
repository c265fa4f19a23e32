// predictions.arrow: id (int64), then one float32 column of scores per class, for the test split; an Arrow IPC file.
import { Float32, Int64, makeVector, Table, tableFromIPC, tableToIPC, type Vector, vectorFromArray } from 'apache-arrow'

/** `scores`: [n, K] row-major. Columns are named after their class. */
export function encodePredictions(ids: Float64Array, scores: Float32Array, labelNames: readonly string[]): Uint8Array {
  const classCount = labelNames.length
  const names = columnNames(labelNames)
  const columns: Record<string, Vector> = {
    id: vectorOrEmpty(
      BigInt64Array.from(ids, (id) => BigInt(Math.trunc(id))),
      new Int64(),
    ),
  }
  for (let k = 0; k < classCount; k++) {
    const column = new Float32Array(ids.length)
    for (let i = 0; i < column.length; i++) column[i] = scores[i * classCount + k]
    columns[names[k]] = vectorOrEmpty(column, new Float32())
  }
  return tableToIPC(new Table(columns), 'file')
}

export interface Predictions {
  ids: Float64Array
  /** [n, K] row-major. */
  scores: Float32Array
  classNames: string[]
}

export function decodePredictions(bytes: Uint8Array): Predictions {
  const table = tableFromIPC(bytes)
  const classNames = table.schema.fields.slice(1).map((field) => field.name)
  const ids = Float64Array.from(table.getChildAt(0)!.toArray() as BigInt64Array, Number)
  const scores = new Float32Array(ids.length * classNames.length)
  for (let k = 0; k < classNames.length; k++) {
    const column = table.getChildAt(k + 1)!.toArray() as Float32Array
    for (let i = 0; i < column.length; i++) scores[i * classNames.length + k] = column[i]
  }
  return { ids, scores, classNames }
}

/** Unique and not `id`: unnamed classes are `class_<k>`, a repeated name gets its index. */
export function columnNames(labelNames: readonly string[]): string[] {
  const taken = new Set(['id'])
  return labelNames.map((label, k) => {
    let name = label === '' ? `class_${k}` : label
    while (taken.has(name)) name = `${name}_${k}`
    taken.add(name)
    return name
  })
}

/** makeVector of nothing has no type to infer from. */
function vectorOrEmpty(data: Float32Array | BigInt64Array, type: Float32 | Int64): Vector {
  return data.length === 0
    ? (vectorFromArray([], type) as Vector)
    : (makeVector(data as Float32Array) as unknown as Vector)
}
