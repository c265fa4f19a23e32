// Several feature fronts of one base side by side, so that a head sees one vector.
import { concat, reshape } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'

/** All parts have the same base (compared by key). Shape [sum of the parts' sizes]. */
export function concatFronts(parts: readonly FrontEnd[]): FrontEnd {
  const base = parts[0].base
  const sizes = parts.map((part) => part.shape.reduce((product, size) => product * size, 1))
  if (parts.some((part) => part.base?.key !== base?.key)) {
    throw new RangeError(`concatFronts: bases differ: ${parts.map((part) => part.base?.key ?? 'none').join(', ')}`)
  }
  if (parts.length === 1) return parts[0]
  return {
    key: `[${parts.map((part) => part.key).join('+')}]`,
    base,
    shape: [sizes.reduce((sum, size) => sum + size, 0)],
    store: 'float32',
    build: (g, x, inputs) =>
      concat(
        g,
        parts.map((part, i) => reshape(g, part.build(g, x, inputs), [-1, sizes[i]])),
        1,
      ),
  }
}
