// The live view at one instant. Sections give way in the order of their weight when the terminal is small: models first, then
// the reason, then the plot; the time bar, the best score and the workers stay.
import { Box } from 'ink'
import type { RunState } from '../run-state.ts'
import { CurvePanel } from './curve-panel.tsx'
import { DevicePanel } from './device-panel.tsx'
import { HeaderPanel } from './header-panel.tsx'
import { layoutOf } from './layout.ts'
import { MilestonesPanel } from './milestones-panel.tsx'
import { WorkersPanel } from './workers-panel.tsx'

export interface DashboardProps {
  state: RunState
  nowMs: number
  columns: number
  rows: number
}

export function Dashboard({ state, nowMs, columns, rows }: DashboardProps) {
  // The last column stays free: some terminals wrap when it is written.
  const width = Math.max(20, columns - 1)
  const layout = layoutOf(width, rows, state)
  return (
    <Box flexDirection="column" width={width}>
      <HeaderPanel state={state} nowMs={nowMs} width={width} reasonRows={layout.reasonRows} />
      {layout.plotRows > 0 && <CurvePanel state={state} nowMs={nowMs} width={width} plotRows={layout.plotRows} />}
      <WorkersPanel state={state} width={width} workerRows={layout.workerRows} />
      {layout.milestoneRows > 0 && <MilestonesPanel state={state} width={width} milestoneRows={layout.milestoneRows} />}
      <DevicePanel state={state} width={width} />
    </Box>
  )
}
