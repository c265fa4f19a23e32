// Worker processes: started, spoken to, ended. A worker that dies by itself is reported with what its death said; whether it is
// replaced is its owner's decision. Nothing a worker does can hold main up: it can always be killed.
import { EXIT } from '../support/errors.ts'
import { fromFault } from './fault.ts'
import { type Fault, type FromWorker, parseFromWorker, type ToWorker } from './messages.ts'
import { type StartOptions, startWorker, type WorkerProcess } from './start-worker.ts'

export interface PoolEvents {
  onMessage(worker: number, message: FromWorker): void
  /** It ended without being asked to. `fault`: what it said before, if anything. */
  onDeath(worker: number, reason: string, fault: Fault | null): void
}

export interface Pool {
  /** Adopts a process that was started elsewhere, or starts one. */
  add(worker: number, process?: WorkerProcess): void
  send(worker: number, message: ToWorker): void
  /** SIGKILL. */
  kill(worker: number): void
  killAll(): void
  /** Resolves when all have ended; those still alive after `ms` are killed. */
  leave(ms: number): Promise<void>
  alive(): number[]
}

const HEAP_FULL = "the worker's JavaScript heap is full"

/** @param heapMb asked anew for each process: what a run knows of its data it knows after the first */
export function createPool(
  { heapMb, ...start }: Omit<StartOptions, 'heapMb'> & { heapMb(): number },
  events: PoolEvents,
): Pool {
  const processes = new Map<number, WorkerProcess>()
  const leaving = new Set<number>()

  function add(worker: number, given?: WorkerProcess): void {
    const started = given ?? startWorker({ ...start, heapMb: heapMb() })
    const { child } = started
    let fault: Fault | null = null
    processes.set(worker, started)
    child.on('message', (raw) => {
      if (processes.get(worker) !== started) return
      let message: FromWorker
      try {
        message = parseFromWorker(raw)
      } catch (error) {
        fault = { code: 'WORKER', message: (error as Error).message, exitCode: 1 }
        child.kill('SIGKILL')
        return
      }
      if (message.type === 'fault') fault = message.error
      events.onMessage(worker, message)
    })
    const ended = (reason: string) => {
      if (processes.get(worker) !== started) return
      if (started.heapIsFull()) fault = { code: 'OUT_OF_MEMORY', message: HEAP_FULL, exitCode: EXIT.failed }
      processes.delete(worker)
      if (!leaving.has(worker)) events.onDeath(worker, reason, fault)
    }
    child.on('error', (error) => ended(error.message))
    // After its last words have arrived.
    child.on('close', (code, signal) => ended(signal === null ? `exit code ${code}` : deathBy(signal)))
    // One that was started before there was a pool may have ended before it had listeners.
    const { exitCode, signalCode } = child
    const failure = started.failed()
    if (failure !== null) setImmediate(ended, failure.message)
    else if (signalCode !== null) setImmediate(ended, deathBy(signalCode))
    else if (exitCode !== null) setImmediate(ended, `exit code ${exitCode}`)
  }

  function kill(worker: number): void {
    leaving.add(worker)
    processes.get(worker)?.child.kill('SIGKILL')
    processes.delete(worker)
    leaving.delete(worker)
  }

  return {
    add,
    send(worker, message) {
      const child = processes.get(worker)?.child
      // A channel that closes meanwhile shows as the worker's death.
      if (child?.connected) child.send(message, () => {})
    },
    kill,
    killAll() {
      for (const worker of [...processes.keys()]) kill(worker)
    },
    async leave(ms) {
      const ends = [...processes].map(([worker, { child }]) => {
        leaving.add(worker)
        return new Promise<void>((resolve) => {
          child.once('exit', () => resolve())
          if (child.exitCode !== null || child.signalCode !== null) resolve()
          else if (child.connected) child.send({ type: 'leave', ms } satisfies ToWorker, () => {})
        })
      })
      const late = new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
      await Promise.race([Promise.all(ends), late])
      for (const { child } of processes.values()) child.kill('SIGKILL')
      processes.clear()
    },
    alive: () => [...processes.keys()],
  }
}

export function describeDeath(reason: string, fault: Fault | null): string {
  return fault === null ? `the worker process died (${reason})` : fromFault(fault).message
}

function deathBy(signal: string): string {
  return signal === 'SIGKILL' ? 'SIGKILL, as the system does when memory runs out' : signal
}
