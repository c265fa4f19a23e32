// One notion of training time for both paces: milliseconds of this trial's own slices, or, for reproducible runs, a fixed
// nominal time per yield. Everything that depends on time (cycle lengths, when to publish, when to yield) asks this clock, so
// that a counted run takes the same decisions each time.
import type { Pace } from '../family.ts'

/** Time between two safe points: short beside a slice, long beside a training step's overhead. */
export const YIELD_MS = 60

export interface TrainingClock {
  /** Time trained so far, of earlier lives too. */
  spentMs(): number
  /** Time that may still come, at best. */
  leftMs(): number
  /** What `leftMs` leaves out already, for predicting the test rows. */
  reservedMs(): number
  /** Whether a safe point is due, having done `work` (nominal ms) more since the last call. */
  due(workMs: number): boolean
  /** Call at every yield. */
  yielded(): void
}

/** @param earlierMs what `spentMs` said when the state was saved that this trial resumes from; 0 for a fresh one */
export function trainingClock(pace: Pace, earlierMs: number): TrainingClock {
  if (pace.kind === 'clock') {
    const offset = earlierMs - pace.elapsedMs()
    let last = pace.elapsedMs()
    return {
      spentMs: () => pace.elapsedMs() + offset,
      leftMs: () => Math.max(0, pace.remainingMs()),
      reservedMs: () => pace.reservedMs?.() ?? 0,
      due: () => pace.elapsedMs() - last >= YIELD_MS,
      yielded: () => {
        last = pace.elapsedMs()
      },
    }
  }
  let yields = 0
  let work = 0
  return {
    spentMs: () => earlierMs + yields * YIELD_MS + work,
    leftMs: () => Math.max(0, pace.remainingSteps() * YIELD_MS - work),
    reservedMs: () => 0,
    due: (workMs) => (work += workMs) >= YIELD_MS,
    yielded: () => {
      yields++
      work = 0
    },
  }
}
