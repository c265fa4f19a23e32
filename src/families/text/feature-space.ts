// From texts to sparse rows: which features are kept, their inverse document frequencies, and the rows themselves. A text is the
// sum over its distinct tokens of their static features plus its distinct n-grams, divided by the root of the sum of the squared
// lengths of those parts. That sum is over parts, not over merged columns, so that an exported graph can compute it by lookups.
import type { Csr } from '../sparse/csr.ts'
import type { Lexicon } from './lexicon.ts'
import { type NgramShape, ngramKeys, pairKey } from './ngrams.ts'
import { type Texts, TOKEN_LIMIT, textCount } from './texts.ts'

export interface FeatureSpace {
  lexicon: Lexicon
  shapes: readonly NgramShape[]
  /** Hash table size of each shape. */
  tableSize: number
  /** Column by key, -1: dropped. Keys: the lexicon's, then `tableSize` keys per shape. */
  columns: Int32Array
  /** [width] ln((1 + n) / (1 + df)) + 1 (Salton & Buckley 1988, smoothed). */
  idf: Float32Array
  width: number
}

export interface FeatureSpaceOptions {
  shapes: readonly NgramShape[]
  tableSize: number
  /** N-grams and subwords in fewer texts than this are dropped. */
  minTexts: number
  /** Columns of words at most, and as many of n-grams and subwords; the rarest go first. */
  maxWidth: number
}

/** Chooses columns from `texts`. Yields every few thousand texts. */
export function* fitFeatureSpace(
  texts: Texts,
  lexicon: Lexicon,
  options: FeatureSpaceOptions,
): Generator<number, FeatureSpace, void> {
  const { shapes, tableSize } = options
  const keyCount = lexicon.keyCount + shapes.length * tableSize
  const counts = new Int32Array(keyCount)
  const seen = new Int32Array(keyCount)
  const seenToken = new Int32Array(lexicon.size + 1)
  const reader = new TextReader(lexicon, shapes, tableSize)
  const count = textCount(texts)
  for (let text = 0; text < count; text++) {
    const mark = text + 1
    const tally = (key: number) => {
      if (seen[key] === mark) return
      seen[key] = mark
      counts[key]++
    }
    reader.read(texts, text)
    for (let at = 0; at < reader.length; at++) {
      const token = reader.tokens[at]
      if (seenToken[token] === mark) continue
      seenToken[token] = mark
      for (let i = lexicon.start[token]; i < lexicon.start[token + 1]; i++) tally(lexicon.keys[i])
      reader.eachPair(token, tally)
    }
    reader.eachNgram((key) => tally(key))
    if (mark % 1024 === 0) yield mark
  }
  return chooseColumns(counts, count, lexicon, options)
}

function chooseColumns(
  counts: Int32Array,
  textTotal: number,
  lexicon: Lexicon,
  options: FeatureSpaceOptions,
): FeatureSpace {
  const { shapes, tableSize, maxWidth } = options
  // Key 0 of every shape stands for no n-gram.
  for (let s = 0; s < shapes.length; s++) counts[lexicon.keyCount + s * tableSize] = 0
  const { wordCount } = lexicon
  const leastWord = leastCount(counts.subarray(0, wordCount), 1, maxWidth)
  const leastNgram = leastCount(counts.subarray(wordCount), options.minTexts, maxWidth)
  const columns = new Int32Array(counts.length).fill(-1)
  let width = 0
  for (let key = 0; key < counts.length; key++) {
    if (counts[key] >= (key < wordCount ? leastWord : leastNgram)) columns[key] = width++
  }
  const idf = new Float32Array(width)
  for (let key = 0; key < counts.length; key++) {
    if (columns[key] >= 0) idf[columns[key]] = Math.log((1 + textTotal) / (1 + counts[key])) + 1
  }
  return { lexicon, shapes, tableSize, columns, idf, width }
}

/** The smallest minimum count from `start` on that at most `most` of `counts` reach. */
function leastCount(counts: Int32Array, start: number, most: number): number {
  let top = 0
  for (const count of counts) top = Math.max(top, count)
  const histogram = new Int32Array(top + 1)
  for (const count of counts) histogram[count]++
  let kept = 0
  for (let count = top; count >= start; count--) {
    kept += histogram[count]
    if (kept > most) return count + 1
  }
  return start
}

