// Token ids as records give them: whole numbers, gaps, and what no vocabulary has. And the pieces of their strings.
import { expect, test } from 'vitest'
import { type SubwordCutter, type Subwords, subwordCutter } from '../../../src/families/networks/text/subwords.ts'
import { documentCounts, tokensOf } from '../../../src/families/networks/text/tokens.ts'
import { Rng } from '../../../src/support/rng.ts'

test('ids that are missing or beyond all vocabularies are no tokens, and cost no memory', () => {
  const data = Float32Array.of(3, Number.NaN, 2e9, 1, 3, -5)
  const tokens = tokensOf({
    layout: 'dense',
    data,
    offsets: Float64Array.of(0, 4, 6),
    shapes: Int32Array.of(4, 1, 1, 1, 2, 1, 1, 1),
  })
  expect([...tokens.ids]).toEqual([3, -1, -1, 1, 3, -1])
  expect([...documentCounts(tokens, 2)]).toEqual([0, 1, 0, 2])
})

/** All pieces of all strings at once, then those that two known strings share. */
function slowSubwords(vocabulary: (string | undefined)[], known: (id: number) => boolean): string[][] {
  const cut = (word: string) => {
    const letters = [...`<${word.toLowerCase()}>`]
    const all = [3, 4, 5].flatMap((n) => letters.map((_, i) => letters.slice(i, i + n)).filter((g) => g.length === n))
    return [...new Set(all.filter((gram) => gram.length < letters.length).map((gram) => gram.join('')))]
  }
  const grams = vocabulary.map((word) => (word === undefined ? [] : cut(word)))
  const held = grams.filter((_, id) => known(id)).flat()
  const shared = new Set(held.filter((gram, i) => held.indexOf(gram) < i))
  return grams.map((list) => list.filter((gram) => shared.has(gram)))
}

function cutBy(cutter: SubwordCutter, known: (id: number) => boolean): { subwords: Subwords; safePoints: number } {
  const work = cutter(known)
  for (let safePoints = 0; ; safePoints++) {
    const step = work.next()
    if (step.done) return { subwords: step.value, safePoints }
  }
}

const rng = Rng.fromSeed(2)
const word = () => Array.from({ length: 1 + rng.below(6) }, () => 'aAbcé𝒳'.charAt(rng.below(7))).join('')
const WORDS = Array.from({ length: 120 }, (_, id) => (id % 17 === 3 ? undefined : word()))

test('the pieces of strings are those that two known strings share, whichever fit asked before', () => {
  const cutter = subwordCutter(WORDS)
  const knownSets = [
    (id: number) => id % 3 === 0,
    (id: number) => id % 2 === 0,
    (id: number) => id % 6 === 0,
    () => true,
    () => false,
  ]
  for (const known of knownSets) {
    const { offsets, pieces, pieceCount } = cutBy(cutter, known).subwords
    const expected = slowSubwords(WORDS, known)
    const names: string[] = []
    for (const [id, list] of expected.entries()) {
      expect(offsets[id + 1] - offsets[id]).toBe(list.length)
      // Numbered in the order in which they are met.
      for (const [i, gram] of list.entries()) {
        const number = pieces[offsets[id] + i]
        if (number === names.length) names.push(gram)
        expect(names[number]).toBe(gram)
      }
    }
    expect(pieceCount).toBe(names.length)
  }
})

test('cutting many strings has safe points, and is done once for fits that know no others', () => {
  const cutter = subwordCutter(Array.from({ length: 20_000 }, (_, id) => `w${id}`))
  expect(cutBy(cutter, (id) => id < 15_000).safePoints).toBeGreaterThan(5)
  expect(cutBy(cutter, (id) => id < 10_000).safePoints).toBe(0)
  expect(cutBy(cutter, (id) => id < 15_001).safePoints).toBeGreaterThan(5)
})
