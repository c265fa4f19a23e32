// Predictions as a file whose ending says the format. Tables have a column `id` and one score column per class; `.predict` is the
// challenge's own format. Files appear by rename.
import { extname } from 'node:path'
import { columnNames } from '../../run/predictions-file.ts'
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

async function encodeArrow({ ids, scores, labelNames }: ModelScores): Promise<Uint8Array> {
  const { encodePredictions } = await import('../../run/predictions-file.ts')
  return encodePredictions(ids, scores, labelNames)
}

async function encodeParquet({ ids, scores, classCount, labelNames }: ModelScores): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import('hyparquet-writer')
  const columns = columnNames(labelNames).map((name, k) => ({
    name,
    data: Float32Array.from({ length: ids.length }, (_, i) => scores[i * classCount + k]),
    type: 'FLOAT' as const,
  }))
  const bigIds = BigInt64Array.from(ids, (id) => BigInt(Math.trunc(id)))
  return new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'id', data: bigIds, type: 'INT64' }, ...columns] }))
}
