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
          <WorkerLine worker={worker} families={state.families} showBar={width >= 60} />
        </Text>
      ))}
    </Box>
  )
}

interface WorkerLineProps {
  worker: WorkerState
  families: ReadonlyMap<string, string>
  showBar: boolean
}

function WorkerLine({ worker, families, showBar }: WorkerLineProps) {
  const { status, doing } = worker
  if (status !== 'started') return <Text color="yellow">{`${status} ${doing}`}</Text>
  const family = families.get(doing.split(' ')[0])
  if (family === undefined) return <Text>{doing}</Text>
  const share = shareDone(doing)
  const filled = share === null ? 0 : Math.round(share * BAR_WIDTH)
  return (
    <Text>
      {showBar && share !== null && (
        <Text>
          <Text color="cyan">{'━'.repeat(filled)}</Text>
          <Text dimColor>{`${'─'.repeat(BAR_WIDTH - filled)} `}</Text>
        </Text>
      )}
      {family}
      <Text dimColor>{` ${shortNumbers(doing)}`}</Text>
    </Text>
  )
}

/** Parts of epochs with one decimal. */
function shortNumbers(text: string): string {
  return text.replace(/\d+\.\d+/g, (number) => Number(number).toFixed(1))
}

/** Of a text that ends in `units/of`; null when the end is open. */
function shareDone(doing: string): number | null {
  const match = / ([\d.]+)\/([\d.]+)$/.exec(doing)
  return match === null || Number(match[2]) === 0 ? null : Math.min(1, Number(match[1]) / Number(match[2]))
}
