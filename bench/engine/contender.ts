// One measurement of one contender in a process of its own, so that memory is its own and nothing warms up for another: ours, a Python
// peer, or TensorFlow.js. Every child prints one line of JSON.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Settings {
  threads: number
  device: string
  steps: number
}

export interface Measured {
  version: string
  /** Best training step by variant. */
  stepMs: Record<string, number>
  /** Forward pass of a batch in inference form. */
  examplesPerSecond: number
  /** Resident memory of the whole process at its peak while training. */
  peakBytes: number
  /** Where the contender could only train a smaller batch: `stepMs` is scaled up from it. */
  scaledFromBatch?: number
  /** Building and starting the first step. */
  start?: StartTimes
}

export interface StartTimes {
  graphMs: number
  compileMs: number
  weightsMs: number
  firstStepMs: number
  totalMs: number
}

export type Outcome<T> = { value: T } | { skipped: string }

export interface Contender {
  name: string
  measure(network: string, settings: Settings, variant?: string): Outcome<Measured>
  /** GFLOP/s of matrix products alone. */
  gemm(settings: Settings): Outcome<{ version: string; gflops: number }>
}

/** The three peers in Python; their interpreters come from the environment. */
export function pythonPeers(environment: NodeJS.ProcessEnv): Contender[] {
  const python = environment.PYTHON ?? 'python3'
  return [
    pythonPeer('torch', python),
    pythonPeer('tensorflow', environment.PYTHON_TF ?? python),
    pythonPeer('jax', environment.PYTHON_JAX ?? python),
  ]
}

function pythonPeer(name: string, interpreter: string): Contender {
  const script = fileURLToPath(new URL(`../bench/engine/${name}_peer.py`, import.meta.url))
  const call = <T>(network: string, { steps, threads, device }: Settings, variant: string[]) =>
    childJson<T>(interpreter, [script, network, String(steps), String(threads), device, ...variant])
  return {
    name,
    measure: (network, settings, variant) => call(network, settings, variant === undefined ? [] : [variant]),
    gemm: (settings) => call('gemm', settings, []),
  }
}

/** This program again, with `--child KIND`. */
export function nodeContender(name: string, kind: string): Contender {
  const call = <T>(network: string, { steps, threads, device }: Settings) => {
    const flags = ['--child', kind, '--only', network, '--steps', String(steps), '--threads', String(threads)]
    return childJson<T>(process.execPath, [process.argv[1], ...flags, '--device', device])
  }
  return { name, measure: call, gemm: (settings) => call('gemm', settings) }
}

function childJson<T>(command: string, args: readonly string[]): Outcome<T> {
  const limits = { encoding: 'utf8', timeout: 1_200_000, maxBuffer: 1 << 26 } as const
  const { status, stdout, stderr, error } = spawnSync(command, args, limits)
  if (status === 0) return { value: JSON.parse(stdout.trim().split('\n').at(-1)!) as T }
  const said = (stderr ?? '').trim().split('\n')
  const reason = said.findLast((line) => /error/i.test(line)) ?? said.at(-1)
  return { skipped: error?.message ?? (reason || `ended with ${status}`) }
}

/** Peak resident memory of this process. */
export function peakBytes(): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line) return Number(line[1]) * 1024
  } catch {
    // Not Linux: the process's own count, which may include its parent's.
  }
  return process.resourceUsage().maxRSS * 1024
}

/** Best of `steps` runs, ms. */
export async function bestMs(run: () => Promise<unknown>, steps: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < steps; i++) {
    const from = performance.now()
    await run()
    best = Math.min(best, performance.now() - from)
  }
  return best
}