/** Rows of `texts` in a space. Yields every few thousand texts. */
export function* textRows(texts: Texts, space: FeatureSpace): Generator<number, Csr, void> {
  const { lexicon, shapes, columns, idf } = space
  const count = textCount(texts)
  const indptr = new Int32Array(count + 1)
  let indices = new Int32Array(Math.max(1024, texts.tokens.length * 4))
  let values = new Float32Array(indices.length)
  let used = 0
  const seenToken = new Int32Array(lexicon.size + 1)
  const seenNgram = new Int32Array(space.width)
  const seenColumn = new Int32Array(space.width)
  const place = new Int32Array(space.width)
  const reader = new TextReader(lexicon, shapes, space.tableSize)
  let squares = 0
  let mark = 0
  const put = (column: number, value: number) => {
    squares += value * value
    if (seenColumn[column] === mark) {
      values[place[column]] += value
      return
    }
    seenColumn[column] = mark
    if (used === indices.length) {
      indices = grown(indices, new Int32Array(used * 2))
      values = grown(values, new Float32Array(used * 2))
    }
    place[column] = used
    indices[used] = column
    values[used++] = value
  }
  const putPair = (key: number, weight: number) => {
    if (columns[key] >= 0) put(columns[key], weight * idf[columns[key]])
  }
  const putNgram = (key: number, weight: number) => {
    const column = columns[key]
    if (column < 0 || seenNgram[column] === mark) return
    seenNgram[column] = mark
    put(column, weight * idf[column])
  }
  for (let text = 0; text < count; text++) {
    mark = text + 1
    squares = 0
    reader.read(texts, text)
    for (let at = 0; at < reader.length; at++) {
      const token = reader.tokens[at]
      if (seenToken[token] === mark) continue
      seenToken[token] = mark
      for (let i = lexicon.start[token]; i < lexicon.start[token + 1]; i++) {
        const column = columns[lexicon.keys[i]]
        if (column >= 0) put(column, lexicon.values[i] * idf[column])
      }
      reader.eachPair(token, putPair)
    }
    reader.eachNgram(putNgram)
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0
    for (let at = indptr[text]; at < used; at++) values[at] *= scale
    indptr[mark] = used
    if (mark % 1024 === 0) yield mark
  }
  return { indptr, indices: indices.slice(0, used), values: values.slice(0, used), width: space.width }
}

/** One text's words and the keys of its n-grams. */
export class TextReader {
  length = 0
  tokens = new Int32Array(TOKEN_LIMIT)
  readonly #first = new Int32Array(TOKEN_LIMIT)
  readonly #last = new Int32Array(TOKEN_LIMIT)
  readonly #keys = new Int32Array(TOKEN_LIMIT + 1)
  readonly #pairShape: number

  constructor(
    readonly lexicon: Lexicon,
    readonly shapes: readonly NgramShape[],
    readonly tableSize: number,
  ) {
    this.#pairShape = shapes.findIndex((shape) => shape.name === 'pair')
  }

  read(texts: Texts, text: number): void {
    const from = texts.offsets[text]
    this.length = texts.offsets[text + 1] - from
    for (let at = 0; at < this.length; at++) {
      const token = texts.tokens[from + at]
      this.tokens[at] = token
      this.#first[at] = this.lexicon.first[token]
      this.#last[at] = this.lexicon.last[token]
    }
  }

  /** Keys of all n-grams of the text, repeats included, key 0 of a shape excluded. */
  eachNgram(visit: (key: number, weight: number) => void): void {
    for (let s = 0; s < this.shapes.length; s++) {
      const base = this.lexicon.keyCount + s * this.tableSize
      const shape = this.shapes[s]
      const count = ngramKeys(shape, this.#first, this.#last, this.length, this.tableSize, this.#keys)
      for (let i = 0; i < count; i++) if (this.#keys[i] !== 0) visit(base + this.#keys[i], shape.weight)
    }
  }

  /** Keys of the word pairs inside one token. */
  eachPair(token: number, visit: (key: number, weight: number) => void): void {
    if (this.#pairShape < 0) return
    const { pairStart, pairs, keyCount } = this.lexicon
    const base = keyCount + this.#pairShape * this.tableSize
    const shape = this.shapes[this.#pairShape]
    for (let i = pairStart[token]; i < pairStart[token + 1]; i++) {
      const key = pairKey(pairs[2 * i], pairs[2 * i + 1], this.tableSize)
      if (key !== 0) visit(base + key, shape.weight)
    }
  }
}

function grown<T extends Int32Array | Float32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
