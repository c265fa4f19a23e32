// Variants of things in time: series, sound, video and text.
import type { Editable, Value } from '../editable.ts'
import { eachValue, type Variant } from '../variant.ts'

/** Sequences whose steps are the example's own. */
const stepped = ({ kind, spec }: Editable) =>
  (kind === 'series' || kind === 'audio' || kind === 'video') && spec.sequenceSize !== 1
/** A share of texts made empty, and the same share repeated up to about `LONG` tokens. */
const SHARE = 0.1
const LONG = 5000

export const sequenceVariants: Variant[] = [
  {
    name: 'reversed time',
    applies: stepped,
    expect: { kind: 'near', drop: 0.1 },
    make: (data) =>
      eachValue(data, (value) => picked(value, (steps) => Array.from({ length: steps }, (_, t) => steps - 1 - t))),
  },
  {
    name: 'varying lengths',
    applies: stepped,
    expect: { kind: 'near', drop: 0.3 },
    make(data, rng) {
      const cropped = eachValue(data, (value) =>
        picked(value, (steps) => {
          const length = Math.max(1, Math.round(steps * (0.6 + 0.4 * rng.uniform())))
          const from = rng.below(steps - length + 1)
          return Array.from({ length }, (_, t) => from + t)
        }),
      )
      return { ...cropped, spec: { ...data.spec, sequenceSize: -1 } }
    },
  },
  {
    name: 'empty and very long texts',
    applies: ({ kind }) => kind === 'text',
    expect: { kind: 'near', drop: 0.25 },
    make: (data, rng) =>
      eachValue(data, (value) => {
        const chance = rng.uniform()
        if (chance < SHARE) return picked(value, () => [])
        if (chance > 2 * SHARE) return value
        return picked(value, (steps) =>
          Array.from({ length: steps * Math.ceil(LONG / Math.max(1, steps)) }, (_, t) => t % steps),
        )
      }),
  },
]

/** The steps that `choose` names, in its order. */
function picked(value: Value, choose: (steps: number) => number[]): Value {
  if (value.layout === 'sparse') return value
  const [steps, rows, cols, channels] = value.shape
  const size = rows * cols * channels
  const chosen = choose(steps)
  const shape = [chosen.length, rows, cols, channels]
  const copy = <T extends Float32Array | Uint8Array>(from: T, into: T): T => {
    for (let i = 0; i < chosen.length; i++) into.set(from.subarray(chosen[i] * size, (chosen[i] + 1) * size), i * size)
    return into
  }
  return value.layout === 'dense'
    ? { layout: 'dense', shape, values: copy(value.values, new Float32Array(size * chosen.length)) }
    : { layout: 'pictures', shape, values: copy(value.values, new Uint8Array(size * chosen.length)) }
}
