// Numpy broadcasting of small host arrays.
import { broadcastShapes, formatShape } from '../../graph/dims.ts'
import { AutomlError } from '../../support/errors.ts'

/** Common shape. @throws ENGINE */
export function commonShape(...shapes: (readonly number[])[]): number[] {
  return shapes.reduce<number[]>((out, shape) => {
    const next = broadcastShapes(out, shape)
    if (next === undefined) {
      throw new AutomlError('ENGINE', `${shapes.map((s) => formatShape(s)).join(' and ')} do not broadcast`)
    }
    return next as number[]
  }, [])
}

/** For every element of `shape`, row-major, the position of the element of an array of shape `from` that is broadcast there. */
export function broadcastIndex(from: readonly number[], shape: readonly number[]): Int32Array {
  const size = shape.reduce((a, b) => a * b, 1)
  const steps = new Array<number>(shape.length).fill(0)
  let stride = 1
  for (let i = from.length - 1; i >= 0; i--) {
    if (from[i] !== 1) steps[i + shape.length - from.length] = stride
    stride *= from[i]
  }
  const out = new Int32Array(size)
  const at = new Array<number>(shape.length).fill(0)
  let position = 0
  for (let i = 0; i < size; i++) {
    out[i] = position
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += steps[axis]
      if (++at[axis] < shape[axis]) break
      position -= steps[axis] * shape[axis]
      at[axis] = 0
    }
  }
  return out
}
