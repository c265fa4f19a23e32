// The blocked factorisation against its definition, at sizes around and across block borders.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import {
  blockProducts,
  choleskyBlocked,
  solveLower,
  solveUpper,
} from '../../../src/families/common/blocked-cholesky.ts'
import { Rng } from '../../../src/support/rng.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

async function drain<T>(steps: AsyncGenerator<void, T, void>): Promise<T> {
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
  }
}

describe('blocked Cholesky', () => {
  test.each([1, 5, 128, 129, 300])('solves (A + shift I) x = b for %d rows', async (n) => {
    const rng = Rng.fromSeed(n)
    const half = Float64Array.from({ length: n * 4 }, () => rng.normal())
    const a = new Float32Array(n * n)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) for (let k = 0; k < 4; k++) a[i * n + j] += half[i * 4 + k] * half[j * 4 + k]
    const shift = 2
    const b = Float32Array.from({ length: n * 3 }, () => rng.normal())
    const products = await blockProducts(engine)
    const factor = await drain(choleskyBlocked(products, a, n, shift))
    const x = await drain(solveUpper(products, factor, await drain(solveLower(products, factor, b, 3)), 3))
    await products.release()
    let worst = 0
    for (let i = 0; i < n; i++)
      for (let c = 0; c < 3; c++) {
        let back = shift * x[i * 3 + c]
        for (let j = 0; j < n; j++) back += a[i * n + j] * x[j * 3 + c]
        worst = Math.max(worst, Math.abs(back - b[i * 3 + c]))
      }
    expect(worst).toBeLessThan(2e-3)
  })
})
