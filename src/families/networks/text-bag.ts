// Text, by averaged embeddings of words, word pieces and word pairs: seconds to train, and a different enough view from n-gram
// weights to be worth blending. Text is read from the first matrix.
import { BALANCE, balanceOf } from '../common/balance.ts'
import { linkOf, priorIntercepts, targetsOf } from '../common/label-statistics.ts'
import { type Fitter, trainClassical } from '../common/train-classical.ts'
import type { Family, HyperParams, TrialContext } from '../family.ts'
import { type BagOptions, newBag, predictBag, trainBag } from './text/bag.ts'
import { bagModel } from './text/bag-model.ts'
import { subwordCutter } from './text/subwords.ts'
import { documentCounts, readTokens, type Tokens } from './text/tokens.ts'

/** Vocabulary strings of one character each have no pieces. */
const LONG_TOKENS = 1.8

export const textBag: Family = {
  name: 'text-bag',
  summary: 'averaged embeddings of words, word pieces and word pairs',
  portfolio(profile) {
    if (profile.kind !== 'text') return null
    const characters = (profile.vocabulary?.meanTokenLength ?? LONG_TOKENS) < LONG_TOKENS
    const params = {
      dims: 64,
      epochs: epochsFor(profile.trainCount),
      rate: 0.3,
      pairs: true,
      dropout: characters ? 0.5 : 0.3,
      balance: 0,
    }
    const entries = [{ params, order: 20 }]
    // A character says little without its neighbours; beside words, pairs may also crowd the words out of the mean.
    if (!characters) entries.push({ params: { ...params, pairs: false }, order: 25 })
    return entries
  },
  space: () => ({
    dims: {
      type: 'int',
      low: 16,
      high: 128,
      log: true,
      reason: 'more vectors hold more topics; texts are short, so few suffice',
    },
    epochs: {
      type: 'int',
      low: 3,
      high: 40,
      log: true,
      reason: 'few texts need many passes, many texts overfit with them',
    },
    rate: { type: 'float', low: 0.02, high: 0.3, log: true, reason: 'Adagrad rates around a tenth work for text' },
    dropout: { type: 'float', low: 0, high: 0.5, reason: 'hiding words keeps single words from deciding alone' },
    balance: BALANCE,
    pairs: { type: 'choice', options: [true, false], reason: 'word order matters for opinions, little for topics' },
  }),
  train: (trial) => trainClassical(trial, bagFitter(trial)),
}

/** Enough passes that a few hundred thousand texts are visited. */
function epochsFor(count: number): number {
  return Math.max(4, Math.min(25, Math.round(120_000 / Math.max(1, count))))
}

function bagFitter(trial: TrialContext): Fitter {
  const { profile, labels, rng } = trial
  const options = bagOptions(trial.params)
  const link = linkOf(profile, labels)
  const size = profile.spec.vocabulary.length
  const long = profile.vocabulary !== null && profile.vocabulary.meanTokenLength >= LONG_TOKENS
  const cutter = subwordCutter(profile.spec.vocabulary)
  let fits = 0
  return {
    async *fit(rows) {
      const tokens = await readTokens(trial.data, rows)
      const counts = documentCounts(tokens, size)
      const cutting = cutter((id) => counts[id] > 0)
      let cut = long ? cutting.next() : null
      for (; cut !== null && !cut.done; cut = cutting.next()) {
        yield { done: cut.value, of: null, note: 'strings cut' }
      }
      const subwords = cut === null ? null : cut.value
      const stream = rng.split(`fit ${fits++}`)
      const targets = targetsOf(link, labels, profile.classCount, rows, balanceOf(trial.params))
      const bag = newBag(tokens, counts, subwords, priorIntercepts(targets), options, stream.split('start'))
      for (const done of trainBag(bag, tokens, targets, stream.split('order'))) {
        yield { done, of: options.epochs, note: 'passes' }
      }
      const predict = async (judged: Int32Array) => {
        const held: Tokens = await readTokens(trial.data, judged)
        return predictBag(bag, held, profile.classCount, link === 'softmax')
      }
      return { model: bagModel(bag, link), choices: {}, predict }
    },
  }
}

function bagOptions(params: HyperParams): BagOptions {
  return {
    dims: Number(params.dims),
    // Enough buckets that the pairs of some ten thousand texts seldom collide; an index of 1 MB in the model.
    pairBuckets: params.pairs === true ? 2 ** 18 : 0,
    epochs: Number(params.epochs),
    rate: Number(params.rate),
    dropout: Number(params.dropout),
    labelSmoothing: 0,
  }
}
