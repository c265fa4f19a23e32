// Which word n-grams are taken and how they are hashed. A key is (sum_j multiplier_j * word_j) mod a prime: a universal family
// (Carter & Wegman 1979), and plain int64 arithmetic in an exported graph, with nothing above 2^53. Word 0 is the edge of the text, so that
// pairs with an edge say which word comes first and last. Key 0 means "nothing": it is what padding hashes to.

export interface NgramShape {
  name: 'pair' | 'triple' | 'skip'
  /** Offsets of the words taken, relative to a position. */
  offsets: readonly number[]
  /** Weight against single words. */
  weight: number
}

/** Two words side by side; three; two with one between them. */
export const NGRAM_SHAPES: Record<NgramShape['name'], NgramShape> = {
  pair: { name: 'pair', offsets: [-1, 0], weight: 1 },
  triple: { name: 'triple', offsets: [-1, 0, 1], weight: 1 },
  skip: { name: 'skip', offsets: [-1, 1], weight: 0.5 },
}

/** Primes: sizes of hash tables, each about twice the one before. */
export const TABLE_SIZES = [16381, 65521, 262139, 1048573, 2097143] as const
const MULTIPLIERS = [7919, 104729, 350377]

/** Word ids go up to 2^20 in the arithmetic; larger vocabularies share. */
export const WORD_LIMIT = 1 << 20

export function multiplier(offset: number): number {
  return MULTIPLIERS[offset + 1]
}

/** Positions of a text of `length` tokens at which a shape is read: pairs also at the end, where the second word is the edge. */
export function positionCount(shape: NgramShape, length: number): number {
  return shape.name === 'pair' ? length + 1 : length
}

/**
 * Keys of one shape over a text, in order of position. Reading past either end gives word 0.
 * @param words first words of tokens; @param lastWords last words: a pair joins the last word of one token to the first of the next
 */
export function ngramKeys(
  shape: NgramShape,
  firstWords: Int32Array,
  lastWords: Int32Array,
  length: number,
  tableSize: number,
  into: Int32Array,
): number {
  const count = length === 0 ? 0 : positionCount(shape, length)
  const { offsets } = shape
  for (let at = 0; at < count; at++) {
    let sum = 0
    for (let j = 0; j < offsets.length; j++) {
      const position = at + offsets[j]
      if (position < 0 || position >= length) continue
      const word = j === 0 ? lastWords[position] : firstWords[position]
      sum += multiplier(offsets[j]) * (word % WORD_LIMIT)
    }
    into[at] = sum % tableSize
  }
  return count
}

/** Key of two words side by side. */
export function pairKey(left: number, right: number, tableSize: number): number {
  return (multiplier(-1) * (left % WORD_LIMIT) + multiplier(0) * (right % WORD_LIMIT)) % tableSize
}
