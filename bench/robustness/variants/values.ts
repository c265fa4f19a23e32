// Variants of the numbers in tables, series and waveforms, and of their order.
import type { Editable, Value } from '../editable.ts'
import { eachValue, hasNumbers, thinned, type Variant } from '../variant.ts'

/** Values of a split at most where pictures are written as numbers. */
const MAX_VALUES = 1.2e7

export const valueVariants: Variant[] = [
  scaled('values times 1e6', 1e6),
  scaled('values times 1e-6', 1e-6),
  {
    name: '30 % missing',
    applies: (data) => data.kind !== 'text' && data.kind !== 'image' && data.kind !== 'video',
    expect: { kind: 'near', drop: 0.35 },
    make: (data, rng) =>
      eachValue(data, (value): Value => {
        switch (value.layout) {
          case 'dense':
            return { ...value, values: value.values.map((x) => (rng.uniform() < 0.3 ? Number.NaN : x)) }
          case 'sparse': {
            const kept = value.positions.map(() => (rng.uniform() < 0.3 ? 0 : 1))
            return {
              layout: 'sparse',
              positions: value.positions.filter((_, i) => kept[i] === 1),
              values: value.values.filter((_, i) => kept[i] === 1),
            }
          }
          default:
            return value
        }
      }),
  },
  {
    name: 'noise columns',
    applies: ({ kind, spec }) =>
      (kind === 'table' || kind === 'series') && spec.matrices.every(({ rows }) => rows === 1),
    expect: { kind: 'near', drop: 0.12 },
    make(data, rng) {
      const matrices = data.spec.matrices.map((matrix) => ({ ...matrix, cols: 2 * matrix.cols }))
      const noisy = eachValue(data, (value, m): Value => {
        const { cols, channels } = data.spec.matrices[m]
        if (value.layout === 'dense') return withNoise(value, () => rng.normal())
        if (value.layout === 'pictures') return value
        const extra = value.positions.map(() => (cols + rng.below(cols)) * channels).sort()
        const positions = Int32Array.from(new Set([...value.positions, ...extra]))
        const values = new Float32Array(positions.length).fill(1)
        values.set(value.values)
        return { layout: 'sparse', positions, values }
      })
      return { ...noisy, spec: { ...data.spec, matrices } }
    },
  },
  {
    name: 'shuffled columns, no locality',
    applies: (data) => data.kind !== 'text' && data.kind !== 'audio' && sameSize(data),
    expect: { kind: 'near', drop: 0.45 },
    make(data, rng) {
      const { matrices } = data.spec
      const sizes = matrices.map(({ rows, cols }) => rows * cols)
      const steps = Math.max(1, data.spec.sequenceSize)
      const channels = Math.max(...matrices.map((matrix) => matrix.channels))
      const most = Math.floor(MAX_VALUES / (steps * channels * Math.max(...sizes)))
      const dense = data.train[0].matrices[0].layout !== 'sparse'
      const fewer = dense ? { ...data, train: thinned(data.train, most), test: thinned(data.test, most) } : data
      const orders = sizes.map((size) => rng.permutation(size))
      const shuffled = eachValue(fewer, (value, m) => reordered(value, orders[m], matrices[m].channels))
      const spec = {
        ...data.spec,
        matrices: matrices.map((matrix) => ({
          ...matrix,
          format: matrix.format === 'SPARSE' ? ('SPARSE' as const) : ('DENSE' as const),
          isSequenceRow: false,
          isSequenceCol: false,
          hasLocalityRow: false,
          hasLocalityCol: false,
        })),
      }
      return { ...shuffled, spec }
    },
  },
]

function scaled(name: string, factor: number): Variant {
  return {
    name,
    applies: hasNumbers,
    expect: { kind: 'near', drop: 0.05 },
    make: (data) =>
      eachValue(data, (value) =>
        value.layout === 'pictures' ? value : { ...value, values: value.values.map((x) => x * factor) },
      ),
  }
}

function sameSize({ train, test, spec }: Editable): boolean {
  return spec.matrices.every(({ rows, cols, format }, m) => {
    if (rows < 1 || cols < 1) return false
    if (format === 'SPARSE') return true
    return [...train, ...test].every(({ matrices }) => {
      const value = matrices[m]
      return value.layout !== 'sparse' && value.shape[1] === rows && value.shape[2] === cols
    })
  })
}

/** As many noise columns as there are columns, at each step; as large as the values. */
function withNoise(value: Extract<Value, { layout: 'dense' }>, normal: () => number): Value {
  const [steps, rows, cols, channels] = value.shape
  const width = cols * channels
  const values = new Float32Array(2 * value.values.length)
  for (let line = 0; line < steps * rows; line++) {
    for (let i = 0; i < width; i++) {
      values[2 * line * width + i] = value.values[line * width + i]
      values[(2 * line + 1) * width + i] = normal()
    }
  }
  return { layout: 'dense', shape: [steps, rows, 2 * cols, channels], values }
}

/** Positions (row, column) permuted alike in every example and step; channels stay together. Pictures become numbers. */
function reordered(value: Value, order: Int32Array, channels: number): Value {
  const size = order.length
  if (value.layout === 'sparse') {
    const moved = value.positions.map((at) => order[Math.floor(at / channels) % size] * channels + (at % channels))
    const sorted = moved.map((_, i) => i).sort((a, b) => moved[a] - moved[b])
    return {
      layout: 'sparse',
      positions: sorted.map((i) => moved[i]),
      values: Float32Array.from(sorted, (i) => value.values[i]),
    }
  }
  const scale = value.layout === 'pictures' ? 1 / 255 : 1
  const values = new Float32Array(value.values.length)
  for (let from = 0; from < values.length; from += channels) {
    const position = from / channels
    const step = Math.floor(position / size)
    const to = (step * size + order[position % size]) * channels
    for (let c = 0; c < channels; c++) values[to + c] = value.values[from + c] * scale
  }
  return { layout: 'dense', shape: value.shape, values }
}
