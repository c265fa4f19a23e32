// Normalisations: (x - mean) / sqrt(variance + epsilon) over the named axes, scaled and shifted.
import { fromEnd, generate, input, intAttr, type RefTable, sizeOf, tensor } from './tensor.ts'

function moments(data: Float64Array): { mean: number; variance: number } {
  const mean = data.reduce((a, b) => a + b, 0) / data.length
  return { mean, variance: data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length }
}

export const normalizationReference: RefTable = {
  /** Inference form, or training form with the running statistics as further outputs. */
  BatchNormalization: (call) => {
    const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => input(call, i))
    const epsilon = intAttr(call, 'epsilon', 1e-5)
    const normalised = (level: ArrayLike<number>, spread: ArrayLike<number>) =>
      generate(x.type, x.shape, (index, flat) => {
        const c = index[1]
        return ((x.data[flat] - level[c]) / Math.sqrt(spread[c] + epsilon)) * scale.data[c] + bias.data[c]
      })
    if (intAttr(call, 'training_mode', 0) === 0) return normalised(mean.data, variance.data)
    const momentum = intAttr(call, 'momentum', 0.9)
    const channels = x.shape[1]
    const inner = sizeOf(x.shape.slice(2))
    const own = Array.from({ length: channels }, (_, c) =>
      moments(x.data.filter((_, flat) => Math.floor(flat / inner) % channels === c)),
    )
    const running = (held: Float64Array, now: readonly number[]) =>
      tensor(
        x.type,
        [channels],
        held.map((h, c) => h * momentum + now[c] * (1 - momentum)),
      )
    const means = own.map((m) => m.mean)
    const variances = own.map((m) => m.variance)
    return [normalised(means, variances), running(mean.data, means), running(variance.data, variances)]
  },
  InstanceNormalization: (call) => {
    const [x, scale, bias] = [0, 1, 2].map((i) => input(call, i))
    const epsilon = intAttr(call, 'epsilon', 1e-5)
    const inner = sizeOf(x.shape.slice(2))
    const planes = Array.from({ length: x.shape[0] * x.shape[1] }, (_, p) =>
      moments(x.data.subarray(p * inner, (p + 1) * inner)),
    )
    return generate(x.type, x.shape, (index, flat) => {
      const { mean, variance } = planes[Math.floor(flat / inner)]
      const c = index[1]
      return ((x.data[flat] - mean) / Math.sqrt(variance + epsilon)) * scale.data[c] + bias.data[c]
    })
  },
  /** Over the axes from `axis` on; further outputs are the mean and 1/deviation. */
  LayerNormalization: (call) => {
    const [x, scale] = [input(call, 0), input(call, 1)]
    const bias = call.inputs[2]
    const epsilon = intAttr(call, 'epsilon', 1e-5)
    const axis = fromEnd(intAttr(call, 'axis', -1), x.shape.length)
    const inner = sizeOf(x.shape.slice(axis))
    const rows = Array.from({ length: x.data.length / inner }, (_, r) =>
      moments(x.data.subarray(r * inner, (r + 1) * inner)),
    )
    const inverse = rows.map(({ variance }) => 1 / Math.sqrt(variance + epsilon))
    const y = x.data.map((v, flat) => {
      const row = Math.floor(flat / inner)
      const at = flat % inner
      // Scale and bias broadcast over the normalised axes.
      return (v - rows[row].mean) * inverse[row] * scale.data[at % scale.data.length] + (bias?.data[at] ?? 0)
    })
    const shape = x.shape.map((dim, i) => (i >= axis ? 1 : dim))
    const means = rows.map(({ mean }) => mean)
    return [
      tensor(x.type, x.shape, y),
      tensor(x.type, shape, Float64Array.from(means)),
      tensor(x.type, shape, Float64Array.from(inverse)),
    ].slice(0, call.outputCount)
  },
}
