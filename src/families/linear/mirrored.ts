// Pictures taught together with their mirror images, where those are pictures of the same class.
import { thin } from '../common/collect-features.ts'
import { loadFeatures } from '../common/load-features.ts'
import { findSymmetry } from '../common/symmetry.ts'
import { allRows } from '../common/train-classical.ts'
import type { FrontEnd, TrialContext, TrialEvent } from '../family.ts'
import { mirroredViews } from '../fronts/mirrored-views.ts'
import type { DenseFeatures } from './features.ts'

/** Pictures that the symmetry is looked for in. */
const LOOKED_AT = 2000

/** Whether the training pictures have a fair mirror image. `picture`: a front of shape [channels, rows, cols] stored as bytes. */
export async function* isMirrorFair(trial: TrialContext, picture: FrontEnd): AsyncGenerator<TrialEvent, boolean, void> {
  const { classCount } = trial.profile
  const rows = thin(allRows(trial), LOOKED_AT)
  const data = (yield* loadFeatures(trial, picture, rows)) as Uint8Array
  const labels = new Float32Array(rows.length * classCount)
  rows.forEach((row, i) => {
    labels.set(trial.labels.subarray(row * classCount, (row + 1) * classCount), i * classCount)
  })
  const [channels, height, width] = picture.shape
  return findSymmetry({ data, channels, height, width }, labels, classCount).x
}

/** `features` of both sides of a picture. */
export function bothSides({ front, scaling }: DenseFeatures): DenseFeatures {
  return { front: mirroredViews(front), scaling, views: 2 }
}
