// Short forms of the common operators. Operands may be plain numbers; they become scalar constants of their partner's type.

import { AutomlError } from '../support/errors.ts'
import type { GraphBuilder, Value } from './builder.ts'
import { type Dim, formatShape, isStatic } from './dims.ts'
import type { DataType } from './graph.ts'

export type Operand = Value | number

function pair(g: GraphBuilder, a: Operand, b: Operand): [Value, Value] {
  const type = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.type) : a.type
  return [typeof a === 'number' ? g.scalar(a, type) : a, typeof b === 'number' ? g.scalar(b, type) : b]
}

type Binary = (g: GraphBuilder, a: Operand, b: Operand) => Value
type Unary = (g: GraphBuilder, x: Value) => Value
const binary =
  (op: string): Binary =>
  (g, a, b) =>
    g.op(op, pair(g, a, b))
const unary =
  (op: string): Unary =>
  (g, x) =>
    g.op(op, [x])

export const add = binary('Add')
export const sub = binary('Sub')
export const mul = binary('Mul')
export const div = binary('Div')
export const pow = binary('Pow')
export const mod = binary('Mod')
export const minimum = binary('Min')
export const maximum = binary('Max')
export const equal = binary('Equal')
export const greater = binary('Greater')
export const greaterOrEqual = binary('GreaterOrEqual')
export const less = binary('Less')
export const lessOrEqual = binary('LessOrEqual')
export const and = binary('And')
export const or = binary('Or')
export const bitAnd = binary('BitwiseAnd')
export const bitXor = binary('BitwiseXor')

export const neg = unary('Neg')
export const abs = unary('Abs')
export const sign = unary('Sign')
export const sqrt = unary('Sqrt')
export const exp = unary('Exp')
export const log = unary('Log')
export const sin = unary('Sin')
export const cos = unary('Cos')
export const relu = unary('Relu')
export const sigmoid = unary('Sigmoid')
export const tanh = unary('Tanh')
export const erf = unary('Erf')
export const gelu = unary('Gelu')
export const softplus = unary('Softplus')
export const floor = unary('Floor')
export const ceil = unary('Ceil')
export const round = unary('Round')
export const isNan = unary('IsNaN')
export const isInf = unary('IsInf')
export const not = unary('Not')
export const identity = unary('Identity')

export function leakyRelu(g: GraphBuilder, x: Value, alpha = 0.01): Value {
  return g.op('LeakyRelu', [x], { alpha })
}

/** x * sigmoid(x) (swish). */
export function silu(g: GraphBuilder, x: Value): Value {
  return mul(g, x, sigmoid(g, x))
}

export function softmax(g: GraphBuilder, x: Value, axis = -1): Value {
  return g.op('Softmax', [x], { axis })
}

export function logSoftmax(g: GraphBuilder, x: Value, axis = -1): Value {
  return g.op('LogSoftmax', [x], { axis })
}

export function clip(g: GraphBuilder, x: Value, low: number | null, high: number | null): Value {
  const bound = (limit: number | null) => (limit === null ? null : g.scalar(limit, x.type))
  return g.op('Clip', high === null ? [x, bound(low)] : [x, bound(low), bound(high)])
}

export function where(g: GraphBuilder, condition: Value, a: Operand, b: Operand): Value {
  return g.op('Where', [condition, ...pair(g, a, b)])
}

export function cast(g: GraphBuilder, x: Value, to: DataType): Value {
  return x.type === to ? x : g.op('Cast', [x], { to })
}

export function matmul(g: GraphBuilder, a: Value, b: Value): Value {
  return g.op('MatMul', [a, b])
}

/** a x b + c for matrices, either factor transposed at no cost. */
export function gemm(
  g: GraphBuilder,
  a: Value,
  b: Value,
  c: Value | null = null,
  options: { transA?: boolean; transB?: boolean; alpha?: number; beta?: number } = {},
): Value {
  const { transA = false, transB = false, alpha = 1, beta = 1 } = options
  return g.op('Gemm', c === null ? [a, b] : [a, b, c], { transA: +transA, transB: +transB, alpha, beta })
}

export interface WindowOptions {
  /** One number for all spatial axes, or one per axis. @default 1 */
  strides?: number | readonly number[]
  /** @default 1 */
  dilations?: number | readonly number[]
  /**
   * Zeros around: one number for all sides, [begin..., end...], or 'same': kernel-1 in all, the larger half at the end.
   * @default 0
   */
  pads?: number | readonly number[] | 'same'
}

