// Entry of a worker process. Takes orders one after the other, verdicts at once. Ends with its parent.
import { clockFrom } from '../../support/clock.ts'
import { toFault } from '../fault.ts'
import { type FromWorker, parseToWorker, type ToWorker } from '../messages.ts'
import { startSession, type WorkerSession } from './session.ts'

type Order = Exclude<ToWorker, { type: 'verdict' }>

let session: WorkerSession | null = null
const orders: Order[] = []
let working = false

process.on('disconnect', () => process.exit(0))
// The run's own signals are main's business: it ends its workers itself.
process.on('SIGINT', () => {})
process.on('message', (message) => {
  const order = parseToWorker(message)
  if (order.type === 'verdict') session?.verdict(order.trial, order.member, order.keep)
  else {
    orders.push(order)
    if (!working) void work()
  }
})
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

async function work(): Promise<void> {
  working = true
  for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
    try {
      await obey(order)
    } catch (error) {
      fail(error)
    }
  }
  working = false
}

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'configure': {
      const clock = clockFrom(order.originUnixMs)
      session = await startSession(order, { post, elapsedMs: clock.elapsedMs })
      const { watchParent } = await import('./orphan-watch.ts')
      watchParent()
      if (order.role === 'helper') post({ type: 'hello', pid: process.pid })
      return
    }
    case 'slice':
      return session?.slice(order)
    case 'drop':
      return session?.drop(order.trial)
    case 'leave':
      await session?.leave(order.ms)
      process.disconnect()
      return process.exit(0)
    default:
      order satisfies never
  }
}

function post(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}

/** Tells main why this worker ends, and ends once that is said. */
function fail(error: unknown): void {
  if (!process.connected) process.exit(1)
  process.send?.({ type: 'fault', error: toFault(error, 'WORKER') } satisfies FromWorker, () => process.exit(1))
}
