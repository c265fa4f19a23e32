// Whole runs of the real binary on a small table with learners made for the purpose.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodePredictions } from '../../src/run/predictions-file.ts'
import { readStart } from '../../src/run/protocol.ts'
import { fakeFamilies } from '../search/fakes/build-fakes.ts'
import { writeTable } from '../search/fakes/table-data.ts'
import { type AutomlOptions, runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
let data: string
let module: string
let runs = 0

beforeAll(() => {
  data = writeTable(folder)
  module = fakeFamilies()
})

interface Asked {
  families: string
  budget?: string
  out?: string
  more?: string[]
  options?: AutomlOptions
}

async function fit({ families, budget = '4s', out = join(folder, `run-${runs++}`), more = [], options = {} }: Asked) {
  const named = ['--families', families, '--family-modules', module]
  const result = await runAutoml(
    ['fit', data, '--budget', budget, '--out', out, '--ui', 'json', ...named, ...more],
    options,
  )
  const events = result.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { ...result, out, events, of: (type: string) => events.filter((event) => event.type === type) }
}

/** Everything that a reader of a run folder may rely on. */
function checkWhole(out: string): number {
  const latest = readFileSync(join(out, 'latest'), 'utf8').trim()
  const names = readdirSync(join(out, 'milestones'))
  expect(names.filter((name) => name.startsWith('.'))).toEqual([])
  expect(names.sort().at(-1)).toBe(latest)
  const { timesS, startTimeS } = readStart(join(out, 'predictions'))
  let before = startTimeS
  for (const [k, name] of names.entries()) {
    expect(name).toBe(String(k).padStart(4, '0'))
    const facts = JSON.parse(readFileSync(join(out, 'milestones', name, 'milestone.json'), 'utf8'))
    expect(facts.index).toBe(k)
    const { ids, scores } = decodePredictions(readFileSync(join(out, 'milestones', name, 'predictions.arrow')))
    expect(ids).toHaveLength(200)
    const lines = readFileSync(join(out, 'predictions', `blobs.predict_${k}`), 'utf8')
      .trim()
      .split('\n')
    expect(lines).toHaveLength(200)
    expect(Number(lines[7].split(' ')[1])).toBeCloseTo(scores[7 * 3 + 1], 5)
    expect(timesS.get(k)).toBeGreaterThanOrEqual(before)
    before = timesS.get(k)!
  }
  return names.length
}

describe('a run', () => {
  it('publishes a first model, then better ones, and ends in time', async () => {
    const run = await fit({ families: 'fake-quick,fake-climb' })
    expect(run.stderr).toBe('')
    expect(run.exitCode).toBe(0)
    expect(run.ms).toBeLessThan(5000)
    expect(checkWhole(run.out)).toBeGreaterThan(1)
    const milestones = run.of('milestone')
    expect(milestones[0]).toMatchObject({ index: 0, nauc: null, reason: 'first' })
    const naucs = milestones.slice(1).map((event) => event.nauc)
    expect(naucs.at(-1)).toBeGreaterThan(0.8)
    expect(naucs.at(-1)).toBeGreaterThanOrEqual(naucs[0])
    expect(run.of('end')).toMatchObject([{ status: 'done', milestones: milestones.length }])
    expect(existsSync(join(run.out, 'predictions', 'end.txt'))).toBe(true)
    expect(existsSync(join(run.out, 'trials.arrow'))).toBe(true)
  })

  it.each([
    ['fake-stuck', []],
    ['fake-quick,fake-stuck', ['--threads', '1']],
  ] as const)('ends in time though %s never yields', async (families, more) => {
    const run = await fit({ families, budget: '3s', more: [...more, '--workers', '1'] })
    expect(run.exitCode).toBe(0)
    expect(run.ms).toBeLessThan(4000)
    checkWhole(run.out)
  })

  it('names what failed and goes on: an exception, scores that are not finite, a process that dies', async () => {
    const run = await fit({
      families: 'fake-quick,fake-throws,fake-nan,fake-dies,fake-climb',
      budget: '9s',
      more: ['--workers', '1'],
    })
    expect(run.exitCode).toBe(0)
    const families = new Map(run.of('trial').map((event) => [event.trial, event.family]))
    const ends = new Map(run.of('trial-end').map((event) => [families.get(event.trial), event]))
    expect(ends.get('fake-throws')).toMatchObject({
      status: 'failed',
      code: 'TRIAL',
      reason: 'this learner always fails',
    })
    expect(ends.get('fake-nan')).toMatchObject({ status: 'failed', code: 'NAN_LOSS' })
    expect(ends.get('fake-dies')).toMatchObject({ status: 'failed', code: 'WORKER' })
    expect(run.of('milestone').at(-1).nauc).toBeGreaterThan(0.8)
    checkWhole(run.out)
  })

  it('falls back on the class frequencies when every trial fails, and says so', async () => {
    const run = await fit({ families: 'fake-throws' })
    expect(run.exitCode).toBe(0)
    expect(checkWhole(run.out)).toBe(1)
    expect(run.of('milestone')).toMatchObject([{ index: 0, nauc: null, reason: 'fallback' }])
    expect(run.of('milestone')[0].members).toMatchObject([{ family: 'constant', weight: 1 }])
    expect(run.of('warning').at(-1).message).toMatch(/no model was ready.*class frequencies/)
    const { scores } = decodePredictions(readFileSync(join(run.out, 'milestones', '0000', 'predictions.arrow')))
    expect(scores[0] + scores[1] + scores[2]).toBeCloseTo(1, 5)
    expect(Array.from(scores.slice(597, 600))).toEqual(Array.from(scores.slice(0, 3)))
    expect(existsSync(join(run.out, 'milestones', '0000', 'model.onnx'))).toBe(true)
  })

  it('says so when the budget is over before the data were read', async () => {
    const run = await fit({ families: 'fake-quick', budget: '0.1s' })
    expect(run.exitCode).toBe(1)
    expect(run.stderr).toContain('the budget was used up before the data were read')
    expect(existsSync(run.out)).toBe(false)
  })

  it('is refused where another one is working, which is not disturbed', async () => {
    const out = join(folder, 'shared')
    const running = fit({ families: 'fake-quick,fake-climb', out, budget: '6s' })
    while (!existsSync(join(out, 'latest'))) await new Promise((resolve) => setTimeout(resolve, 20))
    const second = await fit({ families: 'fake-quick', out, budget: '6s', more: ['--resume'] })
    expect(second.exitCode).toBe(3)
    expect(second.stderr).toMatch(/process \d+ is working in this run folder/)
    const first = await running
    expect(first.exitCode).toBe(0)
    checkWhole(out)
    expect(existsSync(join(out, 'lock'))).toBe(false)
  })

  it('gives bit-identical predictions twice when slices are counted', async () => {
    const more = ['--workers', '1', '--slice-steps', '4', '--max-slices', '12', '--seed', '5']
    const [one, two] = await Promise.all(
      [0, 1].map(() => fit({ families: 'fake-quick,fake-climb', budget: '60s', more })),
    )
    expect(one.exitCode).toBe(0)
    expect(checkWhole(one.out)).toBe(checkWhole(two.out))
    expect(checkWhole(one.out)).toBeGreaterThan(2)
    for (const name of readdirSync(join(one.out, 'milestones'))) {
      const file = (out: string, part: string) => readFileSync(join(out, 'milestones', name, part))
      for (const part of ['predictions.arrow', 'model.onnx']) {
        expect(file(one.out, part).equals(file(two.out, part))).toBe(true)
      }
    }
  })

  it('ends with a whole milestone and 130 within two seconds of SIGINT', async () => {
    let asked = 0
    const run = await fit({
      families: 'fake-quick,fake-climb',
      budget: '60s',
      options: {
        onStdout(text, child) {
          if (asked > 0 || !text.includes('"index":1')) return
          asked = performance.now()
          child.kill('SIGINT')
        },
      },
    })
    expect(run.exitCode).toBe(130)
    expect(performance.now() - asked).toBeLessThan(2000)
    expect(run.of('end')).toMatchObject([{ status: 'interrupted' }])
    expect(checkWhole(run.out)).toBeGreaterThan(1)
  })

  it('leaves the class frequencies when it is interrupted before there is a model', async () => {
    let asked = 0
    const run = await fit({
      families: 'fake-silent',
      budget: '60s',
      options: {
        onStdout(text, child) {
          if (asked > 0 || !text.includes('"type":"trial"')) return
          asked = performance.now()
          child.kill('SIGINT')
        },
      },
    })
    expect(run.exitCode).toBe(130)
    expect(performance.now() - asked).toBeLessThan(4000)
    expect(checkWhole(run.out)).toBe(1)
    expect(run.of('milestone')).toMatchObject([{ index: 0, reason: 'fallback' }])
    expect(run.of('end')).toMatchObject([{ status: 'interrupted', milestones: 1 }])
  })

  it('keeps the states of those trials that go on in a later session', async () => {
    const more = ['--workers', '1', '--slice-steps', '3', '--max-slices', '14', '--search', 'portfolio']
    const run = await fit({ families: 'fake-quick,fake-breaks,fake-climb', budget: '60s', more })
    const families = new Map(run.of('trial').map((event) => [event.trial, event.family]))
    const ends = new Map(run.of('trial-end').map((event) => [families.get(event.trial), event.status]))
    expect(ends).toEqual(new Map(Object.entries({ 'fake-quick': 'finished', 'fake-breaks': 'failed' })))
    const saved = readdirSync(join(run.out, 'trials')).filter((trial) =>
      existsSync(join(run.out, 'trials', trial, 'state.bin')),
    )
    expect(saved.map((trial) => families.get(trial))).toEqual(['fake-climb'])
    expect(run.of('end')).toMatchObject([{ reason: 'all slices were given' }])
  })
})

describe('an output folder', () => {
  it('with another run in it is refused, and goes on with --resume under a larger budget', async () => {
    const first = await fit({ families: 'fake-quick,fake-climb', budget: '5s' })
    const count = checkWhole(first.out)
    const again = await fit({ families: 'fake-quick', out: first.out })
    expect(again.exitCode).toBe(3)
    expect(again.stderr).toMatch(/holds another run[\s\S]*--resume/)
    expect(checkWhole(first.out)).toBe(count)

    const longer = await fit({ families: 'fake-quick,fake-climb', out: first.out, budget: '9s', more: ['--resume'] })
    expect(longer.exitCode).toBe(0)
    // Four seconds remained.
    expect(longer.ms).toBeLessThan(6000)
    expect(longer.events[0].t).toBeGreaterThan(2000)
    expect(checkWhole(first.out)).toBeGreaterThanOrEqual(count)
    expect(longer.of('end')[0].nauc).toBeGreaterThanOrEqual(first.of('end')[0].nauc - 1e-6)
    const trials = readFileSync(join(first.out, 'journal.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"type":"trial"'))
    expect(new Set(trials).size).toBe(trials.length)
  })
})
