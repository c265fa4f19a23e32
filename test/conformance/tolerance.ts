// How far an executor may be from the float64 reference. Errors are relative to the largest element of the tensor (or `floor` where all
// are smaller), because sums cancel: the error of an element that happens to be near zero says nothing.
import type { RefTensor } from './reference/tensor.ts'

export const TOLERANCE = {
  /**
   * 24-bit mantissas round at 6e-8. Sums here have up to a few thousand terms, whose errors add like their root, and kernels use
   * polynomials for exp, tanh and erf that are good to a few 1e-7 relative to 1: 3e-6 leaves room for other processors.
   */
  float32: 3e-6,
  /** On WebGPU: WGSL allows exp, log and pow some units in the last place more, relative to their arguments. */
  webgpu: 3e-5,
  /** sin and cos on WebGPU: WGSL asks for 2^-11 absolute, within one period. */
  webgpuWaves: 2 ** -11,
  /** Integers and truth values are counted, compared and moved: no rounding. */
  exact: 0,
  /** Central differences in float64 with steps of 1e-5: the square of the step, and rounding over the step. */
  finiteDifference: 1e-6,
  /** The reference against closed forms, both float64; but constants of the graph (0.8, 1/0.7) were rounded to float32. */
  closedForm: 1e-7,
  /** Losses of 20 training steps: rounding goes through the weights into every later step, and grows at every kink that is crossed. */
  trainedLoss: 2e-4,
  /** Weights after a few optimizer steps of a smooth problem. */
  trainedWeights: 2e-5,
} as const

/** What counts as zero where no case says otherwise: inputs are of size 1. */
const FLOOR = 1e-3

/** Largest error relative to the largest expected element. Infinite where NaN, infinities or shapes differ. */
export function relativeError(
  received: ArrayLike<number | bigint>,
  expected: RefTensor | ArrayLike<number>,
  floor = FLOOR,
): number {
  const truth = 'data' in expected ? expected.data : expected
  if (received.length !== truth.length) return Number.POSITIVE_INFINITY
  let [scale, worst] = [floor, 0]
  for (let i = 0; i < truth.length; i++) if (Number.isFinite(truth[i])) scale = Math.max(scale, Math.abs(truth[i]))
  for (let i = 0; i < truth.length; i++) {
    const value = Number(received[i])
    if (Object.is(value, truth[i]) || value === truth[i]) continue
    const error = Math.abs(value - truth[i])
    if (!Number.isFinite(error)) return Number.POSITIVE_INFINITY
    worst = Math.max(worst, error)
  }
  return worst / scale
}

/** What an output of type `type` of a case for `op` may be off by, on an executor of `kind`. */
export function toleranceOf(type: string, op: string, kind: string, slack = 1): number {
  if (isExact(type)) return TOLERANCE.exact
  if (kind !== 'onnx-webgpu') return slack * TOLERANCE.float32
  return op === 'Sin' || op === 'Cos' ? TOLERANCE.webgpuWaves : slack * TOLERANCE.webgpu
}

export const isExact = (type: string) => !type.startsWith('float')
