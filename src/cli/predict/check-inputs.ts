// Whether data fit a model: its inputs, by name and size, against what the profile says that will be fed, and then against every
// example, since a profile knows a sample only.
import type { DenseBatch } from '../../dataset/batch.ts'
import type { MatrixProfile, TaskProfile } from '../../dataset/profile.ts'
import { stepsVary } from '../../search/model-graph.ts'
import { DataError } from '../../support/errors.ts'
import type { InputShape } from './conform-profile.ts'

export interface ModelInputs {
  /** The file, for messages. */
  path: string
  /** By name; null: not a tensor. */
  shapes: ReadonlyMap<string, InputShape | null>
}

/** @throws DATA_MISMATCH */
export function checkInputs({ path, shapes }: ModelInputs, profile: TaskProfile): void {
  const offered = offeredShapes(profile)
  for (const [name, shape] of shapes) {
    const sizes = offered.get(name)
    if (sizes === undefined) {
      throw mismatch(path, name, 'nothing', `the data have only ${[...offered.keys()].join(', ')}`)
    }
    if (shape !== null && !fits(shape, sizes)) {
      throw mismatch(path, name, `[${sizes.join(', ')}] from the data`, mustBe(shape))
    }
  }
}

/**
 * @param ids of the examples in the batch, which are as they will be fed but that stray pictures are still to be resampled
 * @throws DATA_MISMATCH naming the first example that does not fit
 */
export function checkExamples(
  { path, shapes }: ModelInputs,
  { batch, matrix, fed, ids }: { batch: DenseBatch; matrix: number; fed: MatrixProfile; ids: readonly number[] },
): void {
  const shape = shapes.get(`matrix_${matrix}`) ?? null
  if (shape === null) return
  for (const [i, id] of ids.entries()) {
    const [steps, ...sizes] = batch.shapes.subarray(i * 4, i * 4 + 4)
    const [rows, cols, channels] = fed.spec.format === 'COMPRESSED' && fed.fixed ? fixedSizes(fed) : sizes
    // An empty sequence is fed as one step of zeros.
    const received = [Math.max(1, steps), rows, cols, channels]
    if (fits(shape, ['n', ...received])) continue
    throw mismatch(path, `matrix_${matrix}`, `[n, ${received.join(', ')}] from example ${id}`, mustBe(shape))
  }
}

function fixedSizes({ rows, cols, channels }: MatrixProfile): number[] {
  return [rows.max, cols.max, channels]
}

function offeredShapes(profile: TaskProfile): Map<string, InputShape> {
  const offered = new Map<string, InputShape>()
  profile.matrices.forEach((matrix, i) => {
    const size = (extent: { min: number; max: number }, name: string) => (extent.min === extent.max ? extent.max : name)
    offered.set(`matrix_${i}`, [
      'n',
      stepsVary(profile) ? 't' : profile.spec.sequenceSize,
      size(matrix.rows, 'rows'),
      size(matrix.cols, 'cols'),
      matrix.channels,
    ])
    if (stepsVary(profile)) offered.set(`length_${i}`, ['n'])
  })
  return offered
}

/** Symbols fit every size. */
function fits(shape: InputShape, sizes: InputShape): boolean {
  return (
    shape.length === sizes.length &&
    shape.every((size, d) => typeof size !== 'number' || typeof sizes[d] !== 'number' || size === sizes[d])
  )
}

function mustBe(shape: InputShape): string {
  return `must be [${shape.join(', ')}]`
}

function mismatch(file: string, input: string, value: string, rule: string): DataError {
  const hint = 'the model was learned from data with other inputs'
  return new DataError('DATA_MISMATCH', { file, field: `input ${input}`, value, rule, hint })
}
