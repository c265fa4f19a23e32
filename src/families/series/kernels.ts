// The fixed kernels and the dilation plan of MiniRocket (Dempster, Schmidt & Webb 2021, sections 3.1-3.3): 84 kernels of length 9
// with three weights of 2 and six of -1, dilations on a log grid up to the length of the input, and for each pair of kernel and dilation
// some biases at low-discrepancy quantiles of its output.

export const KERNEL_LENGTH = 9
export const KERNEL_COUNT = 84
const MAX_DILATIONS = 32

/** [84][3] positions of the weights 2. */
export const KERNELS: readonly (readonly number[])[] = combinations(KERNEL_LENGTH)

export interface DilationPlan {
  dilation: number
  /** Biases, hence features, of each kernel at this dilation. */
  biases: number
}

/**
 * @param steps length of the series, at least KERNEL_LENGTH
 * @param featuresPerKernel number of features over KERNEL_COUNT
 */
export function planDilations(steps: number, featuresPerKernel: number): DilationPlan[] {
  const grid = Math.min(featuresPerKernel, MAX_DILATIONS)
  const multiplier = featuresPerKernel / grid
  const largest = Math.log2((steps - 1) / (KERNEL_LENGTH - 1))
  const counts = new Map<number, number>()
  for (let i = 0; i < grid; i++) {
    const dilation = Math.trunc(2 ** (grid === 1 ? 0 : (largest * i) / (grid - 1)) + 1e-9)
    counts.set(dilation, (counts.get(dilation) ?? 0) + 1)
  }
  const plan = [...counts].map(([dilation, count]) => ({ dilation, biases: Math.trunc(count * multiplier + 1e-9) }))
  let left = featuresPerKernel - plan.reduce((sum, { biases }) => sum + biases, 0)
  for (let i = 0; left > 0; i = (i + 1) % plan.length, left--) plan[i].biases++
  return plan
}

/** count values in (0, 1): multiples of the golden ratio, modulo 1. */
export function quantiles(count: number): number[] {
  const golden = (Math.sqrt(5) + 1) / 2
  return Array.from({ length: count }, (_, i) => ((i + 1) * golden) % 1)
}

/** Output at every step of kernel `positions` at a dilation, zeros beyond the ends. @param x [steps] @param into [steps] */
export function convolve(x: Float32Array, positions: readonly number[], dilation: number, into: Float32Array): void {
  const steps = x.length
  const half = (KERNEL_LENGTH - 1) / 2
  into.fill(0)
  for (let j = 0; j < KERNEL_LENGTH; j++) {
    const weight = positions.includes(j) ? 2 : -1
    const shift = (j - half) * dilation
    const from = Math.max(0, -shift)
    const to = Math.min(steps, steps - shift)
    for (let t = from; t < to; t++) into[t] += weight * x[t + shift]
  }
}

/** Linear interpolation between order statistics, as numpy's default. @param sorted ascending */
export function quantileOf(sorted: Float32Array, q: number): number {
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(sorted.length - 1, low + 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}

function combinations(n: number): number[][] {
  const out: number[][] = []
  for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) for (let c = b + 1; c < n; c++) out.push([a, b, c])
  return out
}