function windowAttrs(kernel: readonly number[], options: WindowOptions): Record<string, readonly number[]> {
  const each = (value: number | readonly number[] | undefined, fallback: number) =>
    typeof value === 'object' ? value : kernel.map(() => value ?? fallback)
  const dilations = each(options.dilations, 1)
  const given = options.pads ?? 0
  const reach = kernel.map((k, i) => (k - 1) * dilations[i])
  const pads =
    given === 'same'
      ? [...reach.map((r) => Math.floor(r / 2)), ...reach.map((r) => Math.ceil(r / 2))]
      : typeof given === 'number'
        ? [...kernel, ...kernel].fill(given)
        : given
  return { kernel_shape: kernel, strides: each(options.strides, 1), dilations, pads }
}

/** x [n, c, ...space], w [out, c/group, ...kernel], bias [out] -> [n, out, ...]. */
export function conv(
  g: GraphBuilder,
  x: Value,
  w: Value,
  bias: Value | null = null,
  options: WindowOptions & { group?: number } = {},
): Value {
  const kernel = w.shape.slice(2)
  if (!isStatic(kernel)) throw new AutomlError('GRAPH_SHAPE', `conv: kernel ${formatShape(kernel)} must be static`)
  const attrs = { ...windowAttrs(kernel, options), group: options.group ?? 1 }
  return g.op('Conv', bias === null ? [x, w] : [x, w, bias], attrs)
}

export function maxPool(g: GraphBuilder, x: Value, kernel: readonly number[], options: WindowOptions = {}): Value {
  return g.op('MaxPool', [x], windowAttrs(kernel, { strides: kernel, ...options }))
}

/** Padding does not count towards the mean. */
export function averagePool(g: GraphBuilder, x: Value, kernel: readonly number[], options: WindowOptions = {}): Value {
  return g.op('AveragePool', [x], windowAttrs(kernel, { strides: kernel, ...options }))
}

/** [n, c, ...space] -> [n, c] */
export function globalAveragePool(g: GraphBuilder, x: Value): Value {
  return reduceMean(
    g,
    x,
    x.shape.slice(2).map((_, i) => i + 2),
    false,
  )
}

/** [n, c, ...space] -> [n, c] */
export function globalMaxPool(g: GraphBuilder, x: Value): Value {
  return reduceMax(
    g,
    x,
    x.shape.slice(2).map((_, i) => i + 2),
    false,
  )
}

export function transpose(g: GraphBuilder, x: Value, perm: readonly number[]): Value {
  return perm.every((axis, i) => axis === i) ? x : g.op('Transpose', [x], { perm })
}

/**
 * `shape` may hold symbols of x's own shape and one -1. What cannot be said with constants is taken from Shape(x) at run time.
 */
export function reshape(g: GraphBuilder, x: Value, shape: readonly Dim[]): Value {
  const target = shape.map((dim, i) => (typeof dim === 'string' && x.shape[i] === dim ? 0 : dim))
  const open = target.filter((dim) => typeof dim === 'string')
  if (open.length === 1 && !target.includes(-1)) return reshape(g, x, target.with(target.indexOf(open[0]), -1))
  if (isStatic(target)) return g.op('Reshape', [x, g.ints(target)])
  const parts = shape.map((dim) => {
    if (typeof dim === 'number') return g.ints([dim])
    const at = x.shape.indexOf(dim)
    if (at < 0) {
      const received = `${dim} for ${x.name} ${formatShape(x.shape)}`
      throw new AutomlError('GRAPH_SHAPE', `reshape: size ${received} is not a size of the input`)
    }
    return g.op('Shape', [x], { start: at, end: at + 1 })
  })
  return g.op('Reshape', [x, g.op('Concat', parts, { axis: 0 })])
}

/** Collapses all axes from `axis` on. */
export function flatten(g: GraphBuilder, x: Value, axis = 1): Value {
  return g.op('Flatten', [x], { axis })
}

export function squeeze(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  return g.op('Squeeze', [x, g.ints(axes)])
}

export function unsqueeze(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  return g.op('Unsqueeze', [x, g.ints(axes)])
}

