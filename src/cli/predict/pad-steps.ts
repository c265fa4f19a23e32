// Examples shorter than a model's fixed number of steps, with zeros after their end: as they are read where the metadata state that
// number.
import type { DenseBatch } from '../../dataset/batch.ts'

/** The batch itself when none is shorter; longer ones stay as they are. */
export function padSteps(batch: DenseBatch, steps: number): DenseBatch {
  const count = batch.shapes.length / 4
  const shapes = batch.shapes.slice()
  const offsets = new Float64Array(count + 1)
  let short = false
  for (let i = 0; i < count; i++) {
    short ||= shapes[i * 4] < steps
    shapes[i * 4] = Math.max(shapes[i * 4], steps)
    offsets[i + 1] = offsets[i] + shapes.subarray(i * 4, i * 4 + 4).reduce((product, size) => product * size, 1)
  }
  if (!short) return batch
  const data = batch.data instanceof Uint8Array ? new Uint8Array(offsets[count]) : new Float32Array(offsets[count])
  for (let i = 0; i < count; i++) data.set(batch.data.subarray(batch.offsets[i], batch.offsets[i + 1]), offsets[i])
  return { layout: 'dense', data, offsets, shapes }
}
