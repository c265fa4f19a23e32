import { afterAll, describe, expect, it, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { linearMargins } from '../../../src/families/sparse/dual-linear.ts'
import { fitFeatureSpace, textRows } from '../../../src/families/text/feature-space.ts'
import { buildLexicon, UNKNOWN_WORD } from '../../../src/families/text/lexicon.ts'
import { affordableTexts } from '../../../src/families/text/ngram-fitter.ts'
import { NGRAM_SHAPES, ngramKeys, pairKey, TABLE_SIZES } from '../../../src/families/text/ngrams.ts'
import { textMargins, textTables } from '../../../src/families/text/text-graph.ts'
import { type Texts, textsOf } from '../../../src/families/text/texts.ts'
import { Rng } from '../../../src/support/rng.ts'
import { runGraph } from '../fronts/run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

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

describe('more words than there is room for', () => {
  // Words in one text (r), in two (a to e, guy / girl) and in five (red); of n-grams only those around guy/girl and red come twice.
  const rare = Array.from({ length: 20 }, (_, i) => `r${i}`)
  const words = ['red', 'guy/girl', 'a', 'b', 'c', 'd', 'e', ...rare]
  const lines = [[2, 3, 4, 5, 6], [6, 4, 2, 5, 3], rare.map((_, i) => 7 + i), [1], [1], [0], [0], [0], [0], [0]]
  const textsIn = (rows: number[][]): Texts => {
    const offsets = Int32Array.of(0, ...rows.map((_, i) => rows.slice(0, i + 1).flat().length))
    return { tokens: Int32Array.from(rows.flat()), offsets }
  }
  const lexicon = lexiconOf(words)
  const spaceOf = (maxWidth: number) => {
    const options = { shapes: [NGRAM_SHAPES.pair], tableSize: 16381, minTexts: 2, maxWidth }
    return finish(fitFeatureSpace(textsIn(lines), lexicon, options))
  }
  const keptWords = (maxWidth: number) =>
    spaceOf(maxWidth)
      .columns.subarray(0, lexicon.wordCount)
      .filter((at) => at >= 0)

  test('leave those that fewest texts have', () => {
    expect(keptWords(100)).toHaveLength(29)
    expect(keptWords(28)).toHaveLength(9)
    expect(keptWords(8)).toHaveLength(1)
  })

  test('are left by their counts where all are frequent', () => {
    const frequent = textsIn(Array.from({ length: 900 }, (_, i) => (i < 600 ? [2, 3] : [2])))
    const options = { shapes: [], tableSize: 16381, minTexts: 2, maxWidth: 1 }
    expect(finish(fitFeatureSpace(frequent, lexicon, options)).width).toBe(1)
  })

  test('are exported as they were learned from, pairs inside a token whose words are left out too', async () => {
    const space = spaceOf(6)
    expect(space.width).toBe(1 + 6)
    const rng = Rng.fromSeed(3)
    const weights = Float32Array.from({ length: space.width * 2 }, () => rng.normal())
    const model = { weights, bias: Float32Array.of(0.1, -0.2) }
    const asked = [[1], [1, 0], [2, 1, 3], [0, 0], [9]]
    const learned = linearMargins(finish(textRows(textsIn(asked), space)), model, 2)
    const tables = finish(textTables(space, model))
    const data = new Float32Array(asked.length * 3)
    asked.forEach((row, i) => {
      data.set(row, 3 * i)
    })
    const feeds = {
      x: { shape: [asked.length, 3, 1, 1, 1], declared: ['n', 't', 1, 1, 1], data },
      length: { shape: [asked.length], declared: ['n'], data: BigInt64Array.from(asked, (row) => BigInt(row.length)) },
    }
    const exported = await runGraph(engine, feeds, (g, { x, length }) => textMargins(g, { matrix: x, length }, tables))
    for (const [i, margin] of learned.entries()) expect(exported.data[i]).toBeCloseTo(margin, 4)
  })
})

describe('more tokens than memory has room for', () => {
  const texts: Texts = { tokens: Int32Array.of(1, 1, 2, 2, 3, 3, 4, 4), offsets: Int32Array.of(0, 2, 4, 6, 8) }
  const rows = Int32Array.of(10, 20, 30, 40)

  test('leave an even part of the texts', () => {
    const kept = affordableTexts(rows, texts, 4)
    expect([...kept.rows]).toEqual([10, 30])
    expect([...kept.texts.tokens]).toEqual([1, 1, 3, 3])
    expect([...kept.texts.offsets]).toEqual([0, 2, 4])
  })

  test('are what counts: fewer are taken as they are', () => {
    expect(affordableTexts(rows, texts, 8)).toEqual({ rows, texts })
    const long: Texts = {
      tokens: new Int32Array(2 ** 24),
      offsets: Int32Array.of(0, 2 ** 22, 2 ** 23, 3 * 2 ** 22, 2 ** 24),
    }
    expect(affordableTexts(rows, long).rows).toHaveLength(2)
  })
})

test('token ids that are no ids are unknown', () => {
  const data = Float32Array.of(0, 2, 3, -1, Number.NaN, 1e9, 1.5)
  const shapes = Int32Array.of(7, 1, 1, 1)
  const { tokens } = textsOf({ layout: 'dense', data, offsets: Float64Array.of(0, 7), shapes }, 3)
  expect([...tokens]).toEqual([0, 2, 3, 3, 3, 3, 1])
})
