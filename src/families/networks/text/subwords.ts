// Character n-grams of a vocabulary's strings (Bojanowski et al. 2017): words that share pieces share what was learned, and words
// that no training text holds still get a vector from their pieces. Each n-gram that at least two strings share is one piece; no
// hashing, since the vocabulary is known. Strings are cut one by one, twice: a vocabulary's n-grams together would fill memory.

export interface Subwords {
  /** Pieces of id: pieces[offsets[id] .. offsets[id + 1]). */
  offsets: Int32Array
  pieces: Int32Array
  pieceCount: number
}

/**
 * @param known whether a training text holds the id: only pieces of known strings can be learned. Yields strings cut, every few
 * thousand.
 */
export type SubwordCutter = (known: (id: number) => boolean) => Generator<number, Subwords, void>

const SHORTEST = 3
const LONGEST = 5
const YIELD_STRINGS = 1 << 12

/** N-grams of all strings, of those that two strings of `seen` share, by number. */
interface Cut {
  seen: Uint8Array
  /** [vocabulary.length + 1] */
  offsets: Int32Array
  grams: Int32Array
  gramCount: number
}

/** The fits of a trial share the cutting: it is done again only when one knows strings that those before did not. */
export function subwordCutter(vocabulary: readonly (string | undefined)[]): SubwordCutter {
  let cut: Cut | null = null
  return function* subwordsOf(known) {
    const seen = Uint8Array.from(vocabulary, (_, id) => (known(id) || cut?.seen[id] ? 1 : 0))
    if (cut === null || seen.some((mark, id) => mark !== cut!.seen[id])) cut = yield* cutStrings(vocabulary, seen)
    return piecesAmong(cut, known)
  }
}

function* cutStrings(vocabulary: readonly (string | undefined)[], seen: Uint8Array): Generator<number, Cut, void> {
  /** Number of an n-gram that two strings share; MET: one has been met with it. */
  const numbers = new Map<string, number>()
  const MET = -1
  let gramCount = 0
  let done = 0
  for (let id = 0; id < vocabulary.length; id++) {
    const word = vocabulary[id]
    if (seen[id] === 0 || word === undefined) continue
    for (const gram of ngrams(word)) {
      const number = numbers.get(gram)
      if (number === undefined) numbers.set(gram, MET)
      else if (number === MET) numbers.set(gram, gramCount++)
    }
    if (++done % YIELD_STRINGS === 0) yield done
  }
  const offsets = new Int32Array(vocabulary.length + 1)
  let grams = new Int32Array(1 << 16)
  let used = 0
  for (let id = 0; id < vocabulary.length; id++) {
    const word = vocabulary[id]
    for (const gram of word === undefined ? [] : ngrams(word)) {
      const number = numbers.get(gram) ?? MET
      if (number === MET) continue
      if (used === grams.length) grams = doubled(grams)
      grams[used++] = number
    }
    offsets[id + 1] = used
    if (++done % YIELD_STRINGS === 0) yield done
  }
  return { seen, offsets, grams: grams.slice(0, used), gramCount }
}

/** Of a cut, the n-grams that two known strings share, numbered as they are met. */
function piecesAmong({ offsets: from, grams, gramCount }: Cut, known: (id: number) => boolean): Subwords {
  const size = from.length - 1
  const holders = new Int32Array(gramCount)
  for (let id = 0; id < size; id++) {
    if (known(id)) for (let at = from[id]; at < from[id + 1]; at++) holders[grams[at]]++
  }
  const numbers = new Int32Array(gramCount).fill(-1)
  const offsets = new Int32Array(size + 1)
  const pieces = new Int32Array(grams.length)
  let used = 0
  let pieceCount = 0
  for (let id = 0; id < size; id++) {
    for (let at = from[id]; at < from[id + 1]; at++) {
      const gram = grams[at]
      if (holders[gram] < 2) continue
      if (numbers[gram] < 0) numbers[gram] = pieceCount++
      pieces[used++] = numbers[gram]
    }
    offsets[id + 1] = used
  }
  return { offsets, pieces: pieces.slice(0, used), pieceCount }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(2 * array.length)
  out.set(array)
  return out
}

const BEYOND_16_BITS = /[\ud800-\udfff]/

/** `<word>` cut into all pieces of 3 to 5 characters, without the whole. Lower case, so that capitals share. */
function ngrams(word: string): Set<string> {
  const framed = `<${word.toLowerCase()}>`
  // Where every character is one unit, slices of the string are the quickest.
  const letters = BEYOND_16_BITS.test(framed) ? [...framed] : framed
  const out = new Set<string>()
  for (let n = SHORTEST; n <= LONGEST && n < letters.length; n++) {
    for (let i = 0; i + n <= letters.length; i++) {
      const piece = letters.slice(i, i + n)
      out.add(typeof piece === 'string' ? piece : piece.join(''))
    }
  }
  return out
}
