// The profile of data to predict, at the sizes that the model's inputs have where theirs are left to vary: pictures of other sizes
// than the model was made for are resampled as they are in training, and sparse matrices of open size are taken to be as large as the
// model's. Sizes that the data state themselves stay: where they are not the model's, the data are other data.
import type { Extent, MatrixProfile, TaskProfile } from '../../dataset/profile.ts'
import type { DatasetSpec } from '../../dataset/spec.ts'

/** Of an input [n, t, rows, cols, channels]; symbols where sizes vary. */
export type InputShape = readonly (number | string)[]

/**
 * @param shapeOf by matrix; undefined where the model does not look at it
 * @param stated the metadata as written: `profile.spec` has measured sizes in place of open ones (-1)
 */
export function conformProfile(
  profile: TaskProfile,
  shapeOf: (matrix: number) => InputShape | undefined,
  stated: DatasetSpec,
): TaskProfile {
  const steps = profile.spec.sequenceSize
  const open = stated.sequenceSize < 0 && steps > 0
  const sequenceSize = open ? largest(steps, ...profile.matrices.map((_, i) => shapeOf(i)?.[1])) : steps
  const matrices = profile.matrices.map((matrix, i) => {
    const shape = shapeOf(i)
    if (shape === undefined) return matrix
    switch (matrix.spec.format) {
      case 'DENSE':
        return matrix
      case 'COMPRESSED':
        return conformPicture(matrix, shape)
      case 'SPARSE': {
        const { rows, cols } = stated.matrices[i]
        const at = (extent: Extent, axis: number, statedSize: number) =>
          statedSize < 0 ? always(largest(extent.max, shape[axis])) : extent
        return {
          ...matrix,
          steps: open ? always(sequenceSize) : matrix.steps,
          rows: at(matrix.rows, 2, rows),
          cols: at(matrix.cols, 3, cols),
        }
      }
      default:
        return matrix.spec.format satisfies never
    }
  })
  return { ...profile, spec: { ...profile.spec, sequenceSize }, matrices }
}

/** Pictures that all have one other size are left: the model was not made for them. */
function conformPicture(matrix: MatrixProfile, [, , rows, cols]: InputShape): MatrixProfile {
  if (typeof rows !== 'number' || typeof cols !== 'number') return matrix
  const varies = matrix.rows.min !== matrix.rows.max || matrix.cols.min !== matrix.cols.max
  const same = matrix.rows.max === rows && matrix.cols.max === cols
  return varies || same ? { ...matrix, fixed: true, rows: always(rows), cols: always(cols) } : matrix
}

function always(size: number): Extent {
  return { min: size, median: size, max: size }
}

function largest(size: number, ...others: (number | string | undefined)[]): number {
  return Math.max(size, ...others.filter((other) => typeof other === 'number'))
}
