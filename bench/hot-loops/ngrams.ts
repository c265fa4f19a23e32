// Word pairs with inverse document frequencies and a linear classifier: from token ids to predictions of held-out texts, against
// TfidfVectorizer(ngram_range=(1, 2)) + LogisticRegression from strings. Generated texts: topics with words and pairs of their own.
import type { DenseBatch } from '../../src/dataset/batch.ts'
import { targetsOf } from '../../src/families/common/label-statistics.ts'
import { fitDualLinear, linearMargins } from '../../src/families/sparse/dual-linear.ts'
import { outputTargets } from '../../src/families/sparse/margin-scores.ts'
import { fitFeatureSpace, textRows } from '../../src/families/text/feature-space.ts'
import { buildLexicon } from '../../src/families/text/lexicon.ts'
import { NGRAM_SHAPES, TABLE_SIZES } from '../../src/families/text/ngrams.ts'
import { textsOf } from '../../src/families/text/texts.ts'
import { Rng } from '../../src/support/rng.ts'
import { best, report, runPeer } from './peer.ts'

interface Corpus {
  vocabulary: string[]
  /** [n] token ids, training texts first. */
  texts: Int32Array[]
  classOf: Int32Array
  train: number
  classes: number
}

export async function benchNgrams(_threads: number, repeats: number): Promise<void> {
  for (const [count, length, classes] of [
    [12_000, 20, 2],
    [8000, 60, 6],
  ]) {
    const corpus = generate(count, length, classes)
    const files = {
      texts: corpus.texts.map((text) => Array.from(text, (id) => corpus.vocabulary[id]).join(' ')).join('\n'),
      y: corpus.classOf,
      'task.json': JSON.stringify({ train: corpus.train, repeats }),
    }
    const peer = runPeer('ngrams', files, 1, () => null)
    let accuracy = 0
    const cost = await best(repeats, async () => {
      accuracy = learn(corpus)
    })
    const theirs = typeof peer === 'string' ? '-' : (peer.result.accuracy as number).toFixed(4)
    const check = `accuracy on held-out texts ${accuracy.toFixed(4)} and ${theirs}`
    report(`n-grams, ${count} texts of about ${length} words, ${classes} classes`, cost, peer, 'scikit-learn', check)
  }
}

function learn({ vocabulary, texts, classOf, train, classes }: Corpus): number {
  const size = vocabulary.length
  const learning = textsOf(batch(texts.slice(0, train)), size)
  const judging = textsOf(batch(texts.slice(train)), size)
  const lexicon = finish(buildLexicon(vocabulary, size, { segmented: true, subwords: 0 }))
  const space = finish(
    fitFeatureSpace(learning, lexicon, {
      shapes: [NGRAM_SHAPES.pair],
      tableSize: TABLE_SIZES.find((prime) => prime > 4 * learning.tokens.length) ?? TABLE_SIZES[TABLE_SIZES.length - 1],
      minTexts: 2,
      maxWidth: 8e6 / classes,
    }),
  )
  const rows = finish(textRows(learning, space))
  const labels = new Float32Array(texts.length * classes)
  for (let i = 0; i < texts.length; i++) labels[i * classes + classOf[i]] = 1
  const targets = targetsOf(
    'softmax',
    labels,
    classes,
    Int32Array.from({ length: train }, (_, i) => i),
  )
  const answers = outputTargets(targets)
  const outputs = answers.length / train
  const model = finish(fitDualLinear(rows, answers, outputs, { loss: 'squared-hinge', cost: 1 }, Rng.fromSeed(1)))
  const margins = linearMargins(finish(textRows(judging, space)), model, outputs)
  let right = 0
  for (let i = 0; i < texts.length - train; i++) {
    let best = 0
    for (let k = 1; k < outputs; k++) if (margins[i * outputs + k] > margins[i * outputs + best]) best = k
    if ((outputs === 1 ? Number(margins[i] > 0) : best) === classOf[train + i]) right++
  }
  return right / (texts.length - train)
}

/** Zipf's law over words; each class prefers some words and some successors. */
function generate(count: number, length: number, classes: number): Corpus {
  const rng = Rng.fromSeed(5)
  const size = 20_000
  const vocabulary = Array.from({ length: size }, (_, id) => `w${id.toString(36)}x`)
  const zipf = () => Math.min(size - 1, Math.floor(Math.exp(rng.uniform() * Math.log(size))))
  const classOf = Int32Array.from({ length: count }, () => rng.below(classes))
  const texts = Array.from(classOf, (k) => {
    let last = 0
    return Int32Array.from({ length: Math.max(3, Math.round(length * (0.5 + rng.uniform()))) }, () => {
      const chance = rng.uniform()
      if (chance < 0.06) last = 50 + ((zipf() * 7 + k * 131) % 2000)
      else if (chance < 0.12) last = (last * 31 + k * 17 + 100) % size
      else last = zipf()
      return last
    })
  })
  return { vocabulary, texts, classOf, train: Math.floor(count * 0.8), classes }
}

function batch(texts: readonly Int32Array[]): DenseBatch {
  const offsets = new Float64Array(texts.length + 1)
  const shapes = new Int32Array(texts.length * 4)
  texts.forEach((text, i) => {
    offsets[i + 1] = offsets[i] + text.length
    shapes.set([text.length, 1, 1, 1], 4 * i)
  })
  const data = new Float32Array(offsets[texts.length])
  texts.forEach((text, i) => {
    data.set(text, offsets[i])
  })
  return { layout: 'dense', data, offsets, shapes }
}

function finish<R>(work: Generator<number, R, void>): R {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}
