// MiniRocket with a ridge head (Dempster, Schmidt & Webb 2021), univariate and multivariate, for series of equal or unequal length.
// Features are computed once per example by the front end's graph; heads for folds and for all rows then come from one Gram matrix.
// With more rows than a Gram matrix can hold, the penalty is chosen on a part of them and the head is solved in the primal.
import type { TaskProfile } from '../../dataset/profile.ts'
import { linkOf, targetsOf } from '../common/label-statistics.ts'
import { type FitProgress, type Fitted, type Fitter, trainClassical } from '../common/train-classical.ts'
import type { Family, FrontEnd, HyperParams, Model, PortfolioEntry, TrialContext } from '../family.ts'
import { timeAxis } from '../fronts/series-view.ts'
import { KERNEL_COUNT } from './kernels.ts'
import { fitLayers, rocketFront, slopes } from './minirocket-front.ts'
import { fitHead, type RidgeHead, type RocketFeatures } from './ridge-head.ts'
import { channelScales, type SeriesScale, scaledFront, seriesShape, stretchedFront } from './series-view.ts'

/** Random examples that biases and scales are taken from. */
const BIAS_EXAMPLES = 512
/** Steps times features times examples: half a second, and some seconds. */
const WORK = { quick: 4e9, full: 5e10 }
/** Values of all training features at most, 4 bytes each. */
const MAX_VALUES = 6e7
const FEATURES = { quick: 12 * KERNEL_COUNT, full: 119 * KERNEL_COUNT }
/** Steps times features transformed between two safe points. */
const CHUNK_WORK = 2e8

export const rocket: Family = {
  name: 'minirocket',
  summary: 'shares of steps above biases of 84 dilated kernels, with a ridge head',
  portfolio,
  space: (profile) => ({
    size: {
      type: 'choice',
      options: ['quick', 'full'],
      reason: 'ten thousand features are better, a thousand are sooner',
    },
    scale: { type: 'choice', options: ['set', 'example'], reason: 'whether level and size of a series mean something' },
    ...(profile.kind === 'series'
      ? { differences: { type: 'choice', options: [false, true], reason: 'slopes show what levels hide' } as const }
      : {}),
  }),
  train: (trial) => trainClassical(trial, fitterOf(trial)),
}

function portfolio(profile: TaskProfile): PortfolioEntry[] | null {
  if (profile.kind !== 'series' || !fits(profile)) return null
  const { channels } = seriesShape(profile)
  return [
    { params: { size: 'quick', scale: 'set', differences: false }, order: 10 },
    { params: { size: 'full', scale: 'set', differences: false }, order: 20 },
    // One channel alone is judged by its form; of several, the sizes beside each other matter.
    { params: { size: 'full', scale: channels === 1 ? 'example' : 'set', differences: true }, order: 25 },
  ]
}

/** The axes that are not time must be of one size. */
function fits(profile: TaskProfile): boolean {
  return profile.matrices.every((matrix) => {
    const axis = timeAxis(matrix)
    return (['steps', 'rows', 'cols'] as const).every(
      (other) => other === axis || matrix[other].min === matrix[other].max,
    )
  })
}

function fitterOf(trial: TrialContext): Fitter {
  const { profile, labels } = trial
  const { classCount } = profile
  const link = linkOf(profile, labels)
  let features: RocketFeatures | null = null

  async function* fit(rows: Int32Array, stage: string): AsyncGenerator<FitProgress, Fitted, void> {
    features ??= yield* prepare(trial)
    const held = features
    const targets = targetsOf(link, labels, classCount, rows)
    const head = yield* fitHead(trial, held, rows, targets, trial.rng.split(`${stage}:${rows.length}`))
    return { model: modelOf(held, head), choices: {}, predict: (asked) => head.predict(asked) }
  }

  return { fit }
}

/** The front end, fitted to random examples, and its outputs for all training rows. Labels are not looked at. */
async function* prepare(trial: TrialContext): AsyncGenerator<FitProgress, RocketFeatures, void> {
  const { profile, params, rng } = trial
  const shape = seriesShape(profile)
  const some = rng.split('examples').permutation(profile.trainCount).slice(0, BIAS_EXAMPLES).sort()
  const raw = (await trial.data.features(stretchedFront(profile), 'train', some)) as Float32Array
  const scale: SeriesScale = params.scale === 'example' ? 'example' : 'set'
  const base = scaledFront(profile, scale, channelScales(raw, shape))
  const x = (await trial.data.features(base, 'train', some)) as Float32Array
  yield { done: 0, of: null, note: 'examples read' }
  const perKernel = featuresPerKernel(profile, params)
  const both = params.differences === true
  const front = rocketFront(base, shape, [
    { of: 'series', layers: fitLayers(x, shape, both ? Math.ceil(perKernel / 2) : perKernel, rng.split('series')) },
    ...(both ? [{ of: 'differences' as const, layers: fitDifferences(x, shape, Math.ceil(perKernel / 2), rng) }] : []),
  ])
  const width = front.shape[0]
  const values = new Float32Array(profile.trainCount * width)
  const size = Math.max(1, Math.floor(CHUNK_WORK / (shape.steps * width)))
  for (let from = 0; from < profile.trainCount; from += size) {
    const rows = chunk(from, size, profile.trainCount)
    values.set((await trial.data.features(front, 'train', rows)) as Float32Array, from * width)
    yield { done: from + rows.length, of: profile.trainCount, note: 'examples transformed' }
  }
  for (let from = 0; from < profile.testCount; from += size) {
    await trial.data.features(front, 'test', chunk(from, size, profile.testCount))
    yield { done: from, of: profile.testCount, note: 'test examples transformed' }
  }
  return { front, values, width }
}

function fitDifferences(
  x: Float32Array,
  shape: { channels: number; steps: number },
  perKernel: number,
  rng: TrialContext['rng'],
) {
  return fitLayers(slopes(x, shape.steps), { ...shape, steps: shape.steps - 1 }, perKernel, rng.split('differences'))
}

/** As many as the size asks for, or as time and memory allow. */
function featuresPerKernel(profile: TaskProfile, params: HyperParams): number {
  const size = params.size === 'quick' ? 'quick' : 'full'
  const { steps } = seriesShape(profile)
  const examples = profile.trainCount + profile.testCount
  const affordable = Math.min(WORK[size] / (steps * examples), MAX_VALUES / profile.trainCount)
  return Math.max(2, Math.floor(Math.min(FEATURES[size], affordable) / KERNEL_COUNT))
}

function chunk(from: number, size: number, count: number): Int32Array {
  return Int32Array.from({ length: Math.min(size, count - from) }, (_, i) => from + i)
}

function modelOf(features: { front: FrontEnd }, head: RidgeHead): Model {
  return { front: features.front, build: (g, x) => head.build(g, x!) }
}
