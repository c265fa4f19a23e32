// One fit of a kernel machine on a front end's features: gather, standardise, choose landmarks, fit.
import { reduceMean, reshape } from '../../graph/functions.ts'
import { balanceOf } from '../common/balance.ts'
import { collectFeatures, thin, widthOf } from '../common/collect-features.ts'
import { dominantClasses, linkOf, type Targets, targetsOf } from '../common/label-statistics.ts'
import type { FitChoices, FitProgress, Fitted } from '../common/train-classical.ts'
import type { Model, TrialContext } from '../family.ts'
import type { DenseFeatures } from './features.ts'
import { fitKernelRidge, type KernelChoice, kernelScores } from './kernel-ridge.ts'
import { standardisationOf, standardiseInPlace } from './standardise.ts'

/** Feature values held at once, 240 MB. */
const MAX_VALUES = 6e7
/** Part of the rows that chooses the penalty, and its bounds. */
const JUDGE_SHARE = 0.15
const MAX_JUDGES = 2000

export interface KernelOptions {
  landmarks: number
  gamma: number
}

export async function* fitKernel(
  trial: TrialContext,
  { front, scaling, views = 1 }: DenseFeatures,
  rows: Int32Array,
  choices: FitChoices | null,
  { landmarks, gamma }: KernelOptions,
): AsyncGenerator<FitProgress, Fitted, void> {
  const width = widthOf(front) / views
  const link = linkOf(trial.profile, trial.labels)
  const examples = thin(rows, MAX_VALUES / (views * width))
  const { x } = yield* collectFeatures(trial, front, 'train', examples)
  const taught = eachRepeated(examples, views)
  const standardisation = standardisationOf(x, taught.length, width, scaling)
  standardiseInPlace(x, standardisation)
  const targets = targetsOf(link, trial.labels, trial.profile.classCount, taught, balanceOf(trial.params))
  const rng = trial.rng.split('kernel')
  const choice = choices as unknown as KernelChoice | null
  const judged = choice === null ? Math.min(MAX_JUDGES, Math.max(1, Math.round(JUDGE_SHARE * examples.length))) : 0
  const judges = rng.split('judges').permutation(examples.length).slice(0, judged)
  const fit = fitKernelRidge(trial.engine, {
    x,
    width,
    targets,
    judges: eachRepeated(judges, views).map((example, i) => example * views + (i % views)),
    landmarks: spreadOverClasses(targets, rng.split('landmarks').permutation(taught.length), landmarks),
    gamma,
    choice,
  })
  for (;;) {
    const step = await fit.next()
    if (!step.done) {
      yield { done: step.value, of: taught.length, note: 'kernel sums' }
      continue
    }
    const { map, choice: made } = step.value
    const { mean, scale } = standardisation
    const model: Model = {
      front,
      build(g, features) {
        const flat = reshape(g, features!, [-1, width])
        const centred = g.op('Sub', [flat, g.constant(Float32Array.from(mean), [1, width])])
        const scores = kernelScores(g, g.op('Mul', [centred, g.constant(scale, [1, width])]), map, link, made.scale)
        return views === 1 ? scores : reduceMean(g, reshape(g, scores, [-1, views, map.offsets.length]), [1])
      },
    }
    return { model, choices: { penalty: made.penalty, scale: made.scale } }
  }
}

/** [a, b] twice: [a, a, b, b] */
function eachRepeated(values: Int32Array, times: number): Int32Array {
  return Int32Array.from({ length: values.length * times }, (_, i) => values[Math.floor(i / times)])
}

/** `count` rows of `order`, taken from the classes in turn, so that rare classes have landmarks too. */
function spreadOverClasses(targets: Targets, order: Int32Array, count: number): Int32Array {
  if (order.length <= count) return order
  const queues = new Map<number, number[]>()
  const classes = dominantClasses(targets)
  for (const row of order) {
    const queue = queues.get(classes[row])
    if (queue) queue.push(row)
    else queues.set(classes[row], [row])
  }
  // Half by frequency, half evenly: rare classes are represented without pushing out the common ones.
  const chosen = new Set(order.subarray(0, Math.ceil(count / 2)))
  for (let turn = 0; chosen.size < count; turn++) {
    for (const queue of queues.values()) if (turn < queue.length && chosen.size < count) chosen.add(queue[turn])
  }
  return Int32Array.from(chosen)
}
