// Power spectra of half-overlapping windows at half the products: a cosine is even about the middle of a window and a sine odd, so the
// samples before the middle are added to, or subtracted from, their mirror images first (the first step of a split-radix transform;
// the rest is one matrix product, which engines run at full speed).
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, dimOf, matmul, mul, pad, slice, sub } from '../../graph/functions.ts'
import { fourierFilters } from './mel-bank.ts'

/**
 * Window after window at a hop of half of one, as many as begin within the signal, zeros beyond its end.
 * @param wave [n, 1, samples] @returns [n, frames, window / 2 + 1]
 */
export function foldedSpectrum(g: GraphBuilder, wave: Value, window: number): Value {
  const half = window / 2
  const bins = half + 1
  const frames = g.op('Div', [add(g, dimOf(g, wave, 2), g.ints([half - 1])), g.ints([half])])
  const samples = mul(g, frames, g.ints([half]))
  const padded = pad(g, wave, [0, 0, 0, 0, 0, window])
  const hopsFrom = (start: number) => {
    const part = g.op('Slice', [padded, g.ints([start]), add(g, samples, g.ints([start])), g.ints([2])])
    return g.op('Reshape', [part, g.ints([0, -1, half])])
  }
  // Sample t of a window mirrors sample window - t: the hop that begins at sample 1 against the next hop backwards. Sample 0 has
  // weight 0 (Hann); the middle one is its own mirror and counts twice.
  const earlier = hopsFrom(1)
  const later = slice(g, hopsFrom(half), 2, half - 1, -(2 ** 31), -1)
  const { cosines, sines } = foldedBasis(window)
  const real = matmul(g, add(g, earlier, later), g.constant(cosines, [half, bins]))
  const imaginary = matmul(g, sub(g, earlier, later), g.constant(sines, [half, bins]))
  return add(g, mul(g, real, real), mul(g, imaginary, imaginary))
}

/** [half, bins] each: the filters' samples 1 to half, the middle one of the cosines halved. */
function foldedBasis(window: number): { cosines: Float32Array; sines: Float32Array } {
  const half = window / 2
  const bins = half + 1
  const filters = fourierFilters(window)
  const cosines = new Float32Array(half * bins)
  const sines = new Float32Array(half * bins)
  for (let t = 1; t <= half; t++) {
    for (let k = 0; k < bins; k++) {
      const at = (t - 1) * bins + k
      cosines[at] = filters[k * window + t] * (t === half ? 0.5 : 1)
      sines[at] = t === half ? 0 : filters[(bins + k) * window + t]
    }
  }
  return { cosines, sines }
}
