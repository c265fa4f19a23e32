// Labels of rows as lists: rows with one label and rows with several look alike to trees that count them.

/** Rows' labels as lists, so that one-label and many-label rows look alike: row i has (label, mass) pairs start[i] .. start[i+1]. */
export interface LabelLists {
  /** [n + 1] */
  start: Int32Array
  label: Int32Array
  mass: Float32Array
  classes: number
}

export function labelLists(labels: Float32Array, classes: number): LabelLists {
  const n = labels.length / classes
  const start = new Int32Array(n + 1)
  for (let i = 0; i < labels.length; i++) if (labels[i] > 0) start[Math.floor(i / classes) + 1]++
  for (let i = 0; i < n; i++) start[i + 1] += start[i]
  const label = new Int32Array(start[n])
  const mass = new Float32Array(start[n])
  let at = 0
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < classes; k++) {
      const y = labels[i * classes + k]
      if (y <= 0) continue
      label[at] = k
      mass[at++] = y
    }
  }
  return { start, label, mass, classes }
}

/** Every row has one label, its number in `label[row]`, of mass 1. */
export function isSingle({ start, mass }: LabelLists): boolean {
  for (let i = 0; i + 1 < start.length; i++) if (start[i + 1] !== i + 1 || mass[i] !== 1) return false
  return true
}
