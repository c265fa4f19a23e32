// What a kind of data has to say about its network; `train-network.ts` does the rest.

import type { Optimizer } from '../../graph/optimizers/optimizer.ts'
import type { Rng } from '../../support/rng.ts'
import type { FrontEnd } from '../family.ts'
import type { ClassifierDefinition } from './classifier.ts'

/** Makes training batches from the front's outputs of all training rows, or of those that the plan holds. */
export interface BatchMaker {
  /**
   * Writes the (augmented) inputs of `rows` into `x` [rows.length, ...inputShape]. `targets` [rows.length, K] hold the rows'
   * targets already; mixup changes them.
   * @param done share of the cycle, for augmentation that fades out
   */
  fill(rows: Int32Array, x: Uint8Array | Float32Array, targets: Float32Array, rng: Rng, done: number): void
}

export interface NetworkLearner {
  /** Two learners of one signature have interchangeable weights: the second goes on where the first stopped. */
  signature: string
  front: FrontEnd
  definition: ClassifierDefinition
  batch: number
  optimizer: Optimizer
  /** Peak learning rate of the first cycle. */
  rate: number
  weightDecay: number
  labelSmoothing: number
  batches: BatchMaker
  /** Multiply-adds of one example's forward pass: for nominal time. */
  macs: number
  /** Scores [n, K] from the front's output; wraps the frozen network (several views of an example, averaged). */
  views?: readonly View[]
}

/** Another view of an example whose scores are averaged in at prediction time. */
export type View = 'mirror'

export interface LearnerPlan {
  /** Training rows that batches can be made of: a network learns from no others, whichever judge. @default all */
  held?: Int32Array
  /** Length of the first cycle, ms: long enough for a useful network, short enough to be early. */
  firstCycleMs: number
  /**
   * The learner for the cycle that comes.
   * @param cycleMs how long the cycle will be (for one fold)
   * @param before signature of what was trained before, in an earlier session at the first call; null: nothing was
   */
  learnerFor(cycle: number, cycleMs: number, before: string | null): Promise<NetworkLearner>
  /** Whether a cycle of that length (for one fold) would train a network from nothing that has to learn long. @default never */
  startsAnew?(cycleMs: number): boolean
}
