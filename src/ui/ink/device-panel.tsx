// Where it runs and what memory it takes; the newest warning, if there is one.
import { Text } from 'ink'
import { formatSize } from '../../support/units.ts'
import type { RunState } from '../run-state.ts'

export interface DevicePanelProps {
  state: RunState
  width: number
}

export function DevicePanel({ state, width }: DevicePanelProps) {
  const { device, warnings } = state
  const workers = [...state.workers.values()]
  const bytes = workers.reduce((sum, worker) => sum + worker.rssBytes, process.memoryUsage.rss())
  const where =
    device === null
      ? ''
      : `${device.engine} ${device.device}, ${counted(device.threads, 'thread')}, ${counted(device.workers, 'worker')}, `
  const warning = warnings.at(-1)
  const memory = `${where}${formatSize(bytes)}`
  const room = width - memory.length - 4
  return (
    <Text wrap="truncate-end">
      <Text dimColor>{memory}</Text>
      {warning !== undefined && room > 20 && <Text color="yellow">{`  ! ${warning}`}</Text>}
    </Text>
  )
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
