// Batches of examples that need no augmentation of their own: rows are copied, then mixed if asked for.
import { mixup } from './augment/pictures.ts'
import type { BatchMaker } from './learner.ts'

/** @param data [n, width] */
export function vectorBatches(data: Float32Array | Uint8Array, width: number, mixupAlpha = 0): BatchMaker {
  return {
    fill(rows, x, targets, rng) {
      for (let i = 0; i < rows.length; i++) x.set(data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
      if (mixupAlpha > 0) mixup(x, targets, rows.length, mixupAlpha, rng)
    },
  }
}

/** Batch size by number of examples: few examples need the many noisy steps of small batches. */
export function batchFor(count: number, most = 128): number {
  const batch = count >= 4000 ? 128 : count >= 1000 ? 64 : count >= 100 ? 32 : Math.min(16, count)
  return Math.max(2, Math.min(most, batch))
}
