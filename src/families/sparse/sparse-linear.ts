// Linear classifiers on sparse tables (bags of words, one-hot codes, event counts), learned on the stored values alone: TF-IDF
// with squared hinge, and naive Bayes weighted (Wang & Manning 2012). The exported model takes the dense matrices that other
// programs feed.
import type { TaskProfile } from '../../dataset/profile.ts'
import { concat } from '../../graph/functions.ts'
import { BALANCE, balanceOf } from '../common/balance.ts'
import { linkOf, targetsOf } from '../common/label-statistics.ts'
import { type FitProgress, type FitStage, type Fitted, type Fitter, trainClassical } from '../common/train-classical.ts'
import type { Family, Model, TrialContext } from '../family.ts'
import { chooseCost } from './choose-cost.ts'
import {
  type ColumnWeights,
  fitColumnWeights,
  type ValueForm,
  weightedProduct,
  weightedRows,
} from './column-weights.ts'
import type { Csr } from './csr.ts'
import { fitDualLinear, type LinearWeights, linearMargins } from './dual-linear.ts'
import { importanceOf, marginScores, marginScoresGraph, outputCount, outputTargets } from './margin-scores.ts'
import { naiveBayesScales } from './nb-scales.ts'
import { tableRows, tableWidths } from './table-rows.ts'

/** Stored values per example times examples that one fit may hold: 8 bytes each, twice. */
const MAX_NONZEROS = 30e6
/** Nonzeros times outputs of the rows that C is chosen on. */
const CHOICE_WORK = 8e6
/** With more columns than this times outputs, weights alone would fill memory. */
const MAX_WEIGHTS = 40e6

export const sparseLinear: Family = {
  name: 'sparse-linear',
  summary: 'linear classifiers on the stored values of sparse tables',
  portfolio: (profile) =>
    profile.kind === 'table' && isSparse(profile) && fits(profile)
      ? [
          { params: { weighting: 'hinge', form: formOf(profile), balance: 0 }, order: 0 },
          {
            params: { weighting: 'bayes', form: formOf(profile) === 'values' ? 'values' : 'presence', balance: 0 },
            order: 12,
          },
        ]
      : null,
  space: () => ({
    weighting: { type: 'choice', options: ['hinge', 'logistic', 'bayes'], reason: 'errors differ, so they blend well' },
    balance: BALANCE,
    form: { type: 'choice', options: ['counts', 'presence', 'values'], reason: 'how often, whether, or how much' },
  }),
  train: (trial) =>
    trainClassical(
      trial,
      fitterOf(trial),
      trial.params.weighting === 'hinge' ? { sampleFirst: true, firstPart: quickRows(trial.profile) } : {},
    ),
}

/** What a fit of a second or two may do: stored values, each read and weighted (as much work as VALUE_WORK outputs), times outputs. */
const QUICK_WORK = 3e7
const VALUE_WORK = 6

function quickRows({ matrices, classCount }: TaskProfile): number {
  const stored = matrices.reduce((sum, { density, cols, rows }) => sum + density * cols.median * rows.median, 0)
  return Math.max(500, QUICK_WORK / (Math.max(1, stored) * (classCount + VALUE_WORK)))
}

function isSparse(profile: TaskProfile): boolean {
  return profile.matrices.some((matrix) => matrix.spec.format === 'SPARSE')
}

function fits(profile: TaskProfile): boolean {
  const widths = tableWidths(profile)
  return widths !== null && widths.reduce((sum, width) => sum + width, 0) * profile.classCount <= MAX_WEIGHTS
}

/** Counts are whole and not negative in every matrix. */
function formOf(profile: TaskProfile): ValueForm {
  return profile.matrices.every(({ integral, values }) => integral && values.min >= 0) ? 'counts' : 'values'
}

function fitterOf(trial: TrialContext): Fitter {
  const { profile, params, labels } = trial
  const { classCount } = profile
  const link = linkOf(profile, labels)
  const balance = balanceOf(params)
  const outputs = outputCount(link, classCount)
  const widths = tableWidths(profile) ?? []
  const form = params.form === 'values' || params.form === 'presence' ? params.form : 'counts'
  const loss = params.weighting === 'hinge' ? 'squared-hinge' : 'logistic'
  const costs =
    params.weighting === 'hinge' ? [0.1, 0.3, 1, 3] : params.weighting === 'bayes' ? [0.3, 1, 3] : [1, 3, 10]

  const read = async (rows: Int32Array): Promise<Csr> => {
    const batches = await Promise.all(profile.matrices.map((_, i) => trial.data.raw('train', rows, i)))
    return tableRows(batches, widths)
  }

  async function* fit(
    asked: Int32Array,
    stage: FitStage,
    choices: Record<string, number> | null,
  ): AsyncGenerator<FitProgress, Fitted, void> {
    const rng = trial.rng.split(`${stage}:${asked.length}`)
    const rows = affordableRows(profile, asked, rng.permutation(asked.length))
    const table = await read(rows)
    yield { done: 0, of: null, note: 'rows read' }
    const weights = fitColumnWeights(table, form)
    const matrix = weightedRows(table, weights)
    yield { done: 0, of: null, note: 'columns weighted' }
    const targets = targetsOf(link, labels, classCount, rows, balance)
    let chosen = { cost: choices?.cost ?? 1, scale: choices?.scale ?? 2 }
    if (choices === null && stage !== 'sample') {
      const search = { loss, naiveBayes: params.weighting === 'bayes', balance, costs, maxWork: CHOICE_WORK } as const
      chosen = yield* noted(chooseCost(matrix, targets, search, trial.rng.split('choice')), 'C chosen')
    }
    const answers = outputTargets(targets)
    const scales =
      params.weighting === 'bayes' ? yield* noted(naiveBayesScales(matrix, answers, outputs), 'weighting') : null
    const importance = importanceOf(targets, balance)
    const settings = { loss, cost: chosen.cost, importance, scales } as const
    const linear = yield* noted(fitDualLinear(matrix, answers, outputs, settings, rng), 'rows learned from')
    const predict = async (rowsAsked: Int32Array) => {
      const features = weightedRows(await read(rowsAsked), weights)
      return marginScores(linearMargins(features, linear, outputs), link, classCount, chosen.scale)
    }
    return { model: modelOf(weights, linear, chosen.scale), choices: { ...chosen }, predict }
  }

  function modelOf(weights: ColumnWeights, linear: LinearWeights, scale: number): Model {
    return {
      front: null,
      build: (g, _x, inputs) => {
        const flat = inputs.map(({ matrix }, i) => g.op('Reshape', [matrix, g.ints([-1, widths[i]])]))
        const product = weightedProduct(g, concat(g, flat, 1), weights, linear.weights)
        const margins = g.op('Add', [product, g.constant(linear.bias, [outputs])])
        return marginScoresGraph(g, margins, link, classCount, scale)
      },
    }
  }

  return { fit }
}

/** All of `asked`, or as many, at random, as memory allows; ascending, so that they are read in order. */
function affordableRows(profile: TaskProfile, asked: Int32Array, order: Int32Array): Int32Array {
  const widths = tableWidths(profile) ?? []
  const perRow = profile.matrices.reduce((sum, matrix, i) => sum + matrix.density * widths[i], 1)
  const most = Math.max(100, Math.floor(MAX_NONZEROS / perRow))
  if (asked.length <= most) return asked
  return order
    .slice(0, most)
    .sort()
    .map((at) => asked[at])
}

async function* noted<R>(work: Generator<number, R, void>, note: string): AsyncGenerator<FitProgress, R, void> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    yield { done: step.value, of: null, note }
  }
}
