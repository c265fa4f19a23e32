// Resize as a weighted mean along one axis at a time. Each output place has a centre in input coordinates and a filter around it:
// nearest takes one element, linear a triangle, cubic the kernel of Keys 1981 (a = -0.75). With antialias the filter is widened by
// the shrinking factor. Places outside read the border.
import {
  flatIndex,
  fromEnd,
  generate,
  input,
  intAttr,
  intsAttr,
  numbers,
  type RefCall,
  type RefTable,
  textAttr,
} from './tensor.ts'

const triangle = (d: number) => Math.max(0, 1 - Math.abs(d))

function cubic(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}

function nearest(centre: number, mode: string): number {
  if (mode === 'floor') return Math.floor(centre)
  if (mode === 'ceil') return Math.ceil(centre)
  return mode === 'round_prefer_ceil' ? Math.floor(centre + 0.5) : Math.ceil(centre - 0.5)
}

function centreOf(place: number, from: number, to: number, mode: string): number {
  const scale = to / from
  if (mode === 'asymmetric') return place / scale
  if (mode === 'align_corners') return to === 1 ? 0 : (place * (from - 1)) / (to - 1)
  return (place + 0.5) / scale - 0.5
}

/** Pairs of input place and weight for one output place. */
function weightsOf(call: RefCall, place: number, from: number, to: number): [number, number][] {
  const centre = centreOf(place, from, to, textAttr(call, 'coordinate_transformation_mode', 'half_pixel'))
  const clamp = (at: number) => Math.min(from - 1, Math.max(0, at))
  const mode = textAttr(call, 'mode', 'nearest')
  if (mode === 'nearest') {
    return [[clamp(nearest(centre, textAttr(call, 'nearest_mode', 'round_prefer_floor'))), 1]]
  }
  const a = intAttr(call, 'cubic_coeff_a', -0.75)
  const antialias = intAttr(call, 'antialias', 0) === 1
  const stretch = antialias ? Math.max(1, from / to) : 1
  const filter = (d: number) => (mode === 'cubic' ? cubic(d / stretch, a) : triangle(d / stretch))
  const reach = Math.ceil((mode === 'cubic' ? 2 : 1) * stretch) + 1
  const pairs: [number, number][] = []
  for (let at = Math.floor(centre) - reach; at <= Math.floor(centre) + reach; at++) {
    const weight = filter(at - centre)
    if (weight === 0) continue
    pairs.push([clamp(at), weight])
  }
  const total = pairs.reduce((sum, [, weight]) => sum + weight, 0)
  return pairs.map(([at, weight]) => [at, weight / total])
}

export const resizeReference: RefTable = {
  Resize: (call) => {
    let x = input(call, 0)
    const axes = intsAttr(call, 'axes', [...x.shape.keys()]).map((axis) => fromEnd(axis, x.shape.length))
    const given = call.inputs[3]
    const sizes = given ? numbers(given) : axes.map((axis, k) => Math.floor(x.shape[axis] * input(call, 2).data[k]))
    axes.forEach((axis, k) => {
      const from = x
      const table = Array.from({ length: sizes[k] }, (_, place) => weightsOf(call, place, from.shape[axis], sizes[k]))
      if (from.shape[axis] === sizes[k]) return
      x = generate(from.type, from.shape.with(axis, sizes[k]), (index) =>
        table[index[axis]].reduce(
          (sum, [at, weight]) => sum + weight * from.data[flatIndex(from.shape, index.with(axis, at))],
          0,
        ),
      )
    })
    return x
  },
}
