// Which features a linear or kernel head sees, by the kind of data and how much time they may take. Fronts that are fitted
// (tables) look only at the rows they are given.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { FitProgress } from '../common/train-classical.ts'
import type { FrontEnd, TrialContext } from '../family.ts'
import { concatFronts } from '../fronts/concat-fronts.ts'
import { orientedGradientsFront } from '../fronts/oriented-gradients.ts'
import { pictureFront } from '../fronts/picture.ts'
import { shrunkPixelsFront } from '../fronts/shrunk-pixels.ts'

/** 'quick': for the first prediction; 'rich': seconds, not minutes. */
export type FeatureLevel = 'quick' | 'rich'

/** Null: this kind of data has no such features. */
export function hasFeatures(profile: TaskProfile): boolean {
  return profile.kind !== 'text' && profile.matrices.every(({ spec }) => spec.format !== 'SPARSE')
}

// biome-ignore lint/correctness/useYield: some kinds fit their front on data, which takes time
export async function* featuresFor(
  trial: TrialContext,
  level: FeatureLevel,
  _rows: Int32Array,
): AsyncGenerator<FitProgress, FrontEnd, void> {
  const { profile } = trial
  switch (profile.kind) {
    case 'image':
      return pictureFeatures(profile, level)
    default:
      throw new RangeError(`featuresFor: no features for ${profile.kind}`)
  }
}

function pictureFeatures(profile: TaskProfile, level: FeatureLevel): FrontEnd {
  const picture = pictureFront(profile)
  const pixels = shrunkPixelsFront(picture, level === 'quick' ? 4 : 8)
  return concatFronts([orientedGradientsFront(picture, level === 'quick' ? 6 : 8), pixels])
}
