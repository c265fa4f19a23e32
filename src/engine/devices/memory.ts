// What probes found on this machine, kept in the user's cache folder so that the next run knows at once. Only a convenience: a file that
// cannot be read is as good as none, one that cannot be written is not written.
import { mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '../../support/atomic-file.ts'
import type { Outcome } from './outcome.ts'
import { PAIRS, type Pair, pairName } from './pair.ts'

/** Outcomes by the pair's name. */
export type Outcomes = Readonly<Record<string, Outcome>>

interface MemoryFile {
  v: 1
  /** The newest last. */
  machines: { key: string; outcomes: Outcomes }[]
}

/** Machines that share a home folder. */
const MOST_MACHINES = 8
const KINDS: ReadonlySet<string> = new Set(['works', 'absent', 'refused', 'wrong', 'crashed', 'hung'])

export function memoryPath(): string {
  return join(cacheFolder(), 'automl', 'devices.json')
}

/** Empty when nothing is known about this machine. */
export function recall(key: string, path = memoryPath()): Outcomes {
  return read(path).machines.find((machine) => machine.key === key)?.outcomes ?? {}
}

/** Adds to what is known. @returns whether it could be written */
export function remember(key: string, found: readonly (readonly [Pair, Outcome])[], path = memoryPath()): boolean {
  const { machines } = read(path)
  const outcomes = { ...recall(key, path), ...Object.fromEntries(found.map(([pair, what]) => [pairName(pair), what])) }
  const others = machines.filter((machine) => machine.key !== key)
  const file: MemoryFile = { v: 1, machines: [...others, { key, outcomes }].slice(-MOST_MACHINES) }
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileAtomic(path, `${JSON.stringify(file, null, 1)}\n`)
    return true
  } catch {
    return false
  }
}

function read(path: string): MemoryFile {
  const nothing: MemoryFile = { v: 1, machines: [] }
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as MemoryFile
    return file.v === 1 && file.machines.every(({ key, outcomes }) => typeof key === 'string' && isSound(outcomes))
      ? file
      : nothing
  } catch {
    return nothing
  }
}

function isSound(outcomes: Outcomes): boolean {
  const names = new Set(PAIRS.map(pairName))
  return Object.entries(outcomes).every(([name, outcome]) => {
    if (!names.has(name) || !KINDS.has(outcome.kind)) return false
    return outcome.kind !== 'works' || outcome.stepMs === null || outcome.stepMs > 0
  })
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME
  if (process.platform === 'darwin') return join(homedir(), 'Library/Caches')
  if (process.platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA
  return join(homedir(), '.cache')
}
