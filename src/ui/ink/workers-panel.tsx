// What each worker does now: the trial, how far it is, and in which unit.
import { Box, Text } from 'ink'
import type { RunState, WorkerState } from '../run-state.ts'

export interface WorkersPanelProps {
  state: RunState
  width: number
  workerRows: number
}

const BAR_WIDTH = 12

export function WorkersPanel({ state, width, workerRows }: WorkersPanelProps) {
  const workers = [...state.workers].sort((a, b) => a[0] - b[0]).slice(0, workerRows)
  return (
    <Box flexDirection="column">
      {workers.map(([index, worker]) => (
        <Text key={index} wrap="truncate-end">
          <Text dimColor>worker {index} </Text>
          <WorkerLine worker={worker} showBar={width >= 60} />
        </Text>
      ))}
    </Box>
  )
}

function WorkerLine({ worker, showBar }: { worker: WorkerState; showBar: boolean }) {
  const { slice } = worker
  if (worker.status !== 'started')
    return (
      <Text color="yellow">
        {worker.status} {worker.doing}
      </Text>
    )
  if (slice === null) return <Text>{worker.doing}</Text>
  const done = slice.of === null ? `${round(slice.units)}` : `${round(slice.units)}/${round(slice.of)}`
  const filled = slice.of === null || slice.of === 0 ? 0 : Math.round(Math.min(1, slice.units / slice.of) * BAR_WIDTH)
  return (
    <Text>
      {showBar && slice.of !== null && (
        <Text>
          <Text color="cyan">{'━'.repeat(filled)}</Text>
          <Text dimColor>{'─'.repeat(BAR_WIDTH - filled)} </Text>
        </Text>
      )}
      <Text>{slice.family}</Text>
      <Text dimColor>{` ${slice.trial}  ${slice.note} ${done}`}</Text>
    </Text>
  )
}

function round(units: number): string {
  return Number.isInteger(units) ? String(units) : units.toFixed(1)
}
