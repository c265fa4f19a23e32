// Token sequences as networks take them: [length] compact ids as float32. 0 is padding, 1 a token that training texts hold too
// seldom, the rest are the known tokens by falling frequency. Longer texts are cut off.
import type { GraphBuilder } from '../../../graph/builder.ts'
import { and, cast, gather, greaterOrEqual, less, slice, where } from '../../../graph/functions.ts'
import { fingerprint } from '../../common/fingerprint.ts'
import type { FrontEnd } from '../../family.ts'
import { tokenIds } from '../text/bag-model.ts'

export const PADDING = 0
export const UNKNOWN = 1

export interface TokenFront {
  front: FrontEnd
  /** Compact ids, padding and unknown included. */
  size: number
}

/**
 * @param counts texts per token id
 * @param most known tokens at most; @param fewest texts that a known token occurs in
 */
export function tokenFront(counts: Int32Array, length: number, most: number, fewest: number): TokenFront {
  const known = Array.from(counts.keys()).filter((id) => counts[id] >= fewest)
  known.sort((a, b) => counts[b] - counts[a] || a - b)
  known.length = Math.min(known.length, most)
  const compact = new Float32Array(counts.length).fill(UNKNOWN)
  known.forEach((id, rank) => {
    compact[id] = rank + 2
  })
  const front: FrontEnd = {
    key: `tokens:${length}:${fingerprint(compact)}`,
    base: null,
    shape: [length],
    store: 'float32',
    build: (g, _x, inputs) => lookUp(g, inputs[0], compact, length),
  }
  return { front, size: known.length + 2 }
}

function lookUp(g: GraphBuilder, input: Parameters<typeof tokenIds>[1], compact: Float32Array, length: number) {
  const { ids, valid } = tokenIds(g, input, length)
  const inside = and(g, greaterOrEqual(g, ids, 0), less(g, ids, compact.length))
  const found = gather(g, g.constant(compact, [compact.length]), where(g, inside, ids, 0))
  const values = where(g, valid, where(g, inside, found, UNKNOWN), PADDING)
  const padded = g.op('Pad', [cast(g, values, 'float32'), g.ints([0, 0, 0, length]), g.scalar(0)], { mode: 'constant' })
  return g.refine(slice(g, padded, 1, 0, length), [input.matrix.shape[0], length])
}
