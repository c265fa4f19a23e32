// Batches of examples that need no augmentation of their own: rows are copied, then mixed if asked for.
import { mixup } from './augment/pictures.ts'
import type { BatchMaker } from './learner.ts'

/**
 * @param data [n, width]
 * @param held [n] the rows that `data` holds, when those are not 0, 1, 2, …
 */
export function vectorBatches(
  data: Float32Array | Uint8Array,
  width: number,
  mixupAlpha = 0,
  held: Int32Array | null = null,
): BatchMaker {
  const places = held === null ? null : placesOf(held)
  return {
    fill(rows, x, targets, rng) {
      for (let i = 0; i < rows.length; i++) {
        const from = (places === null ? rows[i] : places[rows[i]]) * width
        x.set(data.subarray(from, from + width), i * width)
      }
      if (mixupAlpha > 0) mixup(x, targets, rows.length, mixupAlpha, rng)
    },
  }
}

/** places[row]: where `row` stands among `rows`. */
function placesOf(rows: Int32Array): Int32Array {
  const places = new Int32Array(rows.reduce((most, row) => Math.max(most, row), 0) + 1)
  rows.forEach((row, place) => {
    places[row] = place
  })
  return places
}

/** Batch size by number of examples: few examples need the many noisy steps of small batches. */
export function batchFor(count: number, most = 128): number {
  const batch = count >= 4000 ? 128 : count >= 1000 ? 64 : count >= 100 ? 32 : Math.min(16, count)
  return Math.max(2, Math.min(most, batch))
}
