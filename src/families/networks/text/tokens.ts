// Token sequences as flat arrays, and which tokens and token pairs a set of rows has often enough to learn.
import type { MatrixBatch } from '../../../dataset/batch.ts'
import { AutomlError } from '../../../support/errors.ts'
import type { TrialData } from '../../family.ts'

/** Example i holds ids[offsets[i] .. offsets[i + 1]). */
export interface Tokens {
  ids: Int32Array
  offsets: Int32Array
}

/** Tokens past this many teach the topic of a text no further; they are cut off, in training and in the exported model alike. */
export const MAX_TOKENS = 1024

/** @param rows of the training split */
export async function readTokens(data: TrialData, rows: Int32Array): Promise<Tokens> {
  return tokensOf(await data.raw('train', rows))
}

export function tokensOf(batch: MatrixBatch, most = MAX_TOKENS): Tokens {
  if (batch.layout !== 'dense') throw new AutomlError('TRIAL', 'token sequences must be dense')
  const count = batch.offsets.length - 1
  const offsets = new Int32Array(count + 1)
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i] + Math.min(most, batch.offsets[i + 1] - batch.offsets[i])
  const ids = new Int32Array(offsets[count])
  for (let i = 0; i < count; i++) {
    const length = offsets[i + 1] - offsets[i]
    for (let j = 0; j < length; j++) {
      const id = batch.data[batch.offsets[i] + j]
      ids[offsets[i] + j] = id >= 0 && id < MAX_ID ? id : -1
    }
  }
  return { ids, offsets }
}

/** Larger ids, like missing ones, are no tokens: counts are held for every id below the largest. */
const MAX_ID = 2 ** 22

/** Number of texts each id occurs in. Length: highest id + 1, at least `size`. Negative ids are not counted. */
export function documentCounts(tokens: Tokens, size: number): Int32Array {
  const { ids, offsets } = tokens
  let top = size
  for (const id of ids) if (id >= top) top = id + 1
  const counts = new Int32Array(top)
  const seen = new Int32Array(top).fill(-1)
  for (let i = 0; i + 1 < offsets.length; i++) {
    for (let j = offsets[i]; j < offsets[i + 1]; j++) {
      const id = ids[j]
      if (id < 0 || seen[id] === i) continue
      seen[id] = i
      counts[id]++
    }
  }
  return counts
}
