// A variant: what is done to a dataset, to which it can be done, and what may come of it.
import type { Rng } from '../../src/support/rng.ts'
import type { Editable } from './editable.ts'

export type Expectation =
  /** The final NAUC is at most `drop` below that of the dataset as it is. */
  | { kind: 'near'; drop: number | ((data: Editable) => number) }
  /** There is nothing to learn: neither test nor validation may say otherwise. */
  | { kind: 'chance' }
  /** A whole run with a model; no claim about how good. */
  | { kind: 'runs' }

export interface Variant {
  name: string
  applies(data: Editable): boolean
  make(data: Editable, rng: Rng): Editable
  expect: Expectation
}

/** The same change of every example's matrices, in both splits. */
export function eachValue(
  data: Editable,
  change: (value: Editable['train'][0]['matrices'][0], matrix: number) => typeof value,
): Editable {
  const changed = (examples: Editable['train']) =>
    examples.map(({ labels, matrices }) => ({ labels, matrices: matrices.map(change) }))
  return { ...data, train: changed(data.train), test: changed(data.test) }
}

/** Every k-th example, so that at most `most` are left. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)])
}

/** Class of highest score; -1 without labels. */
export function classOf(example: Editable['train'][0]): number {
  let best = -1
  let score = 0
  for (const label of example.labels) {
    const { index, score: s } = typeof label === 'number' ? { index: label, score: 1 } : label
    if (s > score) {
      best = index
      score = s
    }
  }
  return best
}

/** [K] examples of each class. */
export function countClasses({ spec, train }: Editable): number[] {
  const counts = new Array<number>(spec.outputDim).fill(0)
  for (const example of train) if (classOf(example) >= 0) counts[classOf(example)]++
  return counts
}

/** Numbers of a table, series or waveform: not token ids, not pictures. */
export function hasNumbers(data: Editable): boolean {
  return data.kind !== 'text' && data.train[0].matrices.some(({ layout }) => layout === 'dense')
}
