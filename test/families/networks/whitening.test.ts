import { expect, test } from 'vitest'
import { symmetricEigen, whiteningOf } from '../../../src/families/networks/whitening.ts'
import { Rng } from '../../../src/support/rng.ts'

test('the eigenvectors of a symmetric matrix rebuild it, with the values of a closed form', () => {
  const n = 6
  // Second-difference matrix: eigenvalues 2 - 2 cos(pi k / (n + 1)).
  const a = Float64Array.from({ length: n * n }, (_, i) => {
    const gap = Math.abs(Math.floor(i / n) - (i % n))
    return gap === 0 ? 2 : gap === 1 ? -1 : 0
  })
  const { values, vectors } = symmetricEigen(a.slice(), n)
  const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos((Math.PI * (k + 1)) / (n + 1)))
  expect([...values].sort((x, y) => x - y).map((v) => v.toFixed(9))).toEqual(expected.map((v) => v.toFixed(9)))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let k = 0; k < n; k++) sum += vectors[i * n + k] * values[k] * vectors[j * n + k]
      expect(sum).toBeCloseTo(a[i * n + j], 9)
    }
  }
})

test('whitened patches have mean 0, unit variance and no correlation, and come with both signs', () => {
  const rng = Rng.fromSeed(3)
  const [channels, height, width, count] = [2, 6, 6, 40]
  const data = new Uint8Array(count * channels * height * width)
  for (let i = 0; i < data.length; i++) {
    const neighbour = i > 0 ? data[i - 1] : 128
    data[i] = Math.max(0, Math.min(255, 0.8 * neighbour + 0.2 * 128 + 30 * rng.normal()))
  }
  const { kernels, biases, components } = whiteningOf({ data, channels, height, width }, 12, Rng.fromSeed(1))!
  expect(components).toBe(12)
  const size = channels * 9
  const outputs: number[][] = []
  for (let p = 0; p < 20_000; p++) {
    const at = rng.below(count) * channels * height * width
    const [y, x] = [rng.below(height - 2), rng.below(width - 2)]
    outputs.push(
      Array.from({ length: components }, (_, k) => {
        let sum = biases[k]
        for (let i = 0; i < size; i++) {
          const pixel = at + (Math.floor(i / 9) * height + y + (Math.floor(i / 3) % 3)) * width + x + (i % 3)
          sum += (kernels[k * size + i] * data[pixel]) / 255
        }
        return sum
      }),
    )
  }
  for (let a = 0; a < components; a++) {
    const mean = outputs.reduce((sum, row) => sum + row[a], 0) / outputs.length
    expect(Math.abs(mean)).toBeLessThan(0.05)
    for (let b = 0; b <= a; b++) {
      const product = outputs.reduce((sum, row) => sum + row[a] * row[b], 0) / outputs.length
      if (a === b) expect(product).toBeGreaterThan(0.85)
      expect(Math.abs(product - (a === b ? 1 : 0))).toBeLessThan(a === b ? 0.15 : 0.06)
    }
  }
  for (let i = 0; i < components * size; i++) expect(kernels[components * size + i]).toBe(-kernels[i])
})

test('pictures of many channels are not whitened', () => {
  const pictures = (channels: number) => ({ data: new Uint8Array(4 * channels * 16), channels, height: 4, width: 4 })
  expect(whiteningOf(pictures(34), 12, Rng.fromSeed(1))).toBeNull()
  expect(whiteningOf(pictures(4), 12, Rng.fromSeed(1))).not.toBeNull()
})
