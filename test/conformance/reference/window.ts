// Sliding windows over the spatial axes of [n, c, ...space]: geometry, and the visit of every (output place, kernel place) pair that
// meets an input element. Convolutions, their gradients and poolings are all sums or maxima over these visits.
import { intAttr, intsAttr, type RefCall, sizeOf, textAttr } from './tensor.ts'

export interface RefWindow {
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
  /** All begins, then all ends. */
  pads: readonly number[]
  space: readonly number[]
  out: readonly number[]
}

export function windowOf(call: RefCall, space: readonly number[], kernelShape?: readonly number[]): RefWindow {
  const kernel = intsAttr(call, 'kernel_shape', kernelShape ?? [])
  const ones = kernel.map(() => 1)
  const strides = intsAttr(call, 'strides', ones)
  const dilations = intsAttr(call, 'dilations', ones)
  const reach = kernel.map((k, i) => (k - 1) * dilations[i] + 1)
  const auto = textAttr(call, 'auto_pad', 'NOTSET')
  let pads = intsAttr(call, 'pads', [...ones, ...ones].fill(0))
  if (auto.startsWith('SAME')) {
    const total = space.map((s, i) => Math.max(0, (Math.ceil(s / strides[i]) - 1) * strides[i] + reach[i] - s))
    const small = total.map((p) => Math.floor(p / 2))
    const large = total.map((p) => Math.ceil(p / 2))
    pads = auto === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small]
  }
  const ceil = intAttr(call, 'ceil_mode', 0) === 1
  const out = space.map((s, i) => {
    const room = (s + pads[i] + pads[i + kernel.length] - reach[i]) / strides[i]
    if (!ceil) return Math.floor(room) + 1
    const count = Math.ceil(room) + 1
    // A window that would start in the end padding is left out.
    return (count - 1) * strides[i] >= s + pads[i] ? count - 1 : count
  })
  return { kernel, strides, dilations, pads, space, out }
}

/** Calls `visit(output place, kernel place, input place)`, flat within their own axes, for all that lie inside the input. */
export function visitWindows(w: RefWindow, visit: (out: number, kernel: number, at: number) => void): void {
  const rank = w.kernel.length
  const outs = sizeOf(w.out)
  const kernels = sizeOf(w.kernel)
  for (let o = 0; o < outs; o++) {
    for (let k = 0; k < kernels; k++) {
      let at = 0
      let [restO, restK] = [o, k]
      let scale = 1
      for (let axis = rank - 1; axis >= 0; axis--) {
        const place =
          (restO % w.out[axis]) * w.strides[axis] + (restK % w.kernel[axis]) * w.dilations[axis] - w.pads[axis]
        if (place < 0 || place >= w.space[axis]) {
          at = -1
          break
        }
        at += place * scale
        scale *= w.space[axis]
        restO = Math.floor(restO / w.out[axis])
        restK = Math.floor(restK / w.kernel[axis])
      }
      if (at >= 0) visit(o, k, at)
    }
  }
}

/** The visits as a list, for loops that go over them once per channel pair. */
export function windowVisits(w: RefWindow): Int32Array {
  const list: number[] = []
  visitWindows(w, (out, kernel, at) => list.push(out, kernel, at))
  return Int32Array.from(list)
}
