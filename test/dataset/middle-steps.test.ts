// Which steps of a sequence are looked at: middles of equal parts, and pairs of close ones where parts are long.
import { describe, expect, test } from 'vitest'
import { middlesOfFixed, middlesOfVarying, PAIR_STEPS } from '../../src/dataset/middle-steps.ts'
import { range } from './helpers.ts'

const COUNTS = range(16).map((i) => i + 1)
/** floor((i + 1/2) steps / count) in whole numbers. */
const middle = (steps: number, count: number, i: number) => Math.floor(((2 * i + 1) * steps) / (2 * count))

describe.each([
  ['of one length', middlesOfFixed],
  ['of any length', middlesOfVarying],
])('steps of sequences %s', (_name, chosen) => {
  test.each(COUNTS)(
    'are the middles of %i parts where these are short, and at every length where that is odd',
    (count) => {
      const most = count % 2 === 0 ? 2 * count : 500
      for (const steps of range(most).map((i) => i + 1)) {
        expect(chosen(steps, count)).toEqual(range(count).map((i) => middle(steps, count, i)))
      }
    },
  )

  test.each(COUNTS.filter((count) => count % 2 === 0))(
    'are pairs of close ones, %i in all, where parts are long',
    (count) => {
      for (const steps of range(500).map((i) => 2 * count + 1 + i)) {
        const all = chosen(steps, count)
        for (const i of range(count)) {
          expect(all[i]).toBe(i % 2 === 0 ? middle(steps, count, i) : all[i - 1] + PAIR_STEPS)
        }
        expect(all.at(-1)!).toBeLessThan(steps)
      }
    },
  )

  test.each([
    ['as many', 8, [0, 1, 2, 3, 4, 5, 6, 7]],
    ['fewer', 5, [0, 0, 1, 2, 2, 3, 4, 4]],
    ['half as many again', 12, [0, 2, 3, 5, 6, 8, 9, 11]],
    ['twice as many', 16, [1, 3, 5, 7, 9, 11, 13, 15]],
    ['three times as many', 24, [1, 3, 7, 9, 13, 15, 19, 21]],
    ['a 20 s clip', 480, [30, 32, 150, 152, 270, 272, 390, 392]],
  ])('of %s as are looked at', (_title, steps, expected) => {
    expect(chosen(steps, 8)).toEqual(expected)
  })
})

test('of an empty sequence there is only the first, a row of padding', () => {
  for (const count of COUNTS) expect(middlesOfVarying(0, count)).toEqual(range(count).map(() => 0))
})
