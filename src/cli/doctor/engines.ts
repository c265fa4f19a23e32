// The compute engines: every pair of engine and device, each tried in a process of its own beside the others, so that a driver that hangs
// or crashes costs its own line and nothing else. What was found is remembered for runs.
import { chooseAtOnce } from '../../engine/devices/choose.ts'
import { machineKey } from '../../engine/devices/machine-key.ts'
import { remember } from '../../engine/devices/memory.ts'
import { describeOutcome, hintOf, type Outcome } from '../../engine/devices/outcome.ts'
import { DEFAULT_PAIR, PAIRS, type Pair, pairName, samePair } from '../../engine/devices/pair.ts'
import { probeDevice } from '../../engine/devices/probe.ts'
import type { Finding } from './finding.ts'

/** Whoever asks is waiting; runs give a slow driver more time. */
const LIMIT_MS = 8000

const REINSTALL = 'npm ci installs what is missing'

export async function engineFindings(): Promise<Finding[]> {
  const found = await Promise.all(
    PAIRS.map(async (pair): Promise<[Pair, Outcome]> => [pair, await probeDevice(pair, { limitMs: LIMIT_MS })]),
  )
  // A driver that was only slow may answer a run, which waits longer.
  const settled = found.filter(([, outcome]) => outcome.kind !== 'hung')
  remember(machineKey(), settled)
  return [...found.map(([pair, outcome]) => toFinding(pair, outcome)), choiceFinding()]
}

function toFinding(pair: Pair, outcome: Outcome): Finding {
  const needed = samePair(pair, DEFAULT_PAIR)
  const hint = hintOf(outcome) ?? (needed && outcome.kind !== 'works' ? REINSTALL : undefined)
  return {
    area: 'engine',
    name: pairName(pair),
    status: statusOf(outcome, needed),
    detail: describeOutcome(outcome),
    ...(outcome.kind === 'works' ? { stepMs: outcome.stepMs } : {}),
    ...(hint === undefined ? {} : { hint }),
  }
}

function statusOf({ kind }: Outcome, needed: boolean): Finding['status'] {
  if (kind === 'works') return 'works'
  if (needed) return 'broken'
  return kind === 'absent' ? 'absent' : 'faulty'
}

/** What `--engine auto --device auto` takes now. */
function choiceFinding(): Finding {
  const { pair, why } = chooseAtOnce({ engine: 'auto', device: 'auto' })
  return { area: 'engine', name: 'networks train on', status: 'works', detail: `${pairName(pair)}: ${why}` }
}
