// Whether a pair works on this machine, found out in a child process with a time limit: a driver that hangs or crashes takes only the
// child with it.
import { type ChildProcess, fork } from 'node:child_process'
import { bundleEntry } from '../../support/bundle-entry.ts'
import { absenceOf } from './absence.ts'
import { explainRefusal, firstLine } from './explain.ts'
import type { Outcome, Working } from './outcome.ts'
import type { Pair } from './pair.ts'
import type { ProbeMessage } from './probe-entry.ts'

export interface ProbeOptions {
  /** After which the child is killed. @default 30 s: loading cuDNN and compiling shaders for the first time take seconds */
  limitMs?: number
  /** The child's program. @default probe.js beside the running bundle */
  entry?: string
  /** Kills the child; the outcome is then that of a hang. */
  signal?: AbortSignal
}

const LIMIT_MS = 30_000
/** Of what native code prints, for the reason. */
const KEPT_CHARACTERS = 20_000

export async function probeDevice(pair: Pair, options: ProbeOptions = {}): Promise<Outcome> {
  return absenceOf(pair) ?? (await tryInChild(pair, options))
}

function tryInChild(pair: Pair, { limitMs = LIMIT_MS, entry, signal }: ProbeOptions): Promise<Outcome> {
  const started = performance.now()
  const child: ChildProcess = fork(entry ?? bundleEntry('probe.js', import.meta.url), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  let verified: Working | null = null
  let refusal: Extract<ProbeMessage['outcome'], { kind: 'refused' }> | null = null
  child.stderr?.on('data', (piece) => {
    if (stderr.length < KEPT_CHARACTERS) stderr += piece
  })
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const settle = (outcome: Outcome) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', late)
      child.removeAllListeners()
      // Nothing that it does after its answer concerns anybody.
      child.on('error', () => {})
      child.kill('SIGKILL')
      resolve(outcome)
    }
    const late = () => settle(verified ?? { kind: 'hung', afterMs: performance.now() - started })
    timer = setTimeout(late, limitMs)
    signal?.addEventListener('abort', late)
    child.on('message', (message: ProbeMessage) => {
      if (message.type === 'verified') {
        verified = message.outcome
        return
      }
      const { outcome } = message
      // Native code's last words may still be on their way: they are whole when the process is gone.
      if (outcome.kind === 'refused') refusal = outcome
      else settle(outcome)
    })
    child.on('error', (error) => settle({ kind: 'refused', words: error.message }))
    child.on('close', (exitCode, killedBy) => {
      if (refusal !== null) settle(explainRefusal(pair, refusal.words, stderr, refusal.hint))
      else settle({ kind: 'crashed', signal: killedBy, exitCode, words: firstLine(stderr) })
    })
    child.send(pair, () => {})
    if (signal?.aborted) late()
  })
}
