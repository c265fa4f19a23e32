// Character n-grams of a vocabulary's strings (Bojanowski et al. 2017): words that share pieces share what was learned, and words
// that no training text holds still get a vector from their pieces. Each n-gram that at least two strings share is one piece; no
// hashing, since the vocabulary is known.

export interface Subwords {
  /** Pieces of id: pieces[offsets[id] .. offsets[id + 1]). */
  offsets: Int32Array
  pieces: Int32Array
  pieceCount: number
}

const SHORTEST = 3
const LONGEST = 5

/**
 * @param vocabulary string by id
 * @param known whether a training text holds the id: only pieces of known strings can be learned
 */
export function subwordsOf(vocabulary: readonly (string | undefined)[], known: (id: number) => boolean): Subwords {
  const holders = new Map<string, number>()
  const grams = vocabulary.map((word) => (word === undefined ? [] : ngrams(word)))
  grams.forEach((list, id) => {
    if (known(id)) for (const gram of list) holders.set(gram, (holders.get(gram) ?? 0) + 1)
  })
  const index = new Map<string, number>()
  const offsets = new Int32Array(vocabulary.length + 1)
  const pieces: number[] = []
  grams.forEach((list, id) => {
    for (const gram of list) {
      if ((holders.get(gram) ?? 0) < 2) continue
      let piece = index.get(gram)
      if (piece === undefined) index.set(gram, (piece = index.size))
      pieces.push(piece)
    }
    offsets[id + 1] = pieces.length
  })
  return { offsets, pieces: Int32Array.from(pieces), pieceCount: index.size }
}

/** `<word>` cut into all pieces of 3 to 5 characters, without the whole. Lower case, so that capitals share. */
function ngrams(word: string): string[] {
  const letters = [...`<${word.toLowerCase()}>`]
  const out = new Set<string>()
  for (let n = SHORTEST; n <= LONGEST; n++) {
    for (let i = 0; i + n <= letters.length; i++) {
      if (n < letters.length) out.add(letters.slice(i, i + n).join(''))
    }
  }
  return [...out]
}
