// What a worker says while it works on something long: silence is taken for a learner that hangs.
import { expect, test } from 'vitest'
import type { FromWorker } from '../../src/search/messages.ts'
import { startSession } from '../../src/search/worker/session.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { fakeFamilies } from './fakes/build-fakes.ts'
import { writeTable } from './fakes/table-data.ts'

test('reading and predicting give signs of life between two yields', async () => {
  const folder = temporaryFolder()
  const said: FromWorker[] = []
  // Every look at the clock is a second later.
  let nowMs = 0
  const host = {
    post: (message: FromWorker) => void said.push(message),
    elapsedMs: () => {
      nowMs += 1000
      return nowMs
    },
  }
  await startSession(
    {
      type: 'configure',
      worker: 0,
      role: 'starter',
      data: writeTable(folder),
      out: folder,
      seed: 0,
      engine: 'onnx',
      device: 'cpu',
      yardstickMs: null,
      threads: 1,
      workers: 1,
      memoryBytes: 1e8,
      families: ['fake-quick'],
      familyModules: [fakeFamilies()],
      originUnixMs: Date.now(),
      limit: { kind: 'clock', ms: 1e9, untilMs: 1e9 },
    },
    host,
  )
  const until = said.findIndex(({ type }) => type === 'candidate')
  const notes = said.slice(0, until).flatMap((message) => (message.type === 'alive' ? [message.note] : []))
  expect(new Set(notes)).toEqual(new Set(['at work', 'predicting']))
})
