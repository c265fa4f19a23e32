// Checks gradients of a built graph against central finite differences. Outputs are float32, but weighted sums and differences are
// taken in float64, so that a step of 1e-2 leaves an error of about 1e-4.
import { expect } from 'vitest'
import type { Engine, Tensor } from '../../src/engine/engine.ts'
import { GraphBuilder, type Value } from '../../src/graph/builder.ts'
import { sizeOf } from '../../src/graph/dims.ts'
import { vectorJacobian } from '../../src/graph/gradients/gradients.ts'
import { Rng } from '../../src/support/rng.ts'

export interface GradientCase {
  title: string
  /** Differentiable inputs, float32. */
  inputs: readonly (readonly number[])[]
  /** Values of input `i`. @default spread over +-[0.3, 1.5], away from kinks */
  fill?: (rng: Rng, i: number) => number
  build(g: GraphBuilder, inputs: Value[]): Value
  /** Declares sizes of axis 0 as symbolic. @default false */
  symbolic?: boolean
  /** @default 2e-3, relative to the largest derivative */
  tolerance?: number
  step?: number
}

export async function checkGradient(engine: Engine, c: GradientCase): Promise<number> {
  const g = new GraphBuilder()
  const rng = Rng.fromSeed(7)
  const values = c.inputs.map((shape, i) =>
    g.input(`x${i}`, 'float32', c.symbolic ? ['n', ...shape.slice(1)] : [...shape]),
  )
  const y = c.build(g, values)
  const seed = g.input('seed', 'float32', y.shape)
  g.output('y', y)
  vectorJacobian(g, [y], [seed], values).forEach((grad, i) => {
    expect(grad.shape, `shape of gradient ${i}`).toEqual(values[i].shape)
    g.output(`grad${i}`, grad)
  })
  const run = await engine.compile(g.build())
  const forward = forwardOf(c)
  const plain = await engine.compile(forward)

  const fill = c.fill ?? ((r: Rng) => (r.uniform() < 0.5 ? -1 : 1) * (0.3 + 1.2 * r.uniform()))
  const feeds: Record<string, Tensor> = {}
  c.inputs.forEach((shape, i) => {
    const data = Float32Array.from({ length: sizeOf(shape) }, () => fill(rng, i))
    feeds[`x${i}`] = { type: 'float32', shape, data }
  })
  const first = (await plain.run(feeds)).y
  const weights = Float32Array.from({ length: first.data.length }, () => 2 * rng.uniform() - 1)
  const objective = async () => {
    const out = (await plain.run(feeds)).y.data as Float32Array
    return out.reduce((sum, value, i) => sum + value * weights[i], 0)
  }
  const out = await run.run({ ...feeds, seed: { type: 'float32', shape: first.shape, data: weights } })
  const step = c.step ?? 1e-2
  let worst = 0
  for (let i = 0; i < c.inputs.length; i++) {
    const data = feeds[`x${i}`].data as Float32Array
    const numeric = new Float64Array(data.length)
    for (let k = 0; k < data.length; k++) {
      const held = data[k]
      data[k] = held + step
      const [high, above] = [await objective(), data[k]]
      data[k] = held - step
      const [low, below] = [await objective(), data[k]]
      data[k] = held
      numeric[k] = (high - low) / (above - below)
    }
    const analytic = out[`grad${i}`].data as Float32Array
    const scale = Math.max(1e-3, ...numeric.map(Math.abs))
    numeric.forEach((expected, k) => {
      const error = Math.abs(analytic[k] - expected) / scale
      worst = Math.max(worst, error)
      expect(error, `d/dx${i}[${k}]: ${analytic[k]}, finite difference ${expected}`).toBeLessThan(c.tolerance ?? 2e-3)
    })
  }
  await run.release()
  await plain.release()
  return worst
}

function forwardOf(c: GradientCase) {
  const g = new GraphBuilder()
  const values = c.inputs.map((shape, i) =>
    g.input(`x${i}`, 'float32', c.symbolic ? ['n', ...shape.slice(1)] : [...shape]),
  )
  g.output('y', c.build(g, values))
  return g.build()
}
