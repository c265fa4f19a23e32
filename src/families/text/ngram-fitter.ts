// Fits a linear n-gram model on texts: lexicon -> feature space -> sparse rows -> C and scale -> dual coordinate descent -> tables
// for the exported graph. Everything but the lexicon is learned from the rows of the fit.
import type { TaskProfile } from '../../dataset/profile.ts'
import { thin } from '../common/collect-features.ts'
import type { Targets } from '../common/label-statistics.ts'
import { linkOf, targetsOf } from '../common/label-statistics.ts'
import type { FitChoices, FitProgress, FitStage, Fitted, Fitter } from '../common/train-classical.ts'
import type { Model, TrialContext } from '../family.ts'
import { chooseCost } from '../sparse/choose-cost.ts'
import type { Csr } from '../sparse/csr.ts'
import { fitDualLinear, type LinearLoss, linearMargins } from '../sparse/dual-linear.ts'
import { importanceOf, marginScores, marginScoresGraph, outputCount, outputTargets } from '../sparse/margin-scores.ts'
import { naiveBayesScales } from '../sparse/nb-scales.ts'
import { fitFeatureSpace, textRows } from './feature-space.ts'
import { buildLexicon, type Lexicon } from './lexicon.ts'
import { type NgramShape, TABLE_SIZES } from './ngrams.ts'
import { type TextTables, textMargins, textTables } from './text-graph.ts'
import { type Texts, textCount, textsOf } from './texts.ts'

export interface NgramOptions {
  shapes: readonly NgramShape[]
  /** See LexiconOptions. */
  subwords: number
  loss: LinearLoss
  /** Naive Bayes weighting. */
  naiveBayes: boolean
  /** Candidates for C, ascending; one: taken as it is. */
  costs: readonly number[]
  /** How far classes are balanced (common/balance.ts). */
  balance: number
}

/** Columns times outputs, of words and again of n-grams: 32 MB of weights each. */
const MAX_WEIGHTS = 8e6
/** Nonzeros of the training rows, 8 bytes each, up to which subwords are taken: long texts would need more. */
const SUBWORD_NONZEROS = 16e6
/** Nonzeros that one fit may hold, 8 bytes each, twice: of more texts an even part teaches. */
const MAX_NONZEROS = 30e6
/** Nonzeros of a token: its word, and pairs and triples that are no repeats and not too rare. */
const TOKEN_NONZEROS = 2.6
/** Tokens met more often than this do without subwords: a share of the number of texts, within bounds. */
const FREQUENT = { share: 0.003, least: 15, most: 200 }
/** Texts from which on n-grams seen once are dropped: they say nothing about other texts. */
const RARE_FROM = 1000
/** Nonzeros times outputs of the rows that C is chosen on: below a second in all. */
const CHOICE_WORK = 8e6
/** C without a choice, by kind of output: best on samples and on all rows of several sets of short texts. */
const DEFAULT_COST = {
  'squared-hinge': { one: 0.3, softmax: 1, sigmoid: 0.1 },
  logistic: { one: 3, softmax: 10, sigmoid: 2 },
  bayes: { one: 1, softmax: 2, sigmoid: 1 },
}
/** The first model has no time to converge fully. */
const QUICK = { maxEpochs: 6, tolerance: 0.1 }

