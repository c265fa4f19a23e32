// Failures inside a worker, in whole runs of the real binary: each has a name, ends its own trial, and the run goes on to its end.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AutomlResult, runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { fakeFamilies } from './fakes/build-fakes.ts'
import { writeTable } from './fakes/table-data.ts'

const HEAP = { NODE_OPTIONS: '--max-old-space-size=150' }
const folder = temporaryFolder()
let modules: string
let data: string

beforeAll(() => {
  modules = [fakeFamilies(), fakeFamilies('faulty-families.ts')].join(',')
  data = writeTable(folder)
})

interface JournalEvent {
  type: string
  trial?: string
  family?: string
  status?: string
  code?: string
  reason?: string
}

interface Run {
  result: AutomlResult
  journal: JournalEvent[]
  /** The last word on the first trial of a family. */
  endOf(family: string): JournalEvent | undefined
}

async function runWith(families: readonly string[], budget: string, env: Record<string, string> = {}): Promise<Run> {
  const out = join(folder, families.join('-'))
  const args = ['--budget', budget, '--out', out, '--ui', 'json', '--workers', '1', '--family-modules', modules]
  const result = await runAutoml(['fit', data, ...args, '--families', families.join(',')], { env })
  const journal: Run['journal'] = readFileSync(join(out, 'journal.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return {
    result,
    journal,
    endOf(family) {
      const trial = journal.find((event) => event.type === 'trial' && event.family === family)?.trial
      return journal.find((event) => event.type === 'trial-end' && event.trial === trial)
    },
  }
}

const FAULTS = [
  ['an operator that no engine knows', 'fault-op', 'GRAPH_OP', /Telepathy/],
  ['an operator that onnxruntime has no kernel for', 'fault-kernel', 'ENGINE', /Elu/],
  ['shapes that do not fit in a graph', 'fault-shape', 'GRAPH_SHAPE', /MatMul.*3.*4/],
  ['a tensor of the wrong shape', 'fault-feed', 'ENGINE', /x: received float32\[1, 4\]; must be float32\[n, 3\]/],
  ['a loss that is not a number', 'fault-nan', 'NAN_LOSS', /the loss is (NaN|-?Infinity) at step \d+/],
  ['a tensor larger than memory', 'fault-tensor', 'OUT_OF_MEMORY', /allocate|bad_alloc/i],
] as const

describe('a trial that throws', () => {
  let run: Run
  beforeAll(async () => {
    run = await runWith(['fake-quick', ...FAULTS.map(([, family]) => family)], '20s')
  })

  it.each(FAULTS)('is marked failed in the journal with the name of %s', (_, family, code, reason) => {
    expect(run.endOf(family)).toMatchObject({ status: 'failed', code })
    expect(run.endOf(family)!.reason).toMatch(reason)
  })

  it('leaves the run going on to its end, without a word on stderr', () => {
    expect(run.result).toMatchObject({ exitCode: 0, stderr: '' })
    const lastFault = run.journal.findLastIndex(({ type, status }) => type === 'trial-end' && status === 'failed')
    expect(run.journal.slice(lastFault).filter(({ type }) => type === 'score').length).toBeGreaterThan(0)
    expect(run.journal.at(-1)).toMatchObject({ type: 'end', status: 'done' })
  })
})

describe('a trial whose process dies', () => {
  it.each([
    ['killed by the system', 'fault-killed', '12s', {}, 'WORKER', /SIGKILL, as the system does when memory runs out/],
    ['its JavaScript heap full', 'fault-heap', '12s', HEAP, 'OUT_OF_MEMORY', /^the worker's JavaScript heap is full$/],
    ['killed as the first of the run', 'fault-early', '12s', {}, 'WORKER', /SIGKILL/],
    ['of a stray error as the first of the run', 'fault-stray', '12s', {}, 'WORKER', /^an error that nobody catches$/],
    ['silent for 20 s as the first of the run', 'fake-silent', '40s', {}, 'TRIAL', /^no sign of life for 2\d s$/],
  ] as const)('%s, is marked failed and the run goes on', async (_, family, budget, env, code, reason) => {
    const { result, journal, endOf } = await runWith(['fake-quick', family], budget, env)
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(endOf(family)).toMatchObject({ status: 'failed', code })
    expect(endOf(family)!.reason).toMatch(reason)
    const fault = journal.findIndex(({ type, status }) => type === 'trial-end' && status === 'failed')
    expect(journal.slice(fault).filter(({ type }) => type === 'score').length).toBeGreaterThan(0)
    expect(journal.filter(({ type }) => type === 'milestone').length).toBeGreaterThan(0)
  })

  it('whatever is tried, leaves the class frequencies', async () => {
    const { result, journal } = await runWith(['fault-always'], '30s')
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(journal.filter(({ type }) => type === 'milestone')).toMatchObject([{ index: 0, reason: 'fallback' }])
    expect(journal.at(-1)).toMatchObject({ type: 'end', status: 'done' })
    expect(journal.at(-1)!.reason).toMatch(/^no worker can work: .*SIGKILL/)
  })
})

it('a module of families that cannot be loaded is named, and nothing is learned without it', async () => {
  const out = join(folder, 'no-module')
  const args = ['--budget', '6s', '--out', out, '--ui', 'none', '--family-modules', 'file:///nowhere.mjs']
  const { exitCode, stderr } = await runAutoml(['fit', data, ...args])
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(/--family-modules: .*nowhere\.mjs/)
})
