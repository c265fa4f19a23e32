// Linear classifiers on word n-grams and, for words that training hardly knows, on the character n-grams inside them: TF-IDF or
// naive Bayes weighted (Wang & Manning 2012). A second of learning; hard to beat with few thousand texts.
import type { TaskProfile } from '../../dataset/profile.ts'
import { BALANCE, balanceOf } from '../common/balance.ts'
import { trainClassical } from '../common/train-classical.ts'
import type { Family, HyperParams, SearchSpace, TrialContext } from '../family.ts'
import { isSegmented, type NgramOptions, ngramFitter } from './ngram-fitter.ts'
import { NGRAM_SHAPES, type NgramShape } from './ngrams.ts'

type Weighting = 'hinge' | 'logistic' | 'bayes'

/** Candidates for C by weighting: rows have length 1, so these ranges hold for any text. */
const COSTS: Record<Weighting, readonly number[]> = {
  hinge: [0.1, 0.3, 1, 2],
  logistic: [1, 3, 10],
  bayes: [0.3, 1, 3],
}

/** Naive Bayes asks for one weighting per class, which costs much and helps little where labels overlap. */
const EXCLUSIVE = [
  { weighting: 'hinge', subwords: 1.2, skips: true, order: 10 },
  { weighting: 'bayes', subwords: 0.6, skips: false, triples: true, order: 15 },
]
const OVERLAPPING = [
  { weighting: 'logistic', subwords: 2, skips: false, order: 10 },
  { weighting: 'hinge', subwords: 1.2, skips: true, order: 15 },
]

export const ngrams: Family = {
  name: 'ngrams',
  summary: 'linear classifiers on word and character n-grams',
  portfolio: (profile) =>
    profile.kind !== 'text' || profile.matrices[0].spec.format === 'SPARSE'
      ? null
      : [
          {
            params: { weighting: 'hinge', subwords: 0, skips: false, triples: !isSegmented(profile), balance: 0 },
            order: 0,
          },
          ...(profile.multiLabel ? OVERLAPPING : EXCLUSIVE).map(({ order, ...params }) => ({
            params: { triples: !isSegmented(profile), ...params, balance: 0 },
            order,
          })),
        ],
  space: searchSpace,
  train: (trial) =>
    trainClassical(
      trial,
      ngramFitter(trial, optionsOf(trial)),
      // The quickest of them bridges the time until many long texts are learned from.
      trial.params.subwords === 0 ? { sampleFirst: true, firstPart: quickRows(trial.profile) } : {},
    ),
}

/** What a fit of a second or two may do: tokens, each counted, hashed and stored (as much work as TOKEN_WORK outputs), times outputs. */
const QUICK_WORK = 1.5e7
const TOKEN_WORK = 12

function quickRows({ matrices, classCount }: TaskProfile): number {
  return Math.max(500, QUICK_WORK / (Math.max(1, matrices[0].steps.median) * (classCount + TOKEN_WORK)))
}

function searchSpace(profile: TaskProfile): SearchSpace {
  return {
    weighting: { type: 'choice', options: ['hinge', 'logistic', 'bayes'], reason: 'errors differ, so they blend well' },
    skips: { type: 'choice', options: [false, true], reason: 'pairs with a gap help where word order is loose' },
    balance: BALANCE,
    triples: { type: 'choice', options: [false, true], reason: 'longer phrases pay with many or long texts' },
    ...(isSegmented(profile)
      ? { subwords: { type: 'float', low: 0.3, high: 2, log: true, reason: 'how much rare and unseen words matter' } }
      : {}),
  }
}

function optionsOf(trial: TrialContext): NgramOptions {
  const { params } = trial
  const weighting = weightingOf(params)
  const shapes: NgramShape[] = [NGRAM_SHAPES.pair]
  if (params.triples === true) shapes.push(NGRAM_SHAPES.triple)
  if (params.skips === true) shapes.push(NGRAM_SHAPES.skip)
  return {
    shapes,
    subwords: typeof params.subwords === 'number' ? params.subwords : 0,
    loss: weighting === 'hinge' ? 'squared-hinge' : 'logistic',
    naiveBayes: weighting === 'bayes',
    costs: COSTS[weighting],
    balance: balanceOf(params),
  }
}

function weightingOf(params: HyperParams): Weighting {
  const { weighting } = params
  return weighting === 'logistic' || weighting === 'bayes' ? weighting : 'hinge'
}
