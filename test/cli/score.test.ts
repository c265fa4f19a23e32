import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
/** Four examples of two classes. */
const SOLUTION = '1 0\n1 0\n0 1\n0 1\n'
/** Every pair in order: NAUC 1. Half of the pairs: 0. All wrong: -1. Three of four pairs: .5. */
const PERFECT = '0.9 0.1\n0.8 0.2\n0.3 0.7\n0.1 0.9\n'
const CONSTANT = '0.5 0.5\n'.repeat(4)
const REVERSED = '0.1 0.9\n0.2 0.8\n0.8 0.2\n0.9 0.1\n'
const THREE_OF_FOUR = '0.9 0.1\n0.4 0.6\n0.6 0.4\n0.1 0.9\n'

let count = 0

/** A folder in the ingestion protocol; `predictions`: seconds after the start, text. */
function protocol(predictions: [number, string][], budgetS = 60): { folder: string; solution: string } {
  const path = join(folder, `case-${count++}`)
  mkdirSync(path)
  const start = 1_700_000_000.25
  const times = predictions.map(([time], k) => `${k}: ${start + time}\n`).join('')
  writeFileSync(
    join(path, 'start.txt'),
    `ingestion_pid: 1\ntask_name: toy\ntime_budget: ${budgetS}\nstart_time: ${start}\n${times}`,
  )
  predictions.forEach(([, text], k) => {
    writeFileSync(join(path, `toy.predict_${k}`), text)
  })
  const solution = join(folder, 'toy.solution')
  writeFileSync(solution, SOLUTION)
  return { folder: path, solution }
}

async function score(predictions: [number, string][], more: string[] = [], budgetS = 60) {
  const { folder: path, solution } = protocol(predictions, budgetS)
  const result = await runAutoml(['score', path, '--solution', solution, '--json', ...more])
  expect(result.stderr).toBe('')
  expect(result.exitCode).toBe(0)
  return JSON.parse(result.stdout)
}

const tau = (t: number, T: number, t0 = 60) => Math.log(1 + t / t0) / Math.log(1 + T / t0)

describe('scores agree with closed forms', () => {
  it('one perfect prediction counts from its time on', async () => {
    const { alc, nauc, accuracy, firstS, v } = await score([[15, PERFECT]])
    expect(v).toBe(1)
    expect(nauc).toBe(1)
    expect(accuracy).toBe(1)
    expect(firstS).toBeCloseTo(15, 4)
    expect(alc).toBeCloseTo(1 - tau(15, 60), 5)
  })

  it('the latest prediction counts, not the best', async () => {
    const { alc, nauc } = await score([
      [3, PERFECT],
      [20, REVERSED],
    ])
    expect(nauc).toBe(-1)
    expect(alc).toBeCloseTo(tau(20, 60) - tau(3, 60) - (1 - tau(20, 60)), 5)
  })

  it('ties count half', async () => {
    expect((await score([[1, CONSTANT]])).nauc).toBe(0)
    expect((await score([[1, THREE_OF_FOUR]])).nauc).toBeCloseTo(0.5, 6)
  })

  it('predictions after the budget do not count', async () => {
    const { nauc, late, curve } = await score([
      [10, PERFECT],
      [61, REVERSED],
    ])
    expect([nauc, late, curve.length]).toEqual([1, 1, 1])
  })

  it('T and t0 change the area', async () => {
    const predictions: [number, string][] = [[100, PERFECT]]
    const { alc } = await score(predictions, ['--T', '20m', '--t0', '30s'], 1200)
    expect(alc).toBeCloseTo(1 - tau(100, 1200, 30), 5)
  })

  it('a run without predictions scores 0', async () => {
    const { alc, nauc, firstS } = await score([])
    expect([alc, nauc, firstS]).toEqual([0, null, null])
  })
})

describe('scores as text', () => {
  it('show the area, the last scores and the curve', async () => {
    const { folder: path, solution } = protocol([
      [1, CONSTANT],
      [15, PERFECT],
    ])
    const { stdout } = await runAutoml(['score', path, '--solution', solution])
    expect(stdout).toContain(`ALC       ${(1 - tau(15, 60)).toFixed(4)}  (T 1m00s, t0 1m00s)`)
    expect(stdout).toContain('NAUC      1.0000')
    expect(stdout).toMatch(/^0 +1\.00s +0\.0000 +0\.5000$/m)
    expect(stdout).toMatch(/^1 +15\.00s +1\.0000 +1\.0000$/m)
  })
})

describe('unusable predictions exit with 3', () => {
  const cases: [string, () => string[], string][] = [
    [
      'no start.txt',
      () => ['score', folder, '--solution', protocol([]).solution],
      'holds neither predictions/start.txt',
    ],
    [
      'no solution',
      () => ['score', protocol([[1, PERFECT]]).folder, '--solution', join(folder, 'none')],
      'none: cannot be read',
    ],
    [
      'another number of examples',
      () => {
        const { folder: path, solution } = protocol([[1, '1 0\n']])
        return ['score', path, '--solution', solution]
      },
      'received "1 x 2 scores"; must be 4 x 2',
    ],
    [
      'a ragged line',
      () => {
        const { folder: path, solution } = protocol([[1, '1 0\n1\n1 0\n1 0\n']])
        return ['score', path, '--solution', solution]
      },
      'toy.predict_0:2:1: received "1 numbers"; must be 2',
    ],
    [
      'a score that is no number',
      () => {
        const { folder: path, solution } = protocol([[1, '1 0\n1 nan\n1 0\n1 0\n']])
        return ['score', path, '--solution', solution]
      },
      'received "nan"; must be a finite number',
    ],
  ]
  it.each(cases)('%s', async (_, args, message) => {
    const { exitCode, stderr } = await runAutoml(args())
    expect(stderr).toContain(message)
    expect(exitCode).toBe(3)
  })
})
