// Predictions as a file whose ending says the format. Tables have a column `id` and one score column per class; `.predict` is the
// challenge's own format. Files appear by rename.
import { extname } from 'node:path'
import { formatScores } from '../../run/protocol.ts'
import { writeFileAtomic } from '../../support/atomic-file.ts'
import { UsageError } from '../../support/errors.ts'
import type { ModelScores } from './run-model.ts'

export const PREDICTION_FORMATS = ['.arrow', '.csv', '.parquet', '.predict'] as const
export type PredictionFormat = (typeof PREDICTION_FORMATS)[number]

/** @throws UsageError naming the formats there are */
export function predictionFormat(path: string): PredictionFormat {
  const ending = extname(path) as PredictionFormat
  if (PREDICTION_FORMATS.includes(ending)) return ending
  throw new UsageError(`--out: received ${JSON.stringify(path)}; must end in ${PREDICTION_FORMATS.join(', ')}`)
}

/** @throws OUTPUT_WRITE */
export async function writePredictions(path: string, predictions: ModelScores): Promise<void> {
  writeFileAtomic(path, await encode(predictionFormat(path), predictions))
}

export async function encode(format: PredictionFormat, predictions: ModelScores): Promise<string | Uint8Array> {
  switch (format) {
    case '.predict':
      return formatScores(predictions.scores, predictions.classCount)
    case '.csv':
      return encodeCsv(predictions)
    case '.arrow':
      return encodeArrow(predictions)
    case '.parquet':
      return encodeParquet(predictions)
    default:
      return format satisfies never
  }
}

/** One name per class: the label where it is known and unique, else `class_<k>`. */
export function columnNames(labelNames: readonly string[]): string[] {
  const uses = new Map<string, number>()
  for (const name of labelNames) uses.set(name, (uses.get(name) ?? 0) + 1)
  return labelNames.map((name, k) => (name === '' || name === 'id' || uses.get(name)! > 1 ? `class_${k}` : name))
}

function encodeCsv({ ids, scores, classCount, labelNames }: ModelScores): string {
  const lines = [['id', ...columnNames(labelNames)].map(quote).join(',')]
  for (let i = 0; i < ids.length; i++) {
    const cells = Array.from(scores.subarray(i * classCount, (i + 1) * classCount), (score) =>
      String(Number(score.toPrecision(7))),
    )
    lines.push([String(ids[i]), ...cells].join(','))
  }
  return `${lines.join('\r\n')}\r\n`
}

/** RFC 4180. */
function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

async function encodeArrow(predictions: ModelScores): Promise<Uint8Array> {
  const { makeTable, tableToIPC } = await import('apache-arrow')
  return tableToIPC(makeTable({ id: bigIds(predictions.ids), ...columns(predictions) }), 'file')
}

async function encodeParquet(predictions: ModelScores): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import('hyparquet-writer')
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: bigIds(predictions.ids), type: 'INT64' },
      ...Object.entries(columns(predictions)).map(([name, data]) => ({ name, data, type: 'FLOAT' as const })),
    ],
  })
  return new Uint8Array(buffer)
}

function bigIds(ids: Float64Array): BigInt64Array {
  return BigInt64Array.from(ids, (id) => BigInt(Math.trunc(id)))
}

function columns({ scores, classCount, labelNames }: ModelScores): Record<string, Float32Array> {
  const count = scores.length / classCount
  const names = columnNames(labelNames)
  return Object.fromEntries(
    names.map((name, k) => [name, Float32Array.from({ length: count }, (_, i) => scores[i * classCount + k])]),
  )
}
