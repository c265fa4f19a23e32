// A network under construction: a graph builder plus the parameters that layers ask for. The same forward function is run once per
// purpose: for the training step and for evaluation parameters are graph inputs, for export they are constants. Layers name their
// parameters by kind and order of calls (`conv_1.weight`), so the forward function must ask for layers in a fixed order.
import { AutomlError } from '../../support/errors.ts'
import type { Rng } from '../../support/rng.ts'
import type { GraphBuilder, Value } from '../builder.ts'
import { formatShape, sizeOf } from '../dims.ts'
import { add, mul } from '../functions.ts'

/** Fills a new parameter: an array of its own, which whoever calls may write to. `shape` as the layer declared it. */
export type Initializer = (rng: Rng, shape: readonly number[]) => Float32Array

export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly init: Initializer
  /**
   * 'weight': a linear map between hidden layers, [out, in, ...] or [in, out]; 'embedding': a table of vectors; 'head': the map to the
   * output; 'bias': trained but not decayed (biases, scales); 'statistic': not trained, updated by its layer.
   */
  readonly kind: 'weight' | 'embedding' | 'head' | 'bias' | 'statistic'
}

/** Whether weight decay shrinks such a parameter. */
export function isDecayed({ kind }: ParameterSpec): boolean {
  return kind === 'weight' || kind === 'embedding' || kind === 'head'
}

/** Gives the value for a parameter: a graph input or a constant. */
export type ParameterSource = (spec: ParameterSpec, g: GraphBuilder) => Value

export class Network {
  readonly parameters: { spec: ParameterSpec; value: Value }[] = []
  /** New values of statistics after a training step, by name. */
  readonly updates = new Map<string, Value>()
  readonly #counts = new Map<string, number>()
  #seed: Value | null = null
  #salt = 0

  /** @param mode in 'train', dropout drops and batch norm uses the batch's own statistics */
  constructor(
    readonly g: GraphBuilder,
    readonly mode: 'train' | 'infer',
    readonly source: ParameterSource,
  ) {}

  /** The next name for a layer of this kind: `conv_1`, `conv_2`, ... */
  layerName(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    return `${kind}_${count}`
  }

  parameter(name: string, shape: readonly number[], init: Initializer, kind: ParameterSpec['kind'] = 'weight'): Value {
    if (this.parameters.some((p) => p.spec.name === name)) {
      throw new AutomlError('GRAPH_OP', `the parameter ${name} is declared twice`)
    }
    const spec = { name, shape, init, kind }
    const value = this.source(spec, this.g)
    if (formatShape(value.shape) !== formatShape(shape)) {
      const received = `${formatShape(value.shape)}; must be ${formatShape(shape)}`
      throw new AutomlError('GRAPH_SHAPE', `parameter ${name}: received ${received}`)
    }
    this.parameters.push({ spec, value })
    return value
  }

  /** Records a statistic's next value: a running mean with the given momentum (weight of the new observation). */
  trackMean(statistic: Value, observed: Value, momentum: number): void {
    const { g } = this
    const name = this.parameters.find((p) => p.value.name === statistic.name)!.spec.name
    this.updates.set(name, add(g, mul(g, statistic, 1 - momentum), mul(g, observed, momentum)))
  }

  /** The step's random seed, an int32 scalar input named `seed`; made when first asked for. */
  seed(): Value {
    this.#seed ??= this.g.input('seed', 'int32', [])
    return this.#seed
  }

  get seeded(): boolean {
    return this.#seed !== null
  }

  /** A different number for each random layer, so that they draw independently from one seed. */
  nextSalt(): number {
    return ++this.#salt
  }
}

/** Parameters as graph inputs, for training and evaluation with changing weights. */
export const parameterInputs: ParameterSource = (spec, g) => g.input(spec.name, 'float32', spec.shape)

/** Parameters as constants, for export. */
export function parameterConstants(weights: Readonly<Record<string, Float32Array>>): ParameterSource {
  return (spec, g) => {
    const data = weights[spec.name]
    if (data === undefined) throw new AutomlError('GRAPH_OP', `no weights for the parameter ${spec.name}`)
    return g.constant(data, spec.shape, 'float32', spec.name)
  }
}

export const zeros: Initializer = (_, shape) => new Float32Array(sizeOf(shape))
export const ones: Initializer = (_, shape) => new Float32Array(sizeOf(shape)).fill(1)
export const filled =
  (value: number): Initializer =>
  (_, shape) =>
    new Float32Array(sizeOf(shape)).fill(value)

export const normal =
  (deviation: number): Initializer =>
  (rng, shape) =>
    rng.fillNormal(new Float32Array(sizeOf(shape)), deviation)

/** He et al. 2015 (arXiv:1502.01852): normal with variance gain^2 / inputs. `fanIn` inputs feed each output. */
export const heNormal = (fanIn: number, gain = Math.SQRT2): Initializer => normal(gain / Math.sqrt(Math.max(1, fanIn)))

/** Uniform in +-1/sqrt(fanIn). */
export const uniformFanIn =
  (fanIn: number): Initializer =>
  (rng, shape) => {
    const bound = 1 / Math.sqrt(Math.max(1, fanIn))
    const out = new Float32Array(sizeOf(shape))
    for (let i = 0; i < out.length; i++) out[i] = bound * (2 * rng.uniform() - 1)
    return out
  }
