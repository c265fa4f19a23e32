// Front-end outputs of all training rows, in row order, in whatever form the front keeps them, with safe points in between.
import { chunkRows, widthOf } from '../common/collect-features.ts'
import type { FrontEnd, TrialContext, TrialEvent } from '../family.ts'

/** [trainCount, ...front.shape] */
export async function* loadFeatures(
  trial: TrialContext,
  front: FrontEnd,
): AsyncGenerator<TrialEvent, Float32Array | Uint8Array, void> {
  const count = trial.profile.trainCount
  const width = widthOf(front)
  const all = front.store === 'uint8' ? new Uint8Array(count * width) : new Float32Array(count * width)
  const chunk = chunkRows(trial.profile)
  for (let from = 0; from < count; from += chunk) {
    const rows = Int32Array.from({ length: Math.min(chunk, count - from) }, (_, i) => from + i)
    all.set(await trial.data.features(front, 'train', rows), from * width)
    yield { type: 'progress', units: from + rows.length, of: count, note: 'rows prepared' }
  }
  return all
}
