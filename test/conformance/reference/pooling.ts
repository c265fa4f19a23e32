// Pooling from the list of elements that each window holds.
import { input, intAttr, type RefCall, type RefOp, type RefTable, type RefTensor, sizeOf, tensor } from './tensor.ts'
import { type RefWindow, visitWindows, windowOf } from './window.ts'

/** One number per window from its elements and their places in the plane; `places`: how many the window has, padding included. */
function pool(
  call: RefCall,
  f: (elements: readonly number[], places: readonly number[], whole: number) => number,
  type?: 'int64',
): RefTensor {
  const x = input(call, 0)
  const w = windowOf(call, x.shape.slice(2))
  const members: { at: number[]; whole: number }[] = Array.from({ length: sizeOf(w.out) }, (_, o) => ({
    at: [],
    whole: paddedPlaces(w, o),
  }))
  visitWindows(w, (out, _, at) => members[out].at.push(at))
  const plane = sizeOf(w.space)
  const planes = x.shape[0] * x.shape[1]
  const out = new Float64Array(planes * members.length)
  for (let p = 0; p < planes; p++) {
    members.forEach(({ at, whole }, o) => {
      const places = at.map((i) => p * plane + i)
      out[p * members.length + o] = f(
        places.map((i) => x.data[i]),
        places,
        whole,
      )
    })
  }
  return tensor(type ?? x.type, [x.shape[0], x.shape[1], ...w.out], out)
}

/** Places of window `o` inside input and declared padding: in ceil mode a window may reach past both. */
function paddedPlaces(w: RefWindow, o: number): number {
  let [rest, count] = [o, 1]
  for (let axis = w.out.length - 1; axis >= 0; axis--) {
    const start = (rest % w.out[axis]) * w.strides[axis] - w.pads[axis]
    rest = Math.floor(rest / w.out[axis])
    const end = w.space[axis] + w.pads[axis + w.out.length]
    count *= Array.from({ length: w.kernel[axis] }, (_, k) => start + k * w.dilations[axis]).filter(
      (at) => at < end,
    ).length
  }
  return count
}

const globalPool =
  (f: (elements: Float64Array) => number): RefOp =>
  (call) => {
    const x = input(call, 0)
    const [n, c, ...space] = x.shape
    const plane = sizeOf(space)
    const out = Float64Array.from({ length: n * c }, (_, p) => f(x.data.subarray(p * plane, (p + 1) * plane)))
    return tensor(x.type, [n, c, ...space.map(() => 1)], out)
  }

const sum = (xs: ArrayLike<number>) => Array.from(xs).reduce((a, b) => a + b, 0)

export const poolingReference: RefTable = {
  MaxPool: (call) => {
    const y = pool(call, (elements) => Math.max(...elements))
    const first = (elements: readonly number[], places: readonly number[]) =>
      places[elements.indexOf(Math.max(...elements))]
    return call.outputCount > 1 ? [y, pool(call, first, 'int64')] : y
  },
  AveragePool: (call) => {
    const countPads = intAttr(call, 'count_include_pad', 0) === 1
    return pool(call, (elements, _, whole) => sum(elements) / (countPads ? whole : elements.length))
  },
  LpPool: (call) => {
    const p = intAttr(call, 'p', 2)
    return pool(call, (elements) => sum(elements.map((x) => Math.abs(x) ** p)) ** (1 / p))
  },
  GlobalAveragePool: globalPool((xs) => sum(xs) / xs.length),
  GlobalMaxPool: globalPool((xs) => Math.max(...xs)),
  /** x, y = the maximum of each plane, dy: the gradient of a plane goes to its maxima, in equal shares. */
  'grad.GlobalMaxPool': (call) => {
    const [x, y, dy] = [input(call, 0), input(call, 1), input(call, 2)]
    const plane = x.data.length / y.data.length
    const planes = Array.from(y.data, (top, p) =>
      x.data.subarray(p * plane, (p + 1) * plane).map((v) => Number(v === top)),
    )
    const data = x.data.map((_, at) => {
      const p = Math.floor(at / plane)
      return (planes[p][at % plane] * dy.data[p]) / sum(planes[p])
    })
    return tensor(x.type, x.shape, data)
  },
  /** x, y = maxpool(x), dy: each window's gradient goes to its maxima, in equal shares. */
  'grad.MaxPoolTiles': (call) => {
    const [x, y, dy] = [input(call, 0), input(call, 1), input(call, 2)]
    const kernel = call.attrs.kernel_shape as number[]
    const zeros = kernel.map(() => 0)
    const ones = kernel.map(() => 1)
    const space = x.shape.slice(2)
    const w = { kernel, strides: kernel, dilations: ones, pads: [...zeros, ...zeros], space, out: y.shape.slice(2) }
    const [plane, outs] = [sizeOf(w.space), sizeOf(w.out)]
    const data = new Float64Array(x.data.length)
    for (let p = 0; p < x.shape[0] * x.shape[1]; p++) {
      const ties = new Float64Array(outs)
      const isMaximum = (o: number, at: number) => x.data[p * plane + at] === y.data[p * outs + o]
      visitWindows(w, (o, _, at) => {
        if (isMaximum(o, at)) ties[o]++
      })
      visitWindows(w, (o, _, at) => {
        if (isMaximum(o, at)) data[p * plane + at] = dy.data[p * outs + o] / ties[o]
      })
    }
    return tensor(x.type, x.shape, data)
  },
}
