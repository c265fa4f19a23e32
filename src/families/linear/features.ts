// Which features a linear or kernel head sees, by the kind of data and how much time they may take. Fronts that are fitted
// (tables) look only at the rows they are given.
import type { TaskProfile } from '../../dataset/profile.ts'
import { thin } from '../common/collect-features.ts'
import { rawTable, tableWidth } from '../common/raw-table.ts'
import type { FrontEnd, TrialContext } from '../family.ts'
import { audioStatisticsFront } from '../fronts/audio-statistics.ts'
import { concatFronts } from '../fronts/concat-fronts.ts'
import { framesFront } from '../fronts/frames.ts'
import { orientedGradientsFront } from '../fronts/oriented-gradients.ts'
import { pictureFront, pictureSize } from '../fronts/picture.ts'
import { seriesStatisticsFront } from '../fronts/series-statistics.ts'
import { shrunkPixelsFront } from '../fronts/shrunk-pixels.ts'
import { tableFront } from '../fronts/table.ts'
import { videoStatisticsFront } from '../fronts/video-statistics.ts'
import type { Scaling } from './standardise.ts'

/** 'quick': for the first prediction; 'rich': seconds, not minutes. */
export type FeatureLevel = 'quick' | 'rich'

export interface DenseFeatures {
  /** Of `views` views of an example when there are several: shape [views, size of one]. Each teaches, and scores are their mean. */
  front: FrontEnd
  /** @default 1 */
  views?: number
  /** How a linear head should weigh the columns. */
  scaling: Scaling
}

/** Rows that a fitted front looks at: enough for stable quantiles. */
const FIT_ROWS = 5000
/** Values of raw tables looked at, 80 MB. */
const FIT_VALUES = 2e7

export function hasFeatures(profile: TaskProfile): boolean {
  if (profile.matrices.some(({ spec }) => spec.format === 'SPARSE')) return false
  switch (profile.kind) {
    case 'image':
    case 'audio':
    case 'video':
    case 'series':
      return true
    case 'table':
      return tableWidth(profile) !== null
    case 'text':
      return false
  }
}

/** The front end for `rows`; fitted ones look at some of these rows. */
export async function featuresFor(trial: TrialContext, level: FeatureLevel, rows: Int32Array): Promise<DenseFeatures> {
  const { profile } = trial
  switch (profile.kind) {
    case 'image':
      return { front: pictureFeatures(profile, level), scaling: 'whole' }
    case 'table':
      return { front: await tableFeatures(trial, level, rows), scaling: 'whole' }
    case 'audio':
      return { front: audioStatisticsFront(profile, level), scaling: 'columns' }
    case 'series':
      return { front: seriesStatisticsFront(profile), scaling: 'columns' }
    case 'video':
      return { front: videoFeatures(profile, level), scaling: 'whole' }
    default:
      throw new RangeError(`featuresFor: no features for ${profile.kind}`)
  }
}

async function tableFeatures(trial: TrialContext, level: FeatureLevel, rows: Int32Array): Promise<FrontEnd> {
  const width = tableWidth(trial.profile)!
  const looked = thin(rows, Math.min(FIT_ROWS, FIT_VALUES / width))
  return tableFront(await rawTable(trial, 'train', looked), looked.length, width, {
    pieces: level === 'quick' ? 6 : 12,
  })
}

function pictureFeatures(profile: TaskProfile, level: FeatureLevel): FrontEnd {
  const picture = pictureFront(profile)
  const pixels = shrunkPixelsFront(picture, level === 'quick' ? 4 : 8)
  return concatFronts([orientedGradientsFront(picture, level === 'quick' ? 6 : 8), pixels])
}

function videoFeatures(profile: TaskProfile, level: FeatureLevel): FrontEnd {
  const quick = level === 'quick'
  const size = pictureSize(profile.matrices[0], { maxSide: quick ? 32 : 48 })
  const steps = Math.max(1, profile.matrices[0].steps.median)
  const frames = framesFront(profile, Math.min(steps, quick ? 8 : 16), size)
  return videoStatisticsFront(frames, { across: quick ? 12 : 16, gradients: quick ? 4 : 6 })
}
