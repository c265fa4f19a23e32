// What a finished run leaves on the terminal: a few lines that stand on their own.
import { formatDuration, formatSize } from '../support/units.ts'
import { formatMembers } from './format-members.ts'
import { formatScore } from './format-score.ts'
import type { RunState } from './run-state.ts'
import { shortPath } from './short-path.ts'

export function summaryLines(state: RunState, elapsedMs: number): string[] {
  const { start, profile, end, milestones } = state
  const lines: string[] = []
  const latest = milestones.at(-1)
  const status = end?.status ?? 'stopped'
  lines.push(
    `${start?.dataset ?? 'run'}: ${status} after ${formatDuration(elapsedMs)}${end?.reason === undefined ? '' : ` (${end.reason})`}`,
  )
  if (profile !== null) {
    const labels = profile.multiLabel ? 'labels' : 'classes'
    lines.push(
      `  data    ${profile.kind}, ${profile.trainCount} train, ${profile.testCount} test, ${profile.classCount} ${labels}`,
    )
  }
  if (latest !== undefined) {
    const first = milestones[0]
    lines.push(
      `  models  ${milestones.length} published, the first at ${formatDuration(first.t)}, the last at ${formatDuration(latest.t)}`,
    )
    lines.push(`  score   validation NAUC ${formatScore(latest.nauc)}, accuracy ${formatScore(latest.accuracy)}`)
    lines.push(`  made of ${formatMembers(latest.members)}`)
  }
  const { tried, failed } = state.trials
  if (tried > 0) lines.push(`  trials  ${tried} tried${failed > 0 ? `, ${failed} failed` : ''}`)
  const bytes = [...state.workers.values()].reduce((sum, worker) => sum + worker.rssBytes, 0)
  if (bytes > 0) lines.push(`  memory  ${formatSize(bytes)} in workers`)
  for (const warning of state.warnings.slice(0, 5)) lines.push(`  warning ${warning}`)
  if (start !== null) lines.push(`  folder  ${shortPath(start.out)}`)
  return lines
}
