// What is learned, how much time is left, and how good it is so far.
import { Box, Text } from 'ink'
import { formatDuration } from '../../support/units.ts'
import { formatScore } from '../format-score.ts'
import { bestMilestone, type RunState } from '../run-state.ts'

export interface HeaderPanelProps {
  state: RunState
  nowMs: number
  width: number
  reasonRows: number
}

export function HeaderPanel({ state, nowMs, width, reasonRows }: HeaderPanelProps) {
  const { start, profile } = state
  const budgetMs = start?.budgetMs ?? 0
  const leftMs = Math.max(0, budgetMs - nowMs)
  const what =
    profile === null
      ? 'reading'
      : `${profile.kind}, ${profile.trainCount} train, ${profile.testCount} test, ${profile.classCount} ${profile.multiLabel ? 'labels' : 'classes'}`
  const time = ` ${formatDuration(leftMs)} left of ${formatDuration(budgetMs)}`
  const barWidth = Math.max(0, width - time.length)
  const filled = budgetMs === 0 ? 0 : Math.round(Math.min(1, nowMs / budgetMs) * barWidth)
  const latest = state.milestones.at(-1)
  const best = bestMilestone(state)
  return (
    <Box flexDirection="column">
      <Text wrap="truncate-end">
        <Text bold>{start?.dataset ?? ''}</Text>
        <Text> {what}</Text>
      </Text>
      <Text wrap="truncate-end">
        <Text color="cyan">{'━'.repeat(filled)}</Text>
        <Text dimColor>{'─'.repeat(barWidth - filled)}</Text>
        {time}
      </Text>
      {reasonRows > 0 && profile !== null && (
        <Box height={reasonRows} overflow="hidden">
          <Text dimColor>{clip(profile.reason, width * reasonRows)}</Text>
        </Box>
      )}
      <Text wrap="truncate-end">
        best validation NAUC{' '}
        <Text bold color="green">
          {formatScore(best?.nauc)}
        </Text>
        {`  accuracy ${formatScore((best ?? latest)?.accuracy)}  models ${state.milestones.length}  trials ${state.trials.tried}`}
      </Text>
    </Box>
  )
}

/** Leaves room for what word wrapping wastes. */
function clip(text: string, room: number): string {
  const limit = Math.max(10, Math.floor(room * 0.9))
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}
