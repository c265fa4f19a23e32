// Why a run ends before its time: what the dispatcher says when nobody is at work. Workers and clock are the test's.
import { describe, expect, it } from 'vitest'
import { createDispatcher } from '../../src/search/dispatcher.ts'
import type { Library } from '../../src/search/library.ts'
import type { ToWorker } from '../../src/search/messages.ts'
import type { Pool } from '../../src/search/pool.ts'

const UNTIL_MS = 60_000

/** One worker tries a portfolio; each of its slices lasts `sliceMs` and ends its trial, judged once. */
async function reasonOf(entries: number, sliceMs: number): Promise<{ reason: string; tried: number }> {
  let nowMs = 0
  const orders: Extract<ToWorker, { type: 'slice' }>[] = []
  const send = (_worker: number, message: ToWorker) => void (message.type === 'slice' && orders.push(message))
  const quality = { nauc: 0.5, accuracy: 0.5, loss: 1 }
  let end: (reason: string) => void = () => {}
  const ended = new Promise<string>((resolve) => {
    end = resolve
  })
  const dispatcher = createDispatcher({
    pool: { send } as unknown as Pool,
    search: 'portfolio',
    seed: 1,
    schedule: { kind: 'clock', nowMs: () => nowMs, untilMs: () => UNTIL_MS },
    currentLibrary: () => ({ consider: () => ({ quality, keep: true }) }) as unknown as Library,
    costly: () => false,
    published: () => new Set(),
    hooks: {
      onTrial: () => {},
      onScore: () => {},
      onKept: () => {},
      onSlice: () => {},
      onTrialEnd: () => {},
      beforeAssign: async () => {},
      onExhausted: (reason) => end(reason),
      onFailure: (error) => {
        throw error
      },
    },
  })
  const planned = Array.from({ length: entries }, (_, order) => ({ family: 'any', params: { order }, order }))
  dispatcher.plan(planned, {}, [])
  dispatcher.ready(0)
  let reason: string | null = null
  ended.then((said) => {
    reason = said
  })
  let tried = 0
  for (let turn = 0; reason === null; turn++) {
    if (turn > 10_000) throw new Error('the dispatcher does not end')
    await new Promise((resolve) => setImmediate(resolve))
    for (const { trial } of orders.splice(0)) {
      tried++
      nowMs += sliceMs
      const spent = { ms: sliceMs, steps: 1 }
      const validation = new Float32Array(0)
      const candidate = { family: 'any', member: 'm0', trainedOn: 'train', validation, staged: true, ...spent } as const
      dispatcher.onMessage(0, { type: 'candidate', trial, ...candidate })
      const facts = { startMs: 0, units: 1, of: 1, note: '', taughtShare: null, rssBytes: 0 }
      const ends = { status: 'finished', ...facts, ...spent } as const
      dispatcher.onMessage(0, { type: 'slice-end', trial, ...ends })
    }
  }
  return { reason, tried }
}

describe('nobody is at work', () => {
  it.each([
    ['the portfolio is at its end', 3, 1000, { tried: 3, reason: 'everything was tried' }],
    ['time is up', 9, 30_000, { tried: 2, reason: 'the budget is used up' }],
    [
      'what is left is shorter than a trial takes',
      9,
      25_000,
      { tried: 2, reason: 'nothing more fits into what is left of the budget' },
    ],
    ['the same, and there would be no other trial', 2, 25_000, { tried: 2, reason: 'everything was tried' }],
  ] as const)('because %s, and says so', async (_, entries, sliceMs, said) => {
    expect(await reasonOf(entries, sliceMs)).toEqual(said)
  })
})
