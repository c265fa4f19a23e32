// A runner behind a process boundary, for devices whose drivers hang or crash: jobs go to a child process, one at a time, each with a
// time limit. A child that dies or does not answer fails its job; the next job gets a new child.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildSync } from 'esbuild'
import type { Runner } from './executors.ts'
import type { Job, JobResult } from './job.ts'

const ROOT = resolve(import.meta.dirname, '../..')
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

/** SwiftShader and a Vulkan loader as Debian's chromium-common has them. */
const CHROMIUM = '/usr/lib/chromium'
const SWIFTSHADER = `${CHROMIUM}/vk_swiftshader_icd.json`
const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d']

/** Environment that lets the Vulkan loader find a driver; null where there is none. macOS and Windows bring their own. */
function driverEnvironment(): Record<string, string> | null {
  if (process.platform !== 'linux' || process.env.VK_DRIVER_FILES) return {}
  if (DRIVER_FOLDERS.some((folder) => existsSync(folder) && readdirSync(folder).some((f) => f.endsWith('.json'))))
    return {}
  return existsSync(SWIFTSHADER) ? { VK_DRIVER_FILES: SWIFTSHADER, LD_LIBRARY_PATH: CHROMIUM } : null
}

export async function startRemote(): Promise<Runner | { skipped: string }> {
  const environment = driverEnvironment()
  if (environment === null) {
    return {
      skipped:
        'no Vulkan driver (install one, or name one in VK_DRIVER_FILES: Debian’s chromium-common has SwiftShader)',
    }
  }
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
