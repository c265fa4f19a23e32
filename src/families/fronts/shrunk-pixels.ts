// Pictures shrunk to a few cells: where it is bright, and of what colour. Cheap, and what gradients leave out.
import { reshape } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'
import { resizePictures } from './resize-pictures.ts'

/** `base`: shape [channels, rows, cols]. Shape [channels * cells], about `across` cells along the long side. */
export function shrunkPixelsFront(base: FrontEnd, across: number): FrontEnd {
  const [channels, rows, cols] = base.shape
  const scale = Math.min(1, across / Math.max(rows, cols))
  const toRows = Math.max(1, Math.round(rows * scale))
  const toCols = Math.max(1, Math.round(cols * scale))
  return {
    key: `${base.key}|shrunk:${toRows}x${toCols}`,
    base,
    shape: [channels * toRows * toCols],
    store: 'float32',
    build(g, x) {
      const planes = reshape(g, x!, [-1, rows, cols, 1])
      return reshape(g, resizePictures(g, planes, toRows, toCols), [-1, channels * toRows * toCols])
    },
  }
}
