// The task as a front end that looks at a few steps of every video sees it: videos of exactly these steps. What it computes of them
// is what it computes of the whole video, so the pictures at other steps need not be decoded.
import type { TaskProfile } from '../dataset/profile.ts'
import type { FrontEnd } from '../families/family.ts'

/** The profile itself when the front looks at everything, or the data are not pictures throughout. */
export function profileSeenBy(front: FrontEnd, profile: TaskProfile): TaskProfile {
  const { steps } = front
  const { spec, matrices } = profile
  if (steps === undefined || spec.sequenceSize === steps) return profile
  if (!matrices.every((matrix) => matrix.spec.format === 'COMPRESSED')) return profile
  const whole = Math.max(1, ...matrices.map((matrix) => matrix.steps.median))
  return {
    ...profile,
    spec: { ...spec, sequenceSize: steps },
    matrices: matrices.map((matrix) => ({ ...matrix, steps: { min: steps, median: steps, max: steps } })),
    trainBytes: (profile.trainBytes * steps) / whole,
  }
}
