// A table row as one vector: the first step of every matrix, flattened and put side by side. Missing values stay NaN; the network
// decides what to make of them.
import type { TaskProfile } from '../../../dataset/profile.ts'
import { concat, reshape } from '../../../graph/functions.ts'
import type { FrontEnd } from '../../family.ts'

/** Shape [features]. Null when an example's size varies or is not stored densely. */
export function flatFront(profile: TaskProfile): FrontEnd | null {
  let features = 0
  for (const { fixed, spec, steps, rows, cols, channels } of profile.matrices) {
    if (!fixed || spec.format === 'SPARSE') return null
    features += steps.max * rows.max * cols.max * channels
  }
  return {
    key: `flat:${profile.matrices.length}x${features}`,
    base: null,
    shape: [features],
    store: 'float32',
    build(g, _x, inputs) {
      return concat(
        g,
        inputs.map(({ matrix }) => reshape(g, matrix, [matrix.shape[0], -1])),
        1,
      )
    },
  }
}