export function concat(g: GraphBuilder, parts: readonly Value[], axis: number): Value {
  return parts.length === 1 ? parts[0] : g.op('Concat', parts, { axis })
}

/** x[..., start:end:step, ...] along one axis; `end` null: to the end. */
export function slice(g: GraphBuilder, x: Value, axis: number, start: number, end: number | null, step = 1): Value {
  const inputs = [x, g.ints([start]), g.ints([end ?? 2 ** 31 - 1]), g.ints([axis])]
  return g.op('Slice', step === 1 ? inputs : [...inputs, g.ints([step])])
}

/** `axis` back to front. */
export function reverse(g: GraphBuilder, x: Value, axis: number): Value {
  return slice(g, x, axis, -1, -(2 ** 31), -1)
}

export function split(g: GraphBuilder, x: Value, axis: number, sizes: readonly number[]): Value[] {
  return g.ops('Split', [x, g.ints(sizes)], { axis }, sizes.length)
}

/** `pads`: all begins, then all ends; constant fill. */
export function pad(g: GraphBuilder, x: Value, pads: readonly number[], fill = 0): Value {
  if (pads.every((size) => size === 0)) return x
  return g.op('Pad', [x, g.ints(pads), g.scalar(fill, x.type)], { mode: 'constant' })
}

export function gather(g: GraphBuilder, x: Value, indices: Value, axis = 0): Value {
  return g.op('Gather', [x, indices], { axis })
}

/** Broadcasts x to `shape`, a constant list or an int64 vector. */
export function expand(g: GraphBuilder, x: Value, shape: readonly number[] | Value): Value {
  return g.op('Expand', [x, 'builder' in shape ? shape : g.ints(shape)])
}

/** int64 [rank] */
export function shapeOf(g: GraphBuilder, x: Value): Value {
  return g.op('Shape', [x])
}

/** Size of one axis as an int64 vector of one element. */
export function dimOf(g: GraphBuilder, x: Value, axis: number): Value {
  return g.op('Shape', [x], { start: axis, end: axis + 1 })
}

type Reduction = (g: GraphBuilder, x: Value, axes?: readonly number[] | null, keepdims?: boolean) => Value
const reduction =
  (op: string): Reduction =>
  (g, x, axes = null, keepdims = false) =>
    g.op(op, axes === null ? [x] : [x, g.ints(axes)], { keepdims: +keepdims })

/** `axes` null: all. */
export const reduceSum = reduction('ReduceSum')
export const reduceMean = reduction('ReduceMean')
export const reduceMax = reduction('ReduceMax')
export const reduceMin = reduction('ReduceMin')
export const reduceProd = reduction('ReduceProd')
export const reduceL2 = reduction('ReduceL2')
export const reduceSumSquare = reduction('ReduceSumSquare')
export const reduceLogSumExp = reduction('ReduceLogSumExp')

export function argMax(g: GraphBuilder, x: Value, axis: number, keepdims = false): Value {
  return g.op('ArgMax', [x], { axis, keepdims: +keepdims })
}

export function topK(g: GraphBuilder, x: Value, k: number, axis = -1): { values: Value; indices: Value } {
  const [values, indices] = g.ops('TopK', [x, g.ints([k])], { axis }, 2)
  return { values, indices }
}

export function cumSum(g: GraphBuilder, x: Value, axis: number): Value {
  return g.op('CumSum', [x, g.scalar(axis, 'int64')])
}

/** Integers [start, end) as int64. */
export function range(g: GraphBuilder, start: number | Value, end: number | Value): Value {
  const value = (n: number | Value) => (typeof n === 'number' ? g.scalar(n, 'int64') : n)
  return g.op('Range', [value(start), value(end), g.scalar(1, 'int64')])
}

/** Resizes the given axes to `sizes` (linear on 2 axes is bilinear), pixel centres aligned as most image libraries do. */
export function resize(
  g: GraphBuilder,
  x: Value,
  axes: readonly number[],
  sizes: readonly number[],
  mode: 'linear' | 'nearest' | 'cubic' = 'linear',
  antialias = false,
): Value {
  return g.op('Resize', [x, null, null, g.ints(sizes)], {
    axes,
    mode,
    coordinate_transformation_mode: 'half_pixel',
    ...(antialias ? { antialias: 1 } : {}),
    ...(mode === 'nearest' ? { nearest_mode: 'round_prefer_floor' } : {}),
  })
}
