// Kill -9 at any instant: what was published stays whole, and --resume goes on from there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodePredictions } from '../../src/run/predictions-file.ts'
import { readStart } from '../../src/run/protocol.ts'
import { Rng } from '../../src/support/rng.ts'
import { fakeFamilies } from '../search/fakes/build-fakes.ts'
import { writeTable } from '../search/fakes/table-data.ts'
import { type AutomlResult, runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const KILLS = 25
const folder = temporaryFolder()
let data: string
let named: string[]

beforeAll(() => {
  data = writeTable(folder)
  named = ['--families', 'fake-quick,fake-climb', '--family-modules', fakeFamilies(), '--ui', 'json']
})

/** Kills after `ms` counted from the first event, so that slow machines are killed at interesting moments too. */
function fitAndKill(out: string, ms: number): Promise<AutomlResult> {
  let armed = false
  return runAutoml(['fit', data, '--budget', '10m', '--out', out, '--resume', ...named], {
    onStdout(_text, child) {
      if (armed) return
      armed = true
      setTimeout(() => child.kill('SIGKILL'), ms)
    },
  })
}

/** Predictions by index, as bytes; checks that each milestone that a reader can see is whole. */
function visible(out: string): Map<number, string> {
  const seen = new Map<number, string>()
  const names = existsSync(join(out, 'milestones')) ? readdirSync(join(out, 'milestones')) : []
  for (const name of names.filter((each) => !each.startsWith('.'))) {
    const facts = JSON.parse(readFileSync(join(out, 'milestones', name, 'milestone.json'), 'utf8'))
    const { ids } = decodePredictions(readFileSync(join(out, 'milestones', name, 'predictions.arrow')))
    expect(ids).toHaveLength(200)
    expect(readFileSync(join(out, 'milestones', name, 'model.onnx')).length).toBeGreaterThan(100)
    seen.set(facts.index, readFileSync(join(out, 'milestones', name, 'predictions.arrow')).toString('base64'))
  }
  if (existsSync(join(out, 'latest'))) {
    expect(names).toContain(readFileSync(join(out, 'latest'), 'utf8').trim())
  }
  for (const name of existsSync(join(out, 'predictions')) ? readdirSync(join(out, 'predictions')) : []) {
    if (!/predict_\d+$/.test(name)) continue
    expect(
      readFileSync(join(out, 'predictions', name), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(200)
  }
  return seen
}

function milestonesOf(result: AutomlResult): number[] {
  const lines = result.stdout.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line)).flatMap((event) => (event.type === 'milestone' ? [event.index] : []))
}

describe('kill -9', () => {
  it(`at ${KILLS} random instants loses and tears nothing, and the run goes on`, { timeout: 300_000 }, async () => {
    const rng = Rng.fromSeed(Number(process.env.AUTOML_KILL_SEED ?? 1))
    let out = ''
    let before = new Map<number, string>()
    for (let i = 0; i < KILLS; i++) {
      // A new run every few kills: starting is as interesting as going on.
      if (i % 5 === 0) {
        out = join(folder, `killed-${i}`)
        before = new Map()
      }
      const result = await fitAndKill(out, rng.uniform() ** 2 * 1500)
      expect(result.signal).toBe('SIGKILL')
      expect(result.stderr).toBe('')
      const now = visible(out)
      for (const [index, bytes] of before) expect(now.get(index)).toBe(bytes)
      for (const index of milestonesOf(result)) expect(now.has(index)).toBe(true)
      before = now
    }
    const used = readFileSync(join(out, 'journal.jsonl'), 'utf8').trim().split('\n')
    const elapsedMs = Math.max(...used.slice(0, -1).map((line) => JSON.parse(line).t))
    const budget = `${Math.ceil(elapsedMs / 1000) + 4}s`
    const resumed = await runAutoml(['fit', data, '--budget', budget, '--out', out, '--resume', ...named])
    const whole = await runAutoml(['fit', data, '--budget', budget, '--out', join(folder, 'whole'), ...named])
    expect([resumed.exitCode, whole.exitCode]).toEqual([0, 0])
    for (const [index, bytes] of before) expect(visible(out).get(index)).toBe(bytes)
    const last = (result: AutomlResult) => JSON.parse(result.stdout.trim().split('\n').at(-1)!)
    expect(last(resumed)).toMatchObject({ type: 'end', status: 'done' })
    expect(last(resumed).nauc).toBeGreaterThan(last(whole).nauc - 0.02)
    // The time axis goes on: predictions are in order and none is later than the budget.
    const { startTimeS, timesS } = readStart(join(out, 'predictions'))
    const times = [...timesS].sort(([a], [b]) => a - b).map(([, time]) => time - startTimeS)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times.length).toBe(visible(out).size)
    expect(times.at(-1)).toBeLessThan(Math.ceil(elapsedMs / 1000) + 4)
  })

  it('leaves no worker behind, not even one that never yields', { timeout: 30_000 }, async () => {
    const out = join(folder, 'orphans')
    const pids = new Set<number>()
    const stuck = ['--families', 'fake-stuck', '--family-modules', named[3], '--ui', 'json']
    await runAutoml(['fit', data, '--budget', '10m', '--out', out, '--workers', '1', ...stuck], {
      onStdout(text, child) {
        if (!text.includes('"type":"score"') || pids.size > 0) return
        for (const pid of childrenOf(child.pid!)) pids.add(pid)
        setTimeout(() => child.kill('SIGKILL'), 300)
      },
    })
    expect(pids.size).toBeGreaterThan(0)
    await expect.poll(() => [...pids].filter(isAlive), { timeout: 5000 }).toEqual([])
  })
})

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
      } catch {
        return false
      }
    })
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
