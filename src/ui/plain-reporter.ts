// `--ui plain`: one line for each thing that happened, readable in a log. Slices are too many for it and are left out.
import type { StampedEvent } from '../run/events.ts'
import { formatDuration } from '../support/units.ts'
import { formatMembers } from './format-members.ts'
import { formatScore } from './format-score.ts'
import type { Reporter } from './reporter.ts'
import { applyEvent, emptyRunState } from './run-state.ts'
import { shortPath } from './short-path.ts'
import { summaryLines } from './summary-lines.ts'

export function plainReporter(write: (line: string) => void): Reporter {
  const state = emptyRunState()
  return {
    onEvent(event) {
      applyEvent(state, event)
      for (const text of describe(event, state.families)) write(`${clock(event.t)}  ${text}`)
      if (event.type === 'end') for (const line of summaryLines(state, event.t)) write(line)
    },
    async close() {},
  }
}

/** `   12.34s`: columns line up for runs of up to a day. */
function clock(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`.padStart(9)
}

function describe(event: StampedEvent, families: ReadonlyMap<string, string>): string[] {
  switch (event.type) {
    case 'start':
      return [
        `start    ${event.dataset}: ${formatDuration(event.budgetMs)}, seed ${event.seed}, ${event.resumed ? 'resumed in' : 'into'} ${shortPath(event.out)}`,
      ]
    case 'profile': {
      const labels = event.multiLabel ? 'labels' : 'classes'
      return [
        `data     ${event.kind}: ${event.reason}`,
        `data     ${event.trainCount} train, ${event.testCount} test, ${event.classCount} ${labels}`,
        ...event.warnings.map((warning) => `warning  ${warning}`),
      ]
    }
    case 'device':
      return [`device   ${event.engine} on ${event.device}, threads ${event.threads}, workers ${event.workers}`]
    case 'trial':
      return [`trial    ${event.trial} ${event.family}${formatParams(event.params)}`]
    case 'score':
      return [
        `score    ${event.trial} ${families.get(event.trial) ?? ''}: NAUC ${formatScore(event.nauc)}, accuracy ${formatScore(event.accuracy)}, trained on ${event.trainedOn}`,
      ]
    case 'trial-end':
      if (event.status !== 'failed') return []
      return [
        `failed   ${event.trial} ${families.get(event.trial) ?? ''}: ${event.reason ?? event.code ?? 'no reason given'}`,
      ]
    case 'milestone':
      return [
        `model    ${String(event.index).padStart(4, '0')} (${event.reason}): NAUC ${formatScore(event.nauc)}, accuracy ${formatScore(event.accuracy)}, ${formatMembers(event.members)}`,
      ]
    case 'worker':
      return event.status === 'killed' ? [`worker   ${event.worker} killed: ${event.doing}`] : []
    case 'warning':
      return [`warning  ${event.message}`]
    case 'slice':
    case 'end':
      return []
    default:
      return event satisfies never
  }
}

function formatParams(params: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(params).map(
    ([name, value]) => `${name}=${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`,
  )
  return words.length === 0 ? '' : ` ${words.join(' ')}`
}
