import { describe, expect, it, test } from 'vitest'
import { fitFeatureSpace, textRows } from '../../../src/families/text/feature-space.ts'
import { buildLexicon, UNKNOWN_WORD } from '../../../src/families/text/lexicon.ts'
import { NGRAM_SHAPES, ngramKeys, pairKey, TABLE_SIZES } from '../../../src/families/text/ngrams.ts'
import { type Texts, textsOf } from '../../../src/families/text/texts.ts'

function finish<R>(work: Generator<number, R, void>): R {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

const lexiconOf = (words: (string | undefined)[], subwords = 0, segmented = true) =>
  finish(buildLexicon(words, words.length, { segmented, subwords }))

describe('a lexicon', () => {
  test('gives tokens that differ in case or punctuation the same word', () => {
    const { first, last, start, keys, pairs } = lexiconOf(['Good', 'good', 'good!', 'guy/girl'])
    expect(first[0]).toBe(first[1])
    expect(first[2]).toBe(first[0])
    expect(last[2]).not.toBe(first[2])
    expect([...keys.subarray(start[2], start[3])]).toEqual([first[2], last[2]])
    // good! is one pair, guy/girl two
    expect(pairs).toHaveLength(2 * 3)
  })

  test('keeps an unknown token and a hole apart from words', () => {
    const { first, start, size } = lexiconOf(['a', undefined])
    expect(first[size]).toBe(UNKNOWN_WORD)
    expect(first[1]).toBeGreaterThan(UNKNOWN_WORD)
    expect(start[size + 1] - start[size]).toBe(0)
  })

  test('shares character n-grams between related words, weighted to one length', () => {
    const { start, keys, values, wordCount } = lexiconOf(['walking', 'talking'], 0.5)
    const inside = (token: number) =>
      [...keys.subarray(start[token], start[token + 1])].filter((key) => key >= wordCount)
    const shared = inside(0).filter((key) => inside(1).includes(key))
    expect(shared.length).toBeGreaterThan(5)
    expect(new Set(inside(0)).size).toBe(inside(0).length)
    let squares = 0
    for (let i = start[0]; i < start[1]; i++) if (keys[i] >= wordCount) squares += values[i] ** 2
    expect(squares).toBeCloseTo(0.25, 5)
  })

  test('takes characters of dense scripts one and two at a time, and leaves frequent tokens alone', () => {
    const lexicon = lexiconOf(['天气好'], 1)
    const inside = lexicon.keys.filter((key) => key >= lexicon.wordCount)
    expect(inside).toHaveLength(5)
    const frequent = Uint8Array.of(1)
    expect(finish(buildLexicon(['hello'], 1, { segmented: true, subwords: 1, frequent })).keys).toHaveLength(1)
  })
})

describe('n-gram keys', () => {
  const words = Int32Array.of(5, 6, 5)
  const keys = (shape: keyof typeof NGRAM_SHAPES, count = 3) => {
    const into = new Int32Array(8)
    return [...into.subarray(0, ngramKeys(NGRAM_SHAPES[shape], words, words, count, 65521, into))]
  }

  it('covers both edges with pairs', () => {
    expect(keys('pair')).toEqual([
      pairKey(0, 5, 65521),
      pairKey(5, 6, 65521),
      pairKey(6, 5, 65521),
      pairKey(5, 0, 65521),
    ])
  })
  it('tells the order of words', () => {
    expect(pairKey(5, 6, 65521)).not.toBe(pairKey(6, 5, 65521))
  })
  it('has one triple and one skip per word', () => {
    expect(keys('triple')).toHaveLength(3)
    expect(keys('skip')).toHaveLength(3)
  })
  it('finds nothing in an empty text', () => {
    expect(keys('pair', 0)).toEqual([])
  })
})

test('table sizes are primes, so that the hash family is universal', () => {
  for (const size of TABLE_SIZES) {
    for (let d = 2; d * d <= size; d++) expect(size % d, `${size} by ${d}`).not.toBe(0)
  }
})

describe('rows of texts', () => {
  const texts: Texts = { tokens: Int32Array.of(0, 1, 0, 2, 2), offsets: Int32Array.of(0, 3, 4, 5, 5) }
  const lexicon = lexiconOf(['red', 'blue', 'green'])
  const options = { shapes: [], tableSize: 16381, minTexts: 1, maxWidth: 100 }
  const space = finish(fitFeatureSpace(texts, lexicon, options))

  it('are binary TF-IDF rows of length 1', () => {
    const { indptr, values, width } = finish(textRows(texts, space))
    expect(width).toBe(3)
    expect([...indptr]).toEqual([0, 2, 3, 4, 4])
    const rare = Math.log(5 / 2) + 1
    expect(values[0]).toBeCloseTo(rare / Math.hypot(rare, rare), 5)
    expect(values[2]).toBeCloseTo(1, 6)
  })

  it('leave out words that training did not have', () => {
    const other: Texts = { tokens: Int32Array.of(3, 0), offsets: Int32Array.of(0, 1, 2) }
    expect([...finish(textRows(other, space)).indptr]).toEqual([0, 0, 1])
  })

  it('keep n-grams that enough texts have, within the width', () => {
    const repeated: Texts = { tokens: Int32Array.of(0, 1, 0, 1, 1, 2), offsets: Int32Array.of(0, 2, 4, 6) }
    const wide = { shapes: [NGRAM_SHAPES.pair], tableSize: 16381, minTexts: 1, maxWidth: 100 }
    const widths = (change: object) => finish(fitFeatureSpace(repeated, lexicon, { ...wide, ...change })).width
    // pairs: edge-red, red-blue, blue-edge (2 texts each); edge-blue, blue-green, green-edge (once)
    expect(widths({})).toBe(3 + 6)
    expect(widths({ minTexts: 2 })).toBe(3 + 3)
    expect(widths({ maxWidth: 4 })).toBe(3 + 3)
  })
})

test('token ids that are no ids are unknown', () => {
  const data = Float32Array.of(0, 2, 3, -1, Number.NaN, 1e9, 1.5)
  const shapes = Int32Array.of(7, 1, 1, 1)
  const { tokens } = textsOf({ layout: 'dense', data, offsets: Float64Array.of(0, 7), shapes }, 3)
  expect([...tokens]).toEqual([0, 2, 3, 3, 3, 3, 1])
})
