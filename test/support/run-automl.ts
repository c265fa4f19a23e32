// Runs the real binary as a user would and collects what it says.
import { type ChildProcess, spawn } from 'node:child_process'
import { builtCli, ROOT } from './build-cli.ts'

export interface AutomlResult {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  ms: number
}

export interface AutomlOptions {
  /** @default the repository */
  cwd?: string
  env?: Record<string, string>
  /** The program. @default built from the sources */
  entry?: string
  /** Called with the running process, for signals. */
  onStart?(child: ChildProcess): void
  /** Called with stdout so far, at every piece. */
  onStdout?(text: string, child: ChildProcess): void
  /** After which the process is killed and the test fails. @default 50 s */
  timeoutMs?: number
}

export function runAutoml(args: readonly string[], options: AutomlOptions = {}): Promise<AutomlResult> {
  const entry = options.entry ?? builtCli()
  const started = performance.now()
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 50_000)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece) => {
    stdout += piece
    options.onStdout?.(stdout, child)
  })
  child.stderr.on('data', (piece) => {
    stderr += piece
  })
  options.onStart?.(child)
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (exitCode, signal) => {
      clearTimeout(limit)
      done({ exitCode, signal, stdout, stderr, ms: performance.now() - started })
    })
  })
}
