// How many rows each section of the live view gets. The whole stays below the terminal's height: a view that is taller than the
// screen cannot be redrawn in place.
import type { RunState } from '../run-state.ts'

export interface Layout {
  reasonRows: number
  /** Rows of dots, without title and axis; 0 leaves the plot out. */
  plotRows: number
  workerRows: number
  /** Newest models, without the title; 0 leaves the section out. */
  milestoneRows: number
}

/** Title, time bar and score line; the device line. */
const FIXED_ROWS = 4
/** Title and time axis of the plot. */
const PLOT_FRAME = 2

export function layoutOf(width: number, rows: number, state: RunState): Layout {
  let free = rows - 1 - FIXED_ROWS
  const take = (wanted: number) => {
    const given = Math.max(0, Math.min(wanted, free))
    free -= given
    return given
  }
  const workerRows = take(Math.min(Math.max(1, state.workers.size), Math.max(1, Math.floor(rows / 4))))
  const smallPlot = free >= PLOT_FRAME + 3 ? take(PLOT_FRAME + 3) - PLOT_FRAME : 0
  const reasonRows = take(free > 2 ? Math.min(2, Math.ceil((state.profile?.reason.length ?? 0) / (0.9 * width))) : 0)
  const milestoneRows = Math.max(
    0,
    take(free > 2 ? Math.min(1 + Math.max(1, state.milestones.length), 1 + Math.floor(rows / 4)) : 0) - 1,
  )
  const plotRows = smallPlot === 0 ? 0 : smallPlot + take(Math.min(9, free))
  return { reasonRows, plotRows, workerRows, milestoneRows }
}
