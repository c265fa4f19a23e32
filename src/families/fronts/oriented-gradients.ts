// Histograms of oriented gradients (Dalal & Triggs 2005) with signed and unsigned orientations (Felzenszwalb et al. 2010), made of
// convolutions and pooling only. A vote is linear in the gradient and its magnitude, relu(m cos(phi - theta_k) - m cos(delta)),
// which peaks at direction theta_k and vanishes delta away from it: a smooth stand-in for interpolated binning, without arctangent.
// Cells overlap by half and are normalised by the energy of their 3x3 neighbourhood, then square-rooted.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  add,
  averagePool,
  concat,
  conv,
  div,
  pad,
  reduceMean,
  reduceSumSquare,
  relu,
  reshape,
  slice,
  sqrt,
} from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'

/** Signed directions; opposite pairs add up to the unsigned ones. A multiple of onnxruntime's channel block keeps pooling fast. */
const DIRECTIONS = 16
const HISTOGRAM = DIRECTIONS + DIRECTIONS / 2
/** Below this mean vote a cell counts as flat; about one grey level of 255. */
const FLAT = 0.004

export interface CellGrid {
  cell: number
  rows: number
  cols: number
}

/** About `across` square cells along the long side. @default 8 across: the challenge's small pictures have 28 to 64 pixels */
export function cellGrid(rows: number, cols: number, across = 8): CellGrid {
  const cell = Math.max(2, Math.round(Math.max(rows, cols) / across))
  return { cell, rows: Math.max(1, Math.round(rows / cell)), cols: Math.max(1, Math.round(cols / cell)) }
}

/** `base`: pictures, shape [channels, rows, cols]. Shape [24 * cells]. */
export function orientedGradientsFront(base: FrontEnd, across = 8): FrontEnd {
  const [, rows, cols] = base.shape
  const grid = cellGrid(rows, cols, across)
  return {
    key: `${base.key}|gradients:${across}`,
    base,
    shape: [HISTOGRAM * grid.rows * grid.cols],
    store: 'float32',
    build: (g, x) => orientedGradients(g, x!, grid),
  }
}

/** x: [m, channels, rows, cols] -> [m, 24 * cells] */
export function orientedGradients(g: GraphBuilder, x: Value, grid: CellGrid): Value {
  const [, channels, rows, cols] = x.shape as [unknown, number, number, number]
  const grey = channels === 1 ? x : reduceMean(g, x, [1], true)
  const framed = g.op('Pad', [grey, g.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'edge' })
  const slope = conv(g, framed, g.constant(DERIVATIVES, [2, 1, 3, 3]))
  const magnitude = sqrt(g, add(g, reduceSumSquare(g, slope, [1], true), 1e-8))
  const votes = relu(g, conv(g, concat(g, [slope, magnitude], 1), g.constant(voteFilters(), [DIRECTIONS, 3, 1, 1])))
  const signed = poolCells(g, votes, rows, cols, grid)
  const unsigned = add(g, slice(g, signed, 1, 0, DIRECTIONS / 2), slice(g, signed, 1, DIRECTIONS / 2, DIRECTIONS))
  const energy = averagePool(g, reduceSumSquare(g, unsigned, [1], true), [3, 3], { strides: 1, pads: 1 })
  const norm = sqrt(g, add(g, energy, FLAT * FLAT))
  const histogram = sqrt(g, div(g, concat(g, [signed, unsigned], 1), norm))
  return reshape(g, histogram, [-1, HISTOGRAM * grid.rows * grid.cols])
}

/**
 * Means over windows of two cells' width, one cell apart: cells first, then pairs of neighbours.
 * [m, k, rows, cols] -> [m, k, grid.rows, grid.cols]
 */
function poolCells(g: GraphBuilder, votes: Value, rows: number, cols: number, { cell, ...grid }: CellGrid): Value {
  const [top, bottom] = margins(rows, grid.rows, cell)
  const [left, right] = margins(cols, grid.cols, cell)
  const pads = [top, left, bottom, right]
  const shared = { kernel_shape: [cell, cell], strides: [cell, cell], count_include_pad: 1 }
  const fits = pads.every((size) => size < cell)
  const padded = fits ? votes : pad(g, votes, [0, 0, top, left, 0, 0, bottom, right])
  const cells = g.op('AveragePool', [padded], fits ? { ...shared, pads } : shared)
  return averagePool(g, cells, [2, 2], { strides: 1 })
}

/** Padding so that `count` windows of two cells' width, one cell apart, cover `size` pixels centrally. */
function margins(size: number, count: number, cell: number): [number, number] {
  const total = (count + 1) * cell - size
  const before = Math.max(0, Math.floor(total / 2))
  return [before, Math.max(0, total - before)]
}

/** [2, 1, 3, 3]: central differences along columns, then along rows. */
const DERIVATIVES = Float32Array.of(0, 0, 0, -1, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0)

/** [16, 3, 1, 1] on (dx, dy, magnitude): (cos theta, sin theta, -cos delta) / (1 - cos delta). */
function voteFilters(): Float32Array {
  const delta = Math.cos((2 * Math.PI) / DIRECTIONS)
  const filters = new Float32Array(DIRECTIONS * 3)
  for (let k = 0; k < DIRECTIONS; k++) {
    const theta = (2 * Math.PI * k) / DIRECTIONS
    filters.set(
      [Math.cos(theta), Math.sin(theta), -delta].map((w) => w / (1 - delta)),
      3 * k,
    )
  }
  return filters
}
