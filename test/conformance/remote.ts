// A runner behind a process boundary, for devices whose drivers hang or crash: jobs go to a child process, one at a time, each with a
// time limit. A child that dies or does not answer fails its job; the next job gets a new child.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { ROOT } from '../support/build-cli.ts'
import { vulkanEnvironment } from '../support/vulkan.ts'
import type { Runner } from './executors.ts'
import type { Job, JobResult } from './job.ts'

const JOB_LIMIT_MS = 60_000
/** Shaders are compiled and the driver is loaded. */
const START_LIMIT_MS = 30_000
/** A driver that keeps crashing is not worth more. */
const MOST_CHILDREN = 6

export interface RemoteJob {
  id: number
  job: Job
}

export type RemoteAnswer = { id: number; result: JobResult } | { id: number; error: string }

export async function startRemote(): Promise<Runner | { skipped: string }> {
  const vulkan = vulkanEnvironment()
  if ('missing' in vulkan) return { skipped: vulkan.missing }
  const environment = vulkan.env
  const outfile = join(ROOT, '.tmp/conformance', `child-${process.pid}.mjs`)
  buildSync({
    entryPoints: [join(import.meta.dirname, 'remote-child.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  let child: ChildProcess | null = null
  let started = 0
  let next = 0

  const start = () => {
    started++
    return fork(outfile, {
      env: { ...process.env, ...environment },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
  }

  function ask(job: Job, limitMs: number): Promise<JobResult> {
    if (child === null && started >= MOST_CHILDREN) return Promise.reject(new Error(`${started} processes died before`))
    child ??= start()
    const [worker, id] = [child, next++]
    return new Promise((done, fail) => {
      const end = (error: Error | null) => {
        clearTimeout(timer)
        worker.off('message', onMessage).off('exit', onExit)
        if (error) fail(error)
      }
      const drop = (reason: string) => {
        if (child === worker) child = null
        worker.kill('SIGKILL')
        end(new Error(reason))
      }
      const onExit = (code: number | null, signal: string | null) => drop(`the process died (${signal ?? code})`)
      const onMessage = (answer: RemoteAnswer) => {
        if (answer.id !== id) return
        end('error' in answer ? new Error(answer.error) : null)
        if ('result' in answer) done(answer.result)
      }
      const timer = setTimeout(() => drop(`no answer within ${limitMs / 1000} s`), limitMs)
      worker.on('message', onMessage).on('exit', onExit)
      worker.send({ id, job } satisfies RemoteJob)
    })
  }

  try {
    await ask({ kind: 'case', title: 'Relu: shape [1]' }, START_LIMIT_MS)
  } catch (error) {
    return { skipped: `the device does not work here: ${(error as Error).message}` }
  }
  return {
    run: (job) => ask(job, JOB_LIMIT_MS),
    async close() {
      child?.removeAllListeners('exit')
      child?.kill('SIGKILL')
    },
  }
}
