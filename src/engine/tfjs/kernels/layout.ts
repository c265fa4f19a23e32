// Operators that change sizes or the order of elements, and those that tell sizes. Shape arithmetic stays on the host.

import { commonShape } from '../broadcast.ts'
import { type Cell, fromLast, hostCell, isInteger, toLast } from '../cell.ts'
import { type Call, type KernelTable, type Made, wrapAxis } from '../kernel.ts'

export const layoutKernels: KernelTable = {
  Shape: (call) => {
    const shape = call.shape(0)
    const clamp = (at: number) => Math.min(shape.length, Math.max(0, wrapAxis(at, shape.length)))
    const part = shape.slice(clamp(call.number('start', 0)), clamp(call.number('end', shape.length)))
    return hostCell('int64', [part.length], part)
  },
  Size: (call) => hostCell('int64', [], [sizeOf(call.shape(0))]),
  Reshape: (call) => {
    const from = call.shape(0)
    const copies = !call.flag('allowzero')
    const target = call.integers(1).map((dim, i) => (dim === 0 && copies ? from[i] : dim))
    const hole = target.indexOf(-1)
    if (hole >= 0) target[hole] = sizeOf(from) / sizeOf(target.filter((_, i) => i !== hole))
    return reshaped(call, target)
  },
  Flatten: (call) => {
    const shape = call.shape(0)
    const axis = wrapAxis(call.number('axis', 1), shape.length)
    return reshaped(call, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))])
  },
  Squeeze: (call) => {
    const shape = call.shape(0)
    const axes = call.has(1) ? call.integers(1).map((axis) => wrapAxis(axis, shape.length)) : null
    return reshaped(
      call,
      shape.filter((dim, i) => (axes === null ? dim !== 1 : !axes.includes(i))),
    )
  },
  Unsqueeze: (call) => {
    const shape = call.shape(0)
    const given = call.integers(1)
    const rank = shape.length + given.length
    const axes = given.map((axis) => wrapAxis(axis, rank))
    let next = 0
    return reshaped(
      call,
      Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : shape[next++])),
    )
  },
  Transpose: (call) => {
    const rank = call.shape(0).length
    const perm = call.ints(
      'perm',
      Array.from({ length: rank }, (_, i) => rank - 1 - i),
    )
    if (!call.isLast(0)) {
      const isToLast = rank > 2 && toLast(rank).every((axis, i) => axis === perm[i])
      return isToLast ? call.last(0).clone() : call.tf.transpose(call.in(0), [...perm])
    }
    const held = call.last(0)
    const where = fromLast(rank)
    const order = perm.map((axis) => where[axis])
    return order.every((axis, i) => axis === i) ? held.clone() : call.tf.transpose(held, order)
  },
  Expand: (call) => {
    const shape = commonShape(call.shape(0), call.integers(1))
    return call.tf.broadcastTo(call.in(0), shape)
  },
  Tile: (call) => call.tf.tile(call.in(0), call.integers(1)),
  DepthToSpace: (call) => {
    const { tf } = call
    const [n, channels, h, w] = call.shape(0)
    const block = call.number('blocksize', 1)
    const c = channels / (block * block)
    const crd = call.text('mode', 'DCR') === 'CRD'
    const split = tf.reshape(call.in(0), crd ? [n, c, block, block, h, w] : [n, block, block, c, h, w])
    const turned = tf.transpose(split, crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
    return tf.reshape(turned, [n, c, h * block, w * block])
  },
  SpaceToDepth: (call) => {
    const { tf } = call
    const [n, c, height, width] = call.shape(0)
    const block = call.number('blocksize', 1)
    const [h, w] = [height / block, width / block]
    const split = tf.reshape(call.in(0), [n, c, h, block, w, block])
    return tf.reshape(tf.transpose(split, [0, 3, 5, 1, 2, 4]), [n, c * block * block, h, w])
  },
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

function reshaped(call: Call, shape: readonly number[]): Made {
  const cell: Cell = call.cell(0)
  if (cell.host !== undefined && (cell.plain === undefined || isInteger(cell.type)))
    return hostCell(cell.type, shape, cell.host)
  return call.tf.reshape(call.in(0), [...shape])
}
