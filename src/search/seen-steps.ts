// The task as a front end sees it that looks at a few steps of every example: videos of exactly these pictures, sequences no longer than
// an excerpt. What it computes of them is what it computes of whole examples, so the rest need not be decoded, or read.
import type { TaskProfile } from '../dataset/profile.ts'
import type { FrontEnd } from '../families/family.ts'

/** The profile itself when the front looks at everything, or the data are not all of the kind that can be read in part. */
export function profileSeenBy(front: FrontEnd, profile: TaskProfile): TaskProfile {
  if (front.steps !== undefined) return picturesSeen(front.steps, profile)
  if (front.excerpt !== undefined) return excerptsSeen(front.excerpt, profile)
  return profile
}

function picturesSeen(steps: number, profile: TaskProfile): TaskProfile {
  const { spec, matrices } = profile
  if (spec.sequenceSize === steps) return profile
  if (!matrices.every((matrix) => matrix.spec.format === 'COMPRESSED')) return profile
  const whole = Math.max(1, ...matrices.map((matrix) => matrix.steps.median))
  return {
    ...profile,
    spec: { ...spec, sequenceSize: steps },
    matrices: matrices.map((matrix) => ({ ...matrix, steps: { min: steps, median: steps, max: steps } })),
    trainBytes: (profile.trainBytes * steps) / whole,
  }
}

function excerptsSeen(count: number, profile: TaskProfile): TaskProfile {
  const { spec, matrices, trainCount, trainBytes } = profile
  if (spec.sequenceSize > 0 && spec.sequenceSize <= count) return profile
  if (!matrices.every(({ spec: { format, rows, cols } }) => format === 'DENSE' && rows > 0 && cols > 0)) return profile
  const width = matrices.reduce((sum, { spec: { rows, cols, channels } }) => sum + rows * cols * channels, 0)
  return {
    ...profile,
    spec: { ...spec, sequenceSize: Math.min(spec.sequenceSize, count) },
    matrices: matrices.map((matrix) => {
      const { min, median, max } = matrix.steps
      const steps = { min: Math.min(min, count), median: Math.min(median, count), max: Math.min(max, count) }
      return { ...matrix, steps }
    }),
    trainBytes: Math.min(trainBytes, 4 * width * count * trainCount),
  }
}
