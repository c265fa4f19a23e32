// MiniRocket's transform outside the engine: the same features as the graph of minirocket-front.ts, several times as fast, since
// outputs of a kernel stay in the cache while all its biases look at them. Kernel outputs are -sum of nine steps + 3 times three of
// them (Dempster, Schmidt & Webb 2021, section 3.3), the sum shared by all kernels. Inputs lie on a grid (`scaledFront`), so that
// these sums are exact in any order and both ways of computing agree.
import { compileWasm, instantiateWasm, type WasmFunction, wasm } from '../../support/wasm-module.ts'
import { KERNEL_COUNT, KERNEL_LENGTH, KERNELS } from './kernels.ts'
import type { DilationLayer } from './minirocket-front.ts'

const HALF = (KERNEL_LENGTH - 1) / 2
/** Biases that one pass over a kernel's outputs counts: two registers each of sixteen. */
const MAX_PASS = 6
/** Vectors may be read and written this far beyond the last step. */
const SLACK = 8
const BIAS_STRIDE = 4 * KERNEL_COUNT

let compiled: object | null = null

/**
 * [n, features] as the graph orders them: by dilation, bias, then position of the kernel.
 * @param x [n, channels, steps]
 */
export function rocketTransform(layers: readonly DilationLayer[], channels: number, steps: number) {
  compiled ??= compileWasm(program())
  const features = layers.reduce((sum, { biases }) => sum + biases * KERNEL_COUNT, 0)
  const reach = HALF * Math.max(...layers.map(({ dilation }) => dilation))
  // In numbers: padded inputs, sums of nine steps, one kernel's outputs, biases, features.
  const row = reach + steps + SLACK + reach
  const at = { x: 0, sums: channels * row, outputs: 0, biases: 0, features: 0, end: 0 }
  at.outputs = at.sums + channels * (steps + SLACK)
  at.biases = at.outputs + steps + SLACK
  at.features = at.biases + features
  at.end = at.features + features
  const { functions, memory } = instantiateWasm(compiled, 4 * at.end)
  const numbers = new Float32Array(memory.buffer)
  const passes = Array.from({ length: MAX_PASS }, (_, i) => functions[`count${i + 1}`])
  const { sums, combine, combineMore } = functions
  let from = at.biases
  for (const { thresholds } of layers) {
    for (const biases of thresholds) {
      numbers.set(biases, from)
      from += KERNEL_COUNT
    }
  }

  /** Where each kernel of a layer reads, in bytes: the sums and three steps in each of its channels. */
  const plans = layers.map((layer) =>
    subsets(layer, channels).map((subset, i) => {
      const start = i < layer.padded ? 0 : HALF * layer.dilation
      const places = subset.flatMap((c) => {
        const centre = at.x + c * row + reach + start
        const three = KERNELS[layer.order[i]].map((position) => centre + (position - HALF) * layer.dilation)
        return [at.sums + c * (steps + SLACK) + start, ...three]
      })
      return { places: places.map((place) => 4 * place), count: steps - 2 * start }
    }),
  )

  function example(x: Float32Array): void {
    for (let c = 0; c < channels; c++) numbers.set(x.subarray(c * steps, (c + 1) * steps), at.x + c * row + reach)
    let feature = 0
    for (let l = 0; l < layers.length; l++) {
      const { dilation, biases } = layers[l]
      for (let c = 0; c < channels; c++) {
        const first = at.x + c * row + reach - HALF * dilation
        sums(4 * (at.sums + c * (steps + SLACK)), 4 * first, 4 * dilation, steps)
      }
      for (let i = 0; i < KERNEL_COUNT; i++) {
        const { places, count } = plans[l][i]
        for (let p = 0; p < places.length; p += 4) {
          const add = p === 0 ? combine : combineMore
          add(4 * at.outputs, places[p], places[p + 1], places[p + 2], places[p + 3], count)
        }
        for (let done = 0; done < biases; done += MAX_PASS) {
          const offset = feature + done * KERNEL_COUNT + i
          const pass = passes[Math.min(MAX_PASS, biases - done) - 1]
          pass(4 * at.outputs, 4 * (at.biases + offset), count, 4 * (at.features + offset), 1 / count)
        }
      }
      feature += biases * KERNEL_COUNT
    }
  }

  return (x: Float32Array, n: number): Float32Array => {
    const out = new Float32Array(n * features)
    const size = channels * steps
    for (let i = 0; i < n; i++) {
      example(x.subarray(i * size, (i + 1) * size))
      out.set(numbers.subarray(at.features, at.features + features), i * features)
    }
    return out
  }
}

/** [84] channels that each kernel adds up. */
function subsets({ weights }: DilationLayer, channels: number): number[][] {
  return Array.from({ length: KERNEL_COUNT }, (_, i) =>
    Array.from({ length: channels }, (_, c) => c).filter((c) => weights[(i * channels + c) * KERNEL_LENGTH] !== 0),
  )
}

function program(): WasmFunction[] {
  const passes = Array.from({ length: MAX_PASS }, (_, i) => countAbove(i + 1))
  return [sumOfNine(), combine('combine', false), combine('combineMore', true), ...passes]
}

