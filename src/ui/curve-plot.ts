// A learning curve as braille characters: each cell is 2 x 4 dots. Pure text in, text out, so that it can be tested.

export interface PlotPoint {
  /** Milliseconds since the start. */
  t: number
  y: number
}

export interface CurvePlot {
  /** One string per row, top first; each exactly `columns` characters. */
  rows: string[]
  yMin: number
  yMax: number
  /** Left and right end of the log time axis, milliseconds. */
  tMin: number
  tMax: number
}

const BRAILLE = 0x2800
/** Bit of the dot at (column, row) within a cell. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
]

/** The step function through `points` from the first one to `nowMs`, over log time up to `tMax`. */
export function plotCurve(
  points: readonly PlotPoint[],
  columns: number,
  rows: number,
  tMax: number,
  nowMs: number,
): CurvePlot {
  const width = columns * 2
  const height = rows * 4
  const cells = new Uint8Array(columns * rows)
  const tMin = Math.min(points[0]?.t ?? 1000, tMax / 2)
  const { yMin, yMax } = valueRange(points)
  const xOf = (t: number) => Math.round((Math.log(Math.max(t, tMin) / tMin) / Math.log(tMax / tMin)) * (width - 1))
  const yOf = (y: number) => Math.round(((yMax - y) / (yMax - yMin)) * (height - 1))
  const dot = (x: number, y: number) => {
    if (x >= 0 && x < width && y >= 0 && y < height) cells[(y >> 2) * columns + (x >> 1)] |= DOTS[x & 1][y & 3]
  }
  points.forEach((point, i) => {
    const y = yOf(point.y)
    const until = xOf(Math.min(points[i + 1]?.t ?? nowMs, tMax))
    for (let x = xOf(point.t); x <= until; x++) dot(x, y)
    if (i + 1 < points.length) {
      const next = yOf(points[i + 1].y)
      for (let at = Math.min(y, next); at <= Math.max(y, next); at++) dot(until, at)
    }
  })
  const lines = Array.from({ length: rows }, (_, row) => {
    const bits = cells.subarray(row * columns, (row + 1) * columns)
    return Array.from(bits, (cell) => String.fromCharCode(BRAILLE + cell)).join('')
  })
  return { rows: lines, yMin, yMax, tMin, tMax }
}

/** The curve's range, widened to tenths (or hundredths when it is narrow), so that the axis has short labels. */
function valueRange(points: readonly PlotPoint[]): { yMin: number; yMax: number } {
  if (points.length === 0) return { yMin: 0, yMax: 1 }
  const low = Math.min(...points.map((point) => point.y))
  const high = Math.max(...points.map((point) => point.y))
  const unit = high - low > 0.1 ? 0.1 : 0.01
  const yMin = Math.max(-1, Math.floor(low / unit + 1e-9) * unit)
  const yMax = Math.min(1, Math.ceil(high / unit - 1e-9) * unit)
  return yMax - yMin < unit / 2 ? { yMin: yMax - unit, yMax } : { yMin, yMax }
}
