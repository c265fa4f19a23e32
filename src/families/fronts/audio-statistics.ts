// Sound as one vector: the log-mel spectrogram's means, spreads and course over a handful of segments, and, in the rich version,
// the same of its cepstra with their steps. Loudness was removed by the spectrogram; what is left of it is the contrast.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { concat, matmul, reduceMean, reshape } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'
import { takeExcerpt } from './excerpt.ts'
import { logMelFrames } from './log-mel.ts'
import {
  differences,
  maskedDeviation,
  maskedExtremes,
  maskedMean,
  meanAbsolute,
  type Sequence,
  segmentMeans,
} from './masked-statistics.ts'
import { cosineBasis } from './mel-bank.ts'
import { waveGeometry } from './wave-geometry.ts'

const CEPSTRA = 20
/**
 * What the quick version hears of longer clips, from their middle: 8 s at 16 kHz, 3 s at 44 kHz (the challenge's winners began with
 * 5 s). The first answer waits until so much of every test clip is read and transformed; models that come later hear whole clips.
 */
const QUICK_SAMPLES = 2 ** 17

/** 'quick': means, spreads and 3 segments. 'rich': also cepstral statistics, steps, extremes and 6 segments. */
export function audioStatisticsFront(profile: TaskProfile, level: 'quick' | 'rich', matrix = 0): FrontEnd {
  const quick = level === 'quick'
  const excerpt = quick && profile.matrices[matrix].steps.max > QUICK_SAMPLES ? QUICK_SAMPLES : undefined
  const geometry = waveGeometry(profile, matrix, quick ? { maxFrames: 400, excerpt } : {})
  const { mels } = geometry
  const size = quick ? mels * 5 : mels * 2 + CEPSTRA * (6 + 6) + 5
  return {
    key: `audio-statistics:${level}:${matrix}:${geometry.window}/${geometry.hop}:${mels}${excerpt ? `:${excerpt}` : ''}`,
    base: null,
    shape: [size],
    store: 'float32',
    ...(excerpt === undefined ? {} : { excerpt }),
    build(g, _x, inputs) {
      const heard = excerpt === undefined ? inputs[matrix] : takeExcerpt(g, inputs[matrix], excerpt)
      const frames: Sequence = logMelFrames(g, heard, geometry)
      const mean = maskedMean(g, frames)
      const parts = [mean, maskedDeviation(g, frames, mean)]
      if (quick) parts.push(segmentMeans(g, frames, 3))
      else parts.push(...cepstralStatistics(g, frames, mels), ...loudnessStatistics(g, frames))
      return concat(
        g,
        parts.map((part) => reshape(g, part, [-1, sizeOfPart(part)])),
        1,
      )
    },
  }
}

function cepstralStatistics(g: GraphBuilder, frames: Sequence, mels: number): Value[] {
  const basis = g.constant(cosineBasis(mels, CEPSTRA), [CEPSTRA, mels])
  const cepstra: Sequence = { ...frames, values: matmul(g, basis, frames.values) }
  const mean = maskedMean(g, cepstra)
  const { min, max } = maskedExtremes(g, cepstra)
  const steps = differences(g, cepstra)
  const stepMean = maskedMean(g, steps)
  return [
    maskedDeviation(g, cepstra, mean),
    min,
    max,
    meanAbsolute(g, steps),
    maskedDeviation(g, steps, stepMean),
    mean,
    segmentMeans(g, cepstra, 6),
  ]
}

/** The course of the mean level: how a clip swells and fades. */
function loudnessStatistics(g: GraphBuilder, frames: Sequence): Value[] {
  const level: Sequence = { ...frames, values: reduceMean(g, frames.values, [1], true) }
  const steps = differences(g, level)
  const { min, max } = maskedExtremes(g, level)
  return [min, max, meanAbsolute(g, steps), maskedDeviation(g, steps, maskedMean(g, steps)), maskedMean(g, level)]
}

function sizeOfPart(part: Value): number {
  return part.shape.slice(1).reduce<number>((product, size) => product * (size as number), 1)
}
