// Token sequences as the text learners read them: ids of a lexicon, texts concatenated.
import type { MatrixBatch } from '../../dataset/batch.ts'

export interface Texts {
  /** Token ids in 0..size, `size` being the unknown token. */
  tokens: Int32Array
  /** [n + 1] */
  offsets: Int32Array
}

/** Tokens of one text that are looked at: the start of a very long document says enough, and bounds memory of exported models. */
export const TOKEN_LIMIT = 2048

/** @param size ids outside 0..size-1, and what is no whole number, become `size` */
export function textsOf(batch: MatrixBatch, size: number): Texts {
  if (batch.layout === 'sparse') return sparseTexts(batch.indptr.length - 1)
  const count = batch.offsets.length - 1
  const offsets = new Int32Array(count + 1)
  for (let i = 0; i < count; i++) {
    offsets[i + 1] = offsets[i] + Math.min(TOKEN_LIMIT, batch.offsets[i + 1] - batch.offsets[i])
  }
  const tokens = new Int32Array(offsets[count])
  for (let i = 0; i < count; i++) {
    const from = batch.offsets[i]
    for (let at = offsets[i]; at < offsets[i + 1]; at++) {
      const value = batch.data[from + at - offsets[i]]
      tokens[at] = value >= 0 && value < size ? Math.trunc(value) : size
    }
  }
  return { tokens, offsets }
}

export function textCount(texts: Texts): number {
  return texts.offsets.length - 1
}

/** A sparse matrix holds no token sequence: every text is empty. */
function sparseTexts(count: number): Texts {
  return { tokens: new Int32Array(0), offsets: new Int32Array(count + 1) }
}