export function ngramFitter(trial: TrialContext, options: NgramOptions): Fitter {
  const { profile, labels } = trial
  const { balance } = options
  const { classCount } = profile
  const link = linkOf(profile, labels)
  const outputs = outputCount(link, classCount)
  const size = vocabularySize(profile)
  let lexicon: Lexicon | null = null
  let whole: Promise<Texts> | null = null

  const read = async (rows: Int32Array, stage: FitStage): Promise<Texts> => {
    if (stage === 'sample') return textsOf(await trial.data.raw('train', rows), size)
    whole ??= trial.data.raw('train', rowsUpTo(profile.trainCount)).then((batch) => textsOf(batch, size))
    return takeTexts(await whole, rows)
  }

  async function* fit(
    asked: Int32Array,
    stage: FitStage,
    choices: FitChoices | null,
  ): AsyncGenerator<FitProgress, Fitted, void> {
    const { rows, texts } = affordableTexts(asked, await read(asked, stage))
    yield { done: 0, of: null, note: 'texts read' }
    lexicon ??= yield* noted(lexiconFor(texts), 'tokens of the lexicon')
    const space = yield* noted(fitFeatureSpace(texts, lexicon, spaceOptions(texts)), 'texts counted')
    const matrix = yield* noted(textRows(texts, space), 'texts')
    const targets = targetsOf(link, labels, classCount, rows, balance)
    const rng = trial.rng.split(`${stage}:${rows.length}`)
    const chosen = choices ?? (yield* choose(matrix, targets, stage))
    const answers = outputTargets(targets)
    const scales = options.naiveBayes ? yield* noted(naiveBayesScales(matrix, answers, outputs), 'weighting') : null
    const importance = importanceOf(targets, balance)
    const settings = { loss: options.loss, cost: chosen.cost, importance, scales, ...(stage === 'sample' ? QUICK : {}) }
    const epochs = fitDualLinear(matrix, answers, outputs, settings, rng)
    const weights = yield* noted(epochs, 'rows learned from')
    const predict = async (asked: Int32Array): Promise<Float32Array> => {
      const asRows = finish(textRows(await read(asked, 'all'), space))
      return marginScores(linearMargins(asRows, weights, outputs), link, classCount, chosen.scale)
    }
    const tables = yield* noted(textTables(space, weights), 'table rows')
    return {
      model: modelOf(tables, chosen.scale),
      choices: { cost: chosen.cost, scale: chosen.scale },
      predict,
    }
  }

  async function* choose(
    matrix: Csr,
    targets: Targets,
    stage: FitStage,
  ): AsyncGenerator<FitProgress, FitChoices, void> {
    const { costs, loss, naiveBayes } = options
    if (stage === 'sample') return { cost: defaultCost(), scale: 2 }
    // On a part of the rows larger C look better than they are, so many rows go without a choice.
    const affordable = matrix.indices.length * outputs <= CHOICE_WORK
    const search = { loss, naiveBayes, balance, costs: affordable ? costs : [defaultCost()], maxWork: CHOICE_WORK }
    const { cost, scale } = yield* noted(chooseCost(matrix, targets, search, trial.rng.split('choice')), 'C chosen')
    return { cost, scale }
  }

  /** C where there is no time to choose it. */
  function defaultCost(): number {
    return DEFAULT_COST[options.naiveBayes ? 'bayes' : options.loss][outputs === 1 ? 'one' : link]
  }

  /** Texts so long that subwords would fill memory do without: their words say enough. */
  function lexiconFor(texts: Texts): Generator<number, Lexicon, void> {
    const segmented = isSegmented(profile)
    const tokensPerText = texts.tokens.length / Math.max(1, textCount(texts))
    const affordable = profile.trainCount * tokensPerText * 15 < SUBWORD_NONZEROS
    const subwords = affordable ? options.subwords : 0
    return buildLexicon(profile.spec.vocabulary, size, { segmented, subwords, frequent: frequentTokens(texts) })
  }

  function frequentTokens(texts: Texts): Uint8Array {
    const counts = new Int32Array(size + 1)
    for (const token of texts.tokens) counts[token]++
    const enough = Math.min(FREQUENT.most, Math.max(FREQUENT.least, FREQUENT.share * textCount(texts)))
    return Uint8Array.from(counts, (count) => (count > enough ? 1 : 0))
  }

  function spaceOptions(texts: Texts) {
    const { tokens } = texts
    return {
      shapes: options.shapes,
      tableSize: TABLE_SIZES.find((prime) => prime > 4 * tokens.length) ?? TABLE_SIZES[TABLE_SIZES.length - 1],
      minTexts: textCount(texts) >= RARE_FROM ? 2 : 1,
      maxWidth: Math.floor(MAX_WEIGHTS / outputs),
    }
  }

  function modelOf(tables: TextTables, scale: number): Model {
    return {
      front: null,
      build: (g, _x, inputs) => marginScoresGraph(g, textMargins(g, inputs[0], tables), link, classCount, scale),
    }
  }

  return { fit }
}

/** Ids below this are known. Without a vocabulary the largest id that the sample shows has to do. */
function vocabularySize(profile: TaskProfile): number {
  const named = profile.spec.vocabulary.length
  return named > 0 ? named : Math.max(1, Math.min(1 << 20, Math.trunc(profile.matrices[0].values.max) + 1))
}

/** Whether tokens are words: unsegmented scripts come as characters. */
export function isSegmented(profile: TaskProfile): boolean {
  return (profile.vocabulary?.meanTokenLength ?? 2) > 1.5
}

async function* noted<R>(work: Generator<number, R, void>, note: string): AsyncGenerator<FitProgress, R, void> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    yield { done: step.value, of: null, note }
  }
}

function finish<R>(work: Generator<number, R, void>): R {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/** All of `rows` with their `texts`, or as many, evenly spread, as memory allows. @param mostTokens @default about MAX_NONZEROS */
export function affordableTexts(
  rows: Int32Array,
  texts: Texts,
  mostTokens = MAX_NONZEROS / TOKEN_NONZEROS,
): { rows: Int32Array; texts: Texts } {
  if (texts.tokens.length <= mostTokens) return { rows, texts }
  const kept = thin(rowsUpTo(rows.length), (rows.length * mostTokens) / texts.tokens.length)
  return { rows: kept.map((at) => rows[at]), texts: takeTexts(texts, kept) }
}

function takeTexts(texts: Texts, rows: Int32Array): Texts {
  const offsets = new Int32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) {
    offsets[i + 1] = offsets[i] + texts.offsets[rows[i] + 1] - texts.offsets[rows[i]]
  }
  const tokens = new Int32Array(offsets[rows.length])
  for (let i = 0; i < rows.length; i++) {
    tokens.set(texts.tokens.subarray(texts.offsets[rows[i]], texts.offsets[rows[i] + 1]), offsets[i])
  }
  return { tokens, offsets }
}

function rowsUpTo(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row)
}