/** sums(into, from, stride, steps): into[t] = -(from[t] + from[t + stride] + ... nine of them), strides and places in bytes. */
function sumOfNine(): WasmFunction {
  const [into, from, stride, steps, t, place] = [0, 1, 2, 3, 4, 5]
  const next = [...wasm.get(place), ...wasm.get(stride), ...wasm.i32Add, ...wasm.set(place)]
  const rest = Array.from({ length: KERNEL_LENGTH - 1 }, () => [
    ...next,
    ...wasm.get(place),
    ...wasm.load(),
    ...wasm.f32x4Add,
  ]).flat()
  const body = [
    ...added(from, t, place),
    ...added(into, t, null),
    ...wasm.get(place),
    ...wasm.load(),
    ...rest,
    ...wasm.f32x4Neg,
    ...wasm.store(),
  ]
  return {
    name: 'sums',
    params: ['i32', 'i32', 'i32', 'i32'],
    locals: ['i32', 'i32'],
    body: overSteps(t, steps, body),
  }
}

/** combine(into, sums, a, b, c, count): into[t] = (into[t] +) sums[t] + 3 (a[t] + b[t] + c[t]), then -Infinity up to a whole vector. */
function combine(name: string, more: boolean): WasmFunction {
  const [into, sums, a, b, c, count, t, three] = [0, 1, 2, 3, 4, 5, 6, 7]
  const before = [...wasm.f32(3), ...wasm.splat, ...wasm.set(three)]
  const at = (pointer: number) => [...added(pointer, t, null), ...wasm.load()]
  const body = [
    ...added(into, t, null),
    ...at(a),
    ...at(b),
    ...wasm.f32x4Add,
    ...at(c),
    ...wasm.f32x4Add,
    ...wasm.get(three),
    ...wasm.f32x4Mul,
    ...at(sums),
    ...wasm.f32x4Add,
    ...(more ? [...at(into), ...wasm.f32x4Add] : []),
    ...wasm.store(),
  ]
  const end = [
    ...wasm.get(into),
    ...quadrupled(count),
    ...wasm.i32Add,
    ...wasm.f32(Number.NEGATIVE_INFINITY),
    ...wasm.splat,
    ...wasm.store(),
  ]
  const params = new Array<'i32'>(6).fill('i32')
  return { name, params, locals: ['i32', 'v128'], body: [...before, ...overSteps(t, count, body), ...end] }
}

/** countN(outputs, biases, count, into, 1 / count): shares of outputs above N biases, which lie a kernel's stride apart. */
function countAbove(passes: number): WasmFunction {
  const [outputs, biases, count, into, inverse, t, value] = [0, 1, 2, 3, 4, 5, 6]
  const bias = (k: number) => 7 + k
  const tally = (k: number) => 7 + passes + k
  const each = (part: (k: number) => number[]) => Array.from({ length: passes }, (_, k) => part(k)).flat()
  const before = each((k) => [
    ...wasm.get(biases),
    ...wasm.loadSplat(k * BIAS_STRIDE),
    ...wasm.set(bias(k)),
    ...wasm.zero,
    ...wasm.set(tally(k)),
  ])
  const body = [
    ...added(outputs, t, null),
    ...wasm.load(),
    ...wasm.set(value),
    // A true comparison is -1.
    ...each((k) => [
      ...wasm.get(tally(k)),
      ...wasm.get(value),
      ...wasm.get(bias(k)),
      ...wasm.f32x4Gt,
      ...wasm.i32x4Sub,
      ...wasm.set(tally(k)),
    ]),
  ]
  const after = each((k) => [
    ...wasm.get(into),
    ...[0, 1, 2, 3].flatMap((lane) => [...wasm.get(tally(k)), ...wasm.lane(lane), ...(lane > 0 ? wasm.i32Add : [])]),
    ...wasm.f32FromI32,
    ...wasm.get(inverse),
    ...wasm.f32Mul,
    ...wasm.storeF32(k * BIAS_STRIDE),
  ])
  return {
    name: `count${passes}`,
    params: ['i32', 'i32', 'i32', 'i32', 'f32'],
    locals: ['i32', 'v128', ...new Array<'v128'>(2 * passes).fill('v128')],
    body: [...before, ...overSteps(t, count, body), ...after],
  }
}

/** `body` for byte offsets t = 0, 16, ... below 4 * steps. */
function overSteps(t: number, steps: number, body: number[]): number[] {
  const next = [...wasm.get(t), ...wasm.i32(16), ...wasm.i32Add, ...wasm.set(t)]
  const below = [...wasm.get(t), ...quadrupled(steps), ...wasm.i32LtS]
  return [...wasm.i32(0), ...wasm.set(t), ...wasm.loopWhile(below, [...body, ...next])]
}

function added(pointer: number, offset: number, into: number | null): number[] {
  return [...wasm.get(pointer), ...wasm.get(offset), ...wasm.i32Add, ...(into === null ? [] : wasm.set(into))]
}

function quadrupled(local: number): number[] {
  const twice = [...wasm.get(local), ...wasm.get(local), ...wasm.i32Add]
  return [...twice, ...wasm.get(local), ...wasm.get(local), ...wasm.i32Add, ...wasm.i32Add]
}
