// A case from a layer: its parameters (and the seed of dropout) become further inputs of the case, in the order of declaration.
import { GraphBuilder, type Value } from '../../../src/graph/builder.ts'
import { Network, type ParameterSpec } from '../../../src/graph/layers/network.ts'
import { type CaseInput, type Fill, type GraphCase, positive, spread } from '../graph-case.ts'

export interface LayerCase extends Omit<GraphCase, 'build' | 'inputs'> {
  mode: 'train' | 'infer'
  inputs: readonly CaseInput[]
  forward(net: Network, inputs: Value[]): Value | readonly Value[]
}

/** Spread for weights, but variances must be positive. */
const fillOf = ({ name }: ParameterSpec): Fill =>
  name.endsWith('.variance') ? positive : (rng) => 0.5 * spread(rng, 0)

export function layerCase({ mode, inputs, forward, ...rest }: LayerCase): GraphCase {
  const specs: ParameterSpec[] = []
  const dry = new GraphBuilder()
  const trial = new Network(dry, mode, (spec, g) => {
    specs.push(spec)
    return g.input(spec.name, 'float32', spec.shape)
  })
  forward(
    trial,
    inputs.map(({ shape, type = 'float32', symbols = {} }, i) =>
      dry.input(
        `x${i}`,
        type,
        shape.map((dim, axis) => symbols[axis] ?? dim),
      ),
    ),
  )
  const seed: CaseInput[] = trial.seeded ? [{ shape: [], type: 'int32', fill: (rng) => rng.uint32() | 0 }] : []
  return {
    ...rest,
    inputs: [
      ...inputs,
      ...specs.map((spec) => ({ shape: spec.shape, fill: fillOf(spec), fixed: spec.kind === 'statistic' })),
      ...seed,
    ],
    build(g, all) {
      const parameters = all.slice(inputs.length)
      let next = 0
      const net = new Network(g, mode, () => parameters[next++])
      if (trial.seeded) net.seed = () => all.at(-1)!
      const y = [forward(net, all.slice(0, inputs.length))].flat() as Value[]
      // New running statistics are outputs too.
      return [...y, ...net.updates.values()]
    },
  }
}
