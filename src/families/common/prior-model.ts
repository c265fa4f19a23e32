// The model of last resort: the class frequencies, whatever the example. For tasks of which nothing else can be learned.
import { concat, dimOf, expand } from '../../graph/functions.ts'
import type { Model, TrialContext } from '../family.ts'
import { classPriors, linkOf, targetsOf } from './label-statistics.ts'

/** Scores of every example are the shrunk class frequencies of `rows`. */
export function priorModel(trial: TrialContext, rows: Int32Array): Model {
  const { classCount } = trial.profile
  const link = linkOf(trial.profile, trial.labels)
  return constantModel(Float32Array.from(classPriors(targetsOf(link, trial.labels, classCount, rows))))
}

/** @param scores [K] of every example */
export function constantModel(scores: Float32Array): Model {
  const classCount = scores.length
  return {
    front: null,
    build(g, _x, inputs) {
      const size = dimOf(g, inputs[0].matrix, 0)
      return expand(g, g.constant(scores, [1, classCount]), concat(g, [size, g.ints([classCount])], 0))
    },
  }
}
