import { describe, expect, it } from 'vitest'
import { plotCurve } from '../../src/ui/curve-plot.ts'

/** Dots of a plot as a set of "x,y" from the left and the top. */
function dotsOf(rows: string[]): Set<string> {
  const bits = [
    [0x01, 0x02, 0x04, 0x40],
    [0x08, 0x10, 0x20, 0x80],
  ]
  const dots = new Set<string>()
  rows.forEach((row, r) => {
    ;[...row].forEach((character, c) => {
      const cell = character.charCodeAt(0) - 0x2800
      for (let dx = 0; dx < 2; dx++) {
        for (let dy = 0; dy < 4; dy++) if (cell & bits[dx][dy]) dots.add(`${c * 2 + dx},${r * 4 + dy}`)
      }
    })
  })
  return dots
}

describe('the learning curve', () => {
  it('is a level line when there is one score', () => {
    const plot = plotCurve([{ t: 1000, y: 0.5 }], 10, 2, 100_000, 100_000)
    const dots = dotsOf(plot.rows)
    expect(dots.size).toBe(20)
    expect(new Set([...dots].map((dot) => dot.split(',')[1])).size).toBe(1)
  })

  it('ends at the present', () => {
    const dots = dotsOf(plotCurve([{ t: 1000, y: 0.5 }], 10, 2, 100_000, 10_000).rows)
    expect(Math.max(...[...dots].map((dot) => Number(dot.split(',')[0])))).toBe(10)
  })

  it('spaces times by their logarithm and steps where a score changes', () => {
    const points = [
      { t: 1000, y: 0 },
      { t: 10_000, y: 1 },
    ]
    const plot = plotCurve(points, 10, 2, 100_000, 100_000)
    const dots = dotsOf(plot.rows)
    expect([plot.yMin, plot.yMax]).toEqual([0, 1])
    // Half of the way from 1 s to 100 s on a log axis: column 10 of 0..19.
    for (let x = 0; x <= 10; x++) expect(dots).toContain(`${x},7`)
    for (let y = 0; y <= 7; y++) expect(dots).toContain(`10,${y}`)
    for (let x = 10; x < 20; x++) expect(dots).toContain(`${x},0`)
  })

  it('has rows of exactly the asked-for width, whatever the points', () => {
    for (const points of [[], [{ t: 1, y: -1 }], [{ t: 1e9, y: 1 }]]) {
      const plot = plotCurve(points, 13, 3, 60_000, 70_000)
      expect(plot.rows.map((row) => row.length)).toEqual([13, 13, 13])
    }
  })

  it('shows a narrow range of scores large', () => {
    const points = [0.9981, 0.9985].map((y, i) => ({ t: 1000 * (i + 1), y }))
    const { yMin, yMax } = plotCurve(points, 10, 2, 60_000, 60_000)
    expect(yMin).toBeCloseTo(0.99)
    expect(yMax).toBeCloseTo(1)
  })
})
