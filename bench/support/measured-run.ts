// One run of the real CLI as a user would start it, and all that its outputs say: exit code, talk on stderr, the journal, and the
// scores of `automl score` (beside them those of an independent scorer, where one is given).
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunScore } from '../../src/cli/score-run.ts'
import type { StampedEvent } from '../../src/run/events.ts'
import { parseDurationMs } from '../../src/support/units.ts'

export interface RunRequest {
  data: string
  solution: string
  budget: string
  /** Run folder; emptied before, and removed after the measurement unless `keep`. */
  out: string
  /** More arguments of `automl fit`. @default none */
  flags?: readonly string[]
  keep?: boolean
  /** The bin/automl.js to start. @default this package's */
  cli?: string | undefined
  /** score.py PREDICTIONS SOLUTION T -> JSON with alc and final_nauc. */
  scorer?: string | undefined
}

export interface MeasuredRun {
  exit: number | null
  wallS: number
  /** Lines of stderr, and those beyond the reporter's own. */
  stderr: string[]
  /** Null when the run left nothing to score. */
  score: RunScore | null
  independent: { alc: number; final_nauc: number } | null
  kind: string | null
  /** Validation NAUC of the last milestone: what the run believed. */
  claim: number | null
  warnings: string[]
  /** `family: reason` of trials that failed. */
  failures: string[]
  /** Families with a weight in any milestone. */
  members: string[]
  /** Families that were tried at all. */
  tried: string[]
  /** Which family weighed most in the published model, from which second on. */
  leaders: { family: string; fromS: number }[]
}

/** Beyond its budget a run gets this long before it is taken for hung. */
const GRACE_MS = 20_000

export function measureRun(request: RunRequest): MeasuredRun {
  const { data, solution, budget, out, flags = [], keep = false, cli = 'bin/automl.js' } = request
  rmSync(out, { recursive: true, force: true })
  const started = performance.now()
  const fit = spawnSync(process.execPath, [cli, 'fit', data, '--budget', budget, '--out', out, ...flags], {
    encoding: 'utf8',
    timeout: parseDurationMs(budget) + GRACE_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  })
  const wallS = (performance.now() - started) / 1000
  const score = existsSync(join(out, 'predictions', 'start.txt')) ? ownScore(cli, out, solution) : null
  const independent = score === null || request.scorer === undefined ? null : otherScore(request.scorer, out, solution)
  const journal = readJournal(join(out, 'journal.jsonl'))
  if (!keep) rmSync(out, { recursive: true, force: true })
  return {
    exit: fit.status,
    wallS,
    stderr: fit.stderr.split('\n').filter((line) => line.trim() !== ''),
    score,
    independent,
    ...facts(journal),
  }
}

function ownScore(cli: string, out: string, solution: string): RunScore | null {
  const args = [cli, 'score', out, '--solution', solution, '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status === 0) return JSON.parse(stdout) as RunScore
  console.error(`not scored: ${stderr.trim()}`)
  return null
}

function otherScore(scorer: string, out: string, solution: string): { alc: number; final_nauc: number } | null {
  try {
    const python = process.env.PYTHON ?? 'python3'
    const args = [scorer, join(out, 'predictions'), solution]
    return JSON.parse(execFileSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
  } catch (error) {
    console.error(`independent scorer skipped: ${(error as Error).message.trim().split('\n').at(-1)}`)
    return null
  }
}

function readJournal(path: string): StampedEvent[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as StampedEvent)
}

function facts(journal: readonly StampedEvent[]) {
  const warnings: string[] = []
  const failures: string[] = []
  const members = new Set<string>()
  const familyOf = new Map<string, string>()
  const leaders: MeasuredRun['leaders'] = []
  let claim: number | null = null
  let kind: string | null = null
  for (const event of journal) {
    switch (event.type) {
      case 'profile':
        kind = event.kind
        warnings.push(...event.warnings)
        break
      case 'warning':
        warnings.push(event.message)
        break
      case 'trial':
        familyOf.set(event.trial, event.family)
        break
      case 'trial-end':
        if (event.status === 'failed') failures.push(`${familyOf.get(event.trial)}: ${event.reason ?? event.code}`)
        break
      case 'milestone': {
        claim = event.nauc
        for (const { family, weight } of event.members) if (weight > 0) members.add(family)
        const family = event.members.toSorted((a, b) => b.weight - a.weight)[0]?.family
        if (family !== undefined && leaders.at(-1)?.family !== family) leaders.push({ family, fromS: event.t / 1000 })
        break
      }
    }
  }
  return { kind, claim, warnings, failures, members: [...members], tried: [...new Set(familyOf.values())], leaders }
}

/** `linear 0.6, patches 9.1, image-net 31.0` */
export function leadersText({ leaders }: MeasuredRun): string {
  return leaders.map(({ family, fromS }) => `${family} ${fromS.toFixed(1)}`).join(', ')
}
