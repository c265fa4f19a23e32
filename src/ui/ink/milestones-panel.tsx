// The newest published models and what they are made of.
import { Box, Text } from 'ink'
import { formatDuration } from '../../support/units.ts'
import { formatMembers } from '../format-members.ts'
import { formatScore } from '../format-score.ts'
import type { RunState } from '../run-state.ts'

export interface MilestonesPanelProps {
  state: RunState
  width: number
  milestoneRows: number
}

export function MilestonesPanel({ state, width, milestoneRows }: MilestonesPanelProps) {
  const newest = state.milestones.slice(-milestoneRows).reverse()
  const showAccuracy = width >= 60
  return (
    <Box flexDirection="column">
      <Text dimColor wrap="truncate-end">
        {` model     time    NAUC${showAccuracy ? '  accuracy' : ''}  made of`}
      </Text>
      {newest.map(({ index, t, nauc, accuracy, members }) => (
        <Text key={index} wrap="truncate-end">
          {`  ${String(index).padStart(4, '0')} ${formatDuration(t).padStart(8)}  ${formatScore(nauc).padStart(6)}`}
          {showAccuracy ? `  ${formatScore(accuracy).padStart(8)}` : ''}
          <Text dimColor>{`  ${formatMembers(members)}`}</Text>
        </Text>
      ))}
    </Box>
  )
}
