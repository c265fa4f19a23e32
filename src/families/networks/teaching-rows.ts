// Which training rows a network learns from, and what it is told of them.
import type { Link } from '../common/label-statistics.ts'

/** [trainCount, K]: labels as targets; under softmax each labelled row sums to 1. */
export function rowTargets(labels: Float32Array, classCount: number, link: Link): Float32Array {
  if (link === 'sigmoid') return labels
  const targets = labels.slice()
  for (let from = 0; from < targets.length; from += classCount) {
    let sum = 0
    for (let k = 0; k < classCount; k++) sum += targets[from + k]
    if (sum > 0) for (let k = 0; k < classCount; k++) targets[from + k] /= sum
  }
  return targets
}

/** Rows that teach something: under softmax, an unlabelled row does not. All rows when none is labelled. */
export function teachingRows(rows: Int32Array, targets: Float32Array, classCount: number, link: Link): Int32Array {
  if (link === 'sigmoid') return rows
  const kept = rows.filter((row) => targets.subarray(row * classCount, (row + 1) * classCount).some((t) => t > 0))
  return kept.length > 0 ? kept : rows
}

/** Those of some rows that batches can be made of. */
export type HeldRows = (rows: Int32Array) => Int32Array

export function heldAmong(count: number, held: Int32Array | undefined): HeldRows {
  if (held === undefined) return (rows) => rows
  const marks = new Uint8Array(count)
  for (const row of held) marks[row] = 1
  return (rows) => rows.filter((row) => marks[row] === 1)
}

export function labelsOf(labels: Float32Array, rows: Int32Array, classCount: number): Float32Array {
  const out = new Float32Array(rows.length * classCount)
  rows.forEach((row, i) => {
    out.set(labels.subarray(row * classCount, (row + 1) * classCount), i * classCount)
  })
  return out
}
