// What a vocabulary's strings say about its token ids, as arrays that an exported graph can carry: the first and last word of each
// token (n-grams run over those) and a list of static features (words inside, character n-grams as in fastText, Bojanowski et al.
// 2017, letter case). Tokens that training never saw share features with those it did. Left out: stemming, stop words.

export interface LexiconOptions {
  /** Characters as tokens (unsegmented scripts): a token is one word and has no inside. */
  segmented: boolean
  /** Weight of a token's character n-grams against its words, as a Euclidean length; 0: none. */
  subwords: number
  /** [size] nonzero: a token so frequent that its own weight is known, and its inside would only cost time. @default none */
  frequent?: Uint8Array
}

export interface Lexicon {
  /** Token ids with an entry, 0..size-1; id `size` stands for every other id. */
  size: number
  /** Word ids in use: 0 is the edge of the text, 1 an unknown token, words start at 2. */
  wordCount: number
  /** [size + 1] word ids. */
  first: Int32Array
  last: Int32Array
  /** Static features of token id v: keys[start[v] .. start[v + 1]). Keys are word ids, then subword buckets, then letter case. */
  start: Int32Array
  keys: Int32Array
  values: Float32Array
  /** Word pairs inside tokens: pairs of word ids for token v at 2 * pairStart[v] .. 2 * pairStart[v + 1]. */
  pairStart: Int32Array
  pairs: Int32Array
  /** Keys are below this. */
  keyCount: number
}

/** Buckets of character n-grams: collisions stay rare up to a few hundred thousand different ones. */
const SUBWORD_BUCKETS = 1 << 18
const CASE_KEYS = 3
const YIELD_TOKENS = 1 << 13
export const UNKNOWN_WORD = 1

const WORDS = /[\p{L}\p{M}\p{N}_]+(?:['’]\p{L}+)*|[^\p{L}\p{M}\p{N}_\s]/gu
/** Scripts in which one character carries about as much as an English syllable or word. */
const DENSE_SCRIPT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u

/**
 * @param vocabulary token string by id; holes and missing strings are words of their own
 * @param size ids 0..size-1 get entries. Yields every few thousand tokens.
 */
export function* buildLexicon(
  vocabulary: readonly (string | undefined)[],
  size: number,
  options: LexiconOptions,
): Generator<number, Lexicon, void> {
  const wordIds = new Map<string, number>()
  const first = new Int32Array(size + 1).fill(UNKNOWN_WORD)
  const last = new Int32Array(size + 1).fill(UNKNOWN_WORD)
  const start = new Int32Array(size + 2)
  const pairStart = new Int32Array(size + 2)
  const keys: number[] = []
  const values: number[] = []
  const pairs: number[] = []
  const inside: number[] = []
  // Subword keys follow the words, whose number is known only at the end: written as negative until then.
  for (let token = 0; token < size; token++) {
    const text = vocabulary[token]
    const words = text === undefined ? [`#${token}`] : wordsOf(text, options.segmented)
    let previous = -1
    const from = keys.length
    for (const word of words) {
      let id = wordIds.get(word)
      if (id === undefined) {
        id = wordIds.size + 2
        wordIds.set(word, id)
      }
      if (previous < 0) first[token] = id
      else pairs.push(previous, id)
      previous = id
      if (keys.indexOf(id, from) < 0) {
        keys.push(id)
        values.push(1)
      }
    }
    last[token] = previous
    if (options.subwords > 0 && text !== undefined && !options.frequent?.[token]) {
      inside.length = 0
      for (const word of words) addSubwords(word, inside)
      addCase(text, inside)
      const value = options.subwords / Math.sqrt(inside.length)
      for (const bucket of inside) {
        keys.push(-1 - bucket)
        values.push(value)
      }
    }
    start[token + 1] = keys.length
    pairStart[token + 1] = pairs.length / 2
    if (token % YIELD_TOKENS === YIELD_TOKENS - 1) yield token
  }
  start[size + 1] = keys.length
  pairStart[size + 1] = pairs.length / 2
  const wordCount = wordIds.size + 2
  const finalKeys = Int32Array.from(keys)
  for (let i = 0; i < finalKeys.length; i++) if (finalKeys[i] < 0) finalKeys[i] = wordCount - 1 - finalKeys[i]
  return {
    size,
    wordCount,
    first,
    last,
    start,
    keys: finalKeys,
    values: Float32Array.from(values),
    pairStart,
    pairs: Int32Array.from(pairs),
    keyCount: wordCount + (options.subwords > 0 ? SUBWORD_BUCKETS + CASE_KEYS : 0),
  }
}

/** Lower-cased words and single symbols of a token; the token itself when it has none. */
function wordsOf(token: string, segmented: boolean): string[] {
  const lower = token.toLowerCase()
  if (!segmented || /^[a-z]+$/.test(lower)) return [lower]
  return lower.match(WORDS) ?? [lower]
}

/** Buckets of the 3-5-grams of `<word>` (1-2-grams in dense scripts), without repeats, short of the whole. */
function addSubwords(word: string, into: number[]): void {
  const dense = word.charCodeAt(0) > 0x2e7f && DENSE_SCRIPT.test(word)
  const framed = dense ? word : `<${word}>`
  const shortest = dense ? 1 : 3
  const longest = Math.min(dense ? 2 : 5, framed.length - 1)
  for (let at = 0; at + shortest <= framed.length; at++) {
    let hash = 0x811c9dc5
    const end = Math.min(at + longest, framed.length)
    for (let i = at; i < end; i++) {
      hash = Math.imul(hash ^ framed.charCodeAt(i), 0x01000193)
      if (i - at + 1 < shortest) continue
      const bucket = mix(hash) & (SUBWORD_BUCKETS - 1)
      if (into.indexOf(bucket) < 0) into.push(bucket)
    }
  }
}

function addCase(token: string, into: number[]): void {
  const initial = /^\p{Lu}/u.test(token)
  if (initial) into.push(SUBWORD_BUCKETS)
  if (initial && /^\p{Lu}{2}/u.test(token)) into.push(SUBWORD_BUCKETS + 1)
  if (/\p{N}/u.test(token)) into.push(SUBWORD_BUCKETS + 2)
}

/** Final mixing of murmur3, so that the low bits of an FNV hash can be used. */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
