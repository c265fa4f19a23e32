// predictions.arrow: id (int64), then one float32 column of scores per class, for the test split; an Arrow IPC file.
import {
  Field,
  Float32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
} from 'apache-arrow'

/** `scores`: [n, K] row-major. Columns are named after their class, `id` first (an object of columns would put names like `7` before it). */
export function encodePredictions(ids: Float64Array, scores: Float32Array, labelNames: readonly string[]): Uint8Array {
  const names = columnNames(labelNames)
  const classCount = names.length
  const length = ids.length
  const columns = names.map((_, k) => Float32Array.from({ length }, (_, i) => scores[i * classCount + k]))
  const fields = [new Field('id', new Int64(), false), ...names.map((name) => new Field(name, new Float32(), false))]
  const children = [
    makeData({ type: new Int64(), length, data: BigInt64Array.from(ids, (id) => BigInt(Math.trunc(id))) }),
    ...columns.map((data) => makeData({ type: new Float32(), length, data })),
  ]
  const schema = new Schema(fields)
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children }))
  return tableToIPC(new Table(schema, batch), 'file')
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
