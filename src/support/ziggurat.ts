// The standard normal's density cut into 256 layers of equal area (the ziggurat of Marsaglia & Tsang 2000, doi:10.18637/jss.v005.i08; layer,
// sign and place from separate bits of one number, as Doornik 2005 asks): 98.5 % of all draws are one table look-up and one product, and
// what falls outside its layer's rectangle is settled here, exactly. The loop over draws is `Rng.fillNormal`.

/** Where the tail begins. Its layer holds the rectangle below and the tail, with the area of every other layer. */
const TAIL = 3.654152885361009
const LAYERS = 256

const density = (x: number) => Math.exp(-0.5 * x * x)

/** Right ends of the layers from the bottom up, the last 0: [257]. That of layer 0 is its area over its height. */
const ends = layerEnds()

/** The density there. */
const heights = ends.map(density)

/** Width of each layer in steps of 2^-23, the places that 24 bits with sign tell apart. */
const steps = Float64Array.from({ length: LAYERS }, (_, layer) => ends[layer] / 2 ** 23)

/**
 * Fills `out` from `at` on with draws times `deviation`, until one falls outside the rectangles: that is left to be drawn again, by
 * `outside`. Advances the generator's state. @returns where it stopped; `out.length` when it is full
 */
export function fillInside(out: Float32Array, at: number, state: Uint32Array, deviation: number): number {
  const [width, inner, length] = [steps, ends, out.length]
  // xoshiro128** (`Rng.uint32`) written out, its state in registers: half of the time.
  let a = state[0] | 0
  let b = state[1] | 0
  let c = state[2] | 0
  let d = state[3] | 0
  let i = at
  for (; i < length; i++) {
    const product = Math.imul(b, 5)
    const bits = Math.imul((product << 7) | (product >>> 25), 9)
    const layer = bits & 255
    // Symmetric about 0, which is never drawn.
    const x = ((bits >> 8) + 0.5) * width[layer]
    if (Math.abs(x) >= inner[layer + 1]) break
    out[i] = deviation * x
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
  }
  state[0] = a
  state[1] = b
  state[2] = c
  state[3] = d
  return i
}

/** What becomes of a draw outside its rectangle: itself, a number of the tail, or NaN where a new draw is due. */
export function outside(bits: number, source: { uniform(): number }): number {
  const layer = bits & 255
  const x = ((bits >> 8) + 0.5) * steps[layer]
  if (layer > 0) {
    const low = heights[layer]
    return low + (heights[layer + 1] - low) * source.uniform() < density(x) ? x : Number.NaN
  }
  // Marsaglia 1964: an exponential proposal beyond TAIL.
  for (;;) {
    const beyond = -Math.log(1 - source.uniform()) / TAIL
    if (beyond * beyond < -2 * Math.log(1 - source.uniform())) return Math.sign(x) * (TAIL + beyond)
  }
}

function layerEnds(): Float64Array {
  const ends = new Float64Array(LAYERS + 1)
  const area = TAIL * density(TAIL) + tailArea()
  ends[0] = area / density(TAIL)
  ends[1] = TAIL
  for (let i = 1; i < LAYERS - 1; i++) ends[i + 1] = Math.sqrt(-2 * Math.log(area / ends[i] + density(ends[i])))
  return ends
}

/** Of the density beyond TAIL: Laplace's continued fraction of Mills' ratio. */
function tailArea(): number {
  let fraction = TAIL
  for (let k = 60; k > 0; k--) fraction = TAIL + k / fraction
  return density(TAIL) / fraction
}
