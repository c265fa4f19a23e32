// Front-end outputs of training rows, in whatever form the front keeps them, with safe points in between. What the store holds in
// one piece is not copied: trials live or pause by the half dozen, and each would hold a copy of its own.

import type { FrontEnd, TrialContext, TrialEvent } from '../family.ts'
import { chunkRows, widthOf } from './collect-features.ts'
import { allRows } from './train-classical.ts'

type Features = Float32Array | Uint8Array

/**
 * [rows.length, ...front.shape], which must not be written to: it may be the store itself.
 * @param rows @default all training rows, in row order
 */
export async function* loadFeatures(
  trial: TrialContext,
  front: FrontEnd,
  rows: Int32Array = allRows(trial),
): AsyncGenerator<TrialEvent, Features, void> {
  const width = widthOf(front)
  const length = rows.length * width
  const chunk = chunkRows(trial.profile)
  let all: Features | null = null
  let shared = false
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.subarray(from, from + chunk)
    const values = await trial.data.features(front, 'train', part)
    if (all === null) {
      const whole = wholeBehind(values, length)
      shared = whole !== null
      all = whole ?? allocate(front, length)
    }
    if (shared && !liesAt(values, all, from * width)) {
      // Moved, or not in this order.
      const own = allocate(front, length)
      own.set(all.subarray(0, from * width))
      all = own
      shared = false
    }
    if (!shared) all.set(values, from * width)
    yield { type: 'progress', units: from + part.length, of: rows.length, note: 'rows prepared' }
  }
  return all ?? allocate(front, 0)
}

function allocate(front: FrontEnd, length: number): Features {
  return front.store === 'uint8' ? new Uint8Array(length) : new Float32Array(length)
}

/** `length` values from the first of `first` on, where the memory it is a view of goes on so far. */
function wholeBehind(first: Features, length: number): Features | null {
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = first
  if (buffer.byteLength - byteOffset < length * BYTES_PER_ELEMENT) return null
  return first instanceof Uint8Array
    ? new Uint8Array(buffer, byteOffset, length)
    : new Float32Array(buffer, byteOffset, length)
}

/** Whether `part` is the memory of `whole` from value `at` on. */
function liesAt(part: Features, whole: Features, at: number): boolean {
  return part.buffer === whole.buffer && part.byteOffset === whole.byteOffset + at * whole.BYTES_PER_ELEMENT
}
