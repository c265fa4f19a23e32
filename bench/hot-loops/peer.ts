// Runs bench/hot-loops/peer.py on files in a temporary folder; what is missing there is said and skipped.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export interface Cost {
  /** Wall clock. */
  seconds: number
  /** Processor time of all threads, which other programs on the machine disturb less. */
  cpuSeconds: number
}

export type PeerResult = Cost & { version: string } & Record<string, unknown>

/**
 * @param read called with the folder before it is removed: what the peer left there
 * @returns the peer's answer, or why there is none
 */
export function runPeer<T>(
  task: 'minirocket' | 'ngrams' | 'mel',
  files: Record<string, Uint8Array | Float32Array | Int32Array | string>,
  threads: number,
  read: (folder: string, result: PeerResult) => T,
): { result: PeerResult; read: T } | string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-hot-loops-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    const python = process.env.PYTHON ?? 'python3'
    const limit = { OMP_NUM_THREADS: `${threads}`, NUMBA_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` }
    const out = execFileSync(python, [resolve('bench/hot-loops/peer.py'), task, folder, `${threads}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...limit },
    })
    const result = JSON.parse(out.trim().split('\n').at(-1)!) as PeerResult
    return { result, read: read(folder, result) }
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)!
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Best of `repeats`, each figure on its own: the machine is seldom ours alone. */
export async function best(repeats: number, work: () => Promise<void>): Promise<Cost> {
  const cost = { seconds: Number.POSITIVE_INFINITY, cpuSeconds: Number.POSITIVE_INFINITY }
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    cost.seconds = Math.min(cost.seconds, (performance.now() - start) / 1000)
    cost.cpuSeconds = Math.min(cost.cpuSeconds, (user + system) / 1e6)
  }
  return cost
}

export function report(
  what: string,
  ours: Cost,
  peer: { result: PeerResult } | string,
  name: string,
  check: string,
): void {
  const words = ({ seconds, cpuSeconds }: Cost) => `${seconds.toFixed(3)} s (processor ${cpuSeconds.toFixed(3)})`
  if (typeof peer === 'string') {
    console.log(`${what}: ours ${words(ours)}; ${name} skipped: ${peer}`)
    return
  }
  const { result } = peer
  const ratios = `${(result.seconds / ours.seconds).toFixed(2)}x (${(result.cpuSeconds / ours.cpuSeconds).toFixed(2)}x)`
  console.log(`${what}: ours ${words(ours)}, ${name} ${result.version} ${words(result)}, ratio ${ratios}; ${check}`)
}
