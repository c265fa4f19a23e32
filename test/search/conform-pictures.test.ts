import { expect, it } from 'vitest'
import type { DenseBatch } from '../../src/dataset/batch.ts'
import type { MatrixProfile } from '../../src/dataset/profile.ts'
import { conformPictures } from '../../src/search/conform-pictures.ts'

const extent = (size: number) => ({ min: size, median: size, max: size })
const matrix = { fixed: true, rows: extent(2), cols: extent(2), spec: { format: 'COMPRESSED' } } as MatrixProfile

function batch(...pictures: { rows: number; cols: number; bytes: number[] }[]): DenseBatch {
  const offsets = [0]
  for (const { bytes } of pictures) offsets.push(offsets.at(-1)! + bytes.length)
  return {
    layout: 'dense',
    data: Uint8Array.from(pictures.flatMap(({ bytes }) => bytes)),
    offsets: Float64Array.from(offsets),
    shapes: Int32Array.from(pictures.flatMap(({ rows, cols }) => [1, rows, cols, 1])),
  }
}

it('leaves pictures alone that all have the size of the task', () => {
  const same = batch({ rows: 2, cols: 2, bytes: [1, 2, 3, 4] })
  expect(conformPictures(same, matrix)).toBe(same)
})

it('resamples a stray picture and keeps the others', () => {
  const mixed = batch({ rows: 2, cols: 2, bytes: [1, 2, 3, 4] }, { rows: 1, cols: 4, bytes: [0, 40, 80, 120] })
  const { data, shapes } = conformPictures(mixed, matrix) as DenseBatch
  expect([...shapes]).toEqual([1, 2, 2, 1, 1, 2, 2, 1])
  // Columns of the stray: half-pixel centres 0.5 and 2.5 lie midway between (0, 40) and (80, 120).
  expect([...data]).toEqual([1, 2, 3, 4, 20, 100, 20, 100])
})
