// What a worker says: signs of life while it works on something long (silence is taken for a learner that hangs), and test examples
// to check models with.
import { expect, test } from 'vitest'
import type { FromWorker } from '../../src/search/messages.ts'
import { type Configure, startSession } from '../../src/search/worker/session.ts'
import { datasetSpec, grayPng, makeDataset, matrixSpec } from '../dataset/helpers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { fakeFamilies } from './fakes/build-fakes.ts'
import { writeTable } from './fakes/table-data.ts'

function configure(role: Configure['role'], folder: string, data: string): Configure {
  return {
    type: 'configure',
    worker: 0,
    role,
    data,
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
  }
}

/** Rows of the test split that a worker hands out for checking models with. */
async function probedRows(data: string): Promise<number[]> {
  const said: FromWorker[] = []
  const host = { post: (message: FromWorker) => void said.push(message), elapsedMs: () => 0 }
  await startSession(configure('teller', temporaryFolder(), data), host)
  const portfolio = said.find((message) => message.type === 'portfolio')
  if (portfolio?.type !== 'portfolio') throw new Error('no portfolio was told')
  return portfolio.probes.flatMap(({ rows }) => rows)
}

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
  await startSession(configure('starter', folder, writeTable(folder)), host)
  const until = said.findIndex(({ type }) => type === 'candidate')
  const notes = said.slice(0, until).flatMap((message) => (message.type === 'alive' ? [message.note] : []))
  expect(new Set(notes)).toEqual(new Set(['at work', 'predicting']))
})

test.each([
  ['three', 1000, [0, 1, 2]],
  ['two of 24 MB', 6e6, [0, 1]],
  ['none of 80 MB', 2e7, []],
])('probes are few test examples: %s', async (_title, cols, rows) => {
  const spec = datasetSpec({ matrices: [matrixSpec({ cols, format: 'SPARSE' })] })
  const examples = Array.from({ length: 6 }, (_, i) => ({
    labels: [i % 2],
    matrices: [{ rows: [0], cols: [i], values: [1] }],
  }))
  expect(await probedRows(makeDataset({ spec, train: examples, test: examples }))).toEqual(rows)
})

test('a test video is no probe when it is too long, however short the training videos are', async () => {
  const frame = grayPng(600, 400, () => 7)
  const spec = datasetSpec({ sequenceSize: -1, matrices: [matrixSpec({ rows: 400, cols: 600, format: 'COMPRESSED' })] })
  const video = (length: number) => ({ labels: [length % 2], matrices: [new Array<Buffer>(length).fill(frame)] })
  const data = makeDataset({ spec, train: [1, 2, 3, 4].map(video), test: [2, 80, 3].map(video) })
  expect((await probedRows(data)).sort()).toEqual([0, 2])
})
