// Features of a picture and of its mirror image: a head taught by both sees twice the examples, and judges by both.
import { concat, reshape, reverse } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'

/** `front`: on pictures [channels, rows, cols]. Shape [2, size of the front's output]: the picture's, then its mirror image's. */
export function mirroredViews(front: FrontEnd): FrontEnd {
  const size = front.shape.reduce((product, length) => product * length, 1)
  return {
    key: `${front.key}|both sides`,
    base: front.base,
    shape: [2, size],
    store: front.store,
    build(g, x, inputs) {
      const sides = [x!, reverse(g, x!, x!.shape.length - 1)]
      const features = sides.map((side) => reshape(g, front.build(g, side, inputs), [-1, 1, size]))
      return concat(g, features, 1)
    },
  }
}
