// A first convolution that is computed instead of learned: the principal components of 3x3 patches, each scaled to unit variance and
// taken with both signs so that a ReLU keeps everything (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds", section 3.2). It saves the
// backward pass where the picture is largest, and the layers above start from decorrelated inputs.
import type { Rng } from '../../support/rng.ts'
import type { Pictures } from '../common/pictures.ts'

export interface Whitening {
  /** [2 * components, channels, 3, 3], for inputs in [0, 1]. */
  kernels: Float32Array
  /** [2 * components] */
  biases: Float32Array
  components: number
}

const SIDE = 3
const PATCHES = 8000
/** Variance added before scaling, as a share of the mean variance: the last components are mostly noise. */
const FLOOR = 5e-3

/** Values of a patch, of four channels: of more, the few components that are kept would leave out channels that vary little. */
const MOST_VALUES = 36

/**
 * @param most components at most; a multiple of 4 is kept, so that both signs fill the engine's blocks of channels
 * @returns null for pictures smaller than a patch and for those of more than four channels
 */
export function whiteningOf(pictures: Pictures, most: number, rng: Rng): Whitening | null {
  const { data, channels, height, width } = pictures
  const size = channels * SIDE * SIDE
  const components = Math.floor(Math.min(most, size) / 4) * 4
  if (height < SIDE || width < SIDE || components === 0 || size > MOST_VALUES) return null
  const count = data.length / (channels * height * width)
  const patch = new Float64Array(size)
  const mean = new Float64Array(size)
  const covariance = new Float64Array(size * size)
  for (let p = 0; p < PATCHES; p++) {
    const at = rng.below(count) * channels * height * width
    const [y, x] = [rng.below(height - SIDE + 1), rng.below(width - SIDE + 1)]
    for (let i = 0; i < size; i++) {
      const [c, dy, dx] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3]
      patch[i] = data[at + (c * height + y + dy) * width + x + dx] / 255
      mean[i] += patch[i] / PATCHES
    }
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) covariance[i * size + j] += (patch[i] * patch[j]) / PATCHES
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) covariance[j * size + i] = covariance[i * size + j] -= mean[i] * mean[j]
  }
  const { values, vectors } = symmetricEigen(covariance, size)
  const floor = (FLOOR * values.reduce((a, b) => a + Math.max(0, b), 0)) / size + 1e-8
  const order = Array.from(values.keys()).sort((a, b) => values[b] - values[a])
  const kernels = new Float32Array(2 * components * size)
  const biases = new Float32Array(2 * components)
  for (let k = 0; k < components; k++) {
    const scale = 1 / Math.sqrt(Math.max(0, values[order[k]]) + floor)
    let level = 0
    for (let i = 0; i < size; i++) {
      const weight = vectors[i * size + order[k]] * scale
      kernels[k * size + i] = weight
      kernels[(components + k) * size + i] = -weight
      level += weight * mean[i]
    }
    biases[k] = -level
    biases[components + k] = level
  }
  return { kernels, biases, components }
}

/**
 * Cyclic Jacobi rotations (Golub & Van Loan, Matrix Computations, section 8.5). `matrix` [n, n] symmetric, destroyed.
 * @returns vectors in columns, row-major [n, n]
 */
export function symmetricEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0
    let all = 0
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        all += matrix[i * n + j] ** 2
        if (i !== j) off += matrix[i * n + j] ** 2
      }
    }
    if (off <= 1e-22 * all) break
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotate(matrix, vectors, n, p, q)
    }
  }
  return { values: Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]), vectors }
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]
  if (apq === 0) return
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [a[k * n + p], a[k * n + q]]
    a[k * n + p] = c * kp - s * kq
    a[k * n + q] = s * kp + c * kq
  }
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [a[p * n + k], a[q * n + k]]
    a[p * n + k] = c * pk - s * qk
    a[q * n + k] = s * pk + c * qk
  }
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [v[k * n + p], v[k * n + q]]
    v[k * n + p] = c * kp - s * kq
    v[k * n + q] = s * kp + c * kq
  }
}
