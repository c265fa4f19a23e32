// Which rows a training batch holds: shuffled passes over the rows, each row once per pass, batches running on across the ends of
// passes so that every batch is full. Classes with few examples can be drawn more often.
import type { Rng } from '../../support/rng.ts'

export interface EpochSampler {
  /** Fills `batch` with the next rows. */
  next(batch: Int32Array): void
  /** Passes begun, as a fraction: 2.5 is half way through the third. */
  epochs(): number
}

/** @param rows what to draw from; a row that stands there twice is drawn twice a pass */
export function epochSampler(rows: Int32Array, rng: Rng): EpochSampler {
  const order = rows.slice()
  let at = order.length
  let drawn = 0
  return {
    next(batch) {
      for (let i = 0; i < batch.length; i++) {
        if (at === order.length) {
          rng.shuffle(order)
          at = 0
        }
        batch[i] = order[at++]
      }
      drawn += batch.length
    },
    epochs: () => drawn / order.length,
  }
}
