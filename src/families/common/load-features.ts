// Front-end outputs of training rows, in whatever form the front keeps them, with safe points in between.

import type { FrontEnd, TrialContext, TrialEvent } from '../family.ts'
import { chunkRows, widthOf } from './collect-features.ts'
import { allRows } from './train-classical.ts'

/** [rows.length, ...front.shape]. @param rows @default all training rows, in row order */
export async function* loadFeatures(
  trial: TrialContext,
  front: FrontEnd,
  rows: Int32Array = allRows(trial),
): AsyncGenerator<TrialEvent, Float32Array | Uint8Array, void> {
  const width = widthOf(front)
  const all = front.store === 'uint8' ? new Uint8Array(rows.length * width) : new Float32Array(rows.length * width)
  const chunk = chunkRows(trial.profile)
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.subarray(from, from + chunk)
    all.set(await trial.data.features(front, 'train', part), from * width)
    yield { type: 'progress', units: from + part.length, of: rows.length, note: 'rows prepared' }
  }
  return all
}
