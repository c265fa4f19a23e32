// What the publisher begins and what it leaves alone near the deadline, and what counts as a model; the clock is given.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { TaskProfile } from '../../src/dataset/profile.ts'
import { runFolder } from '../../src/run/folder.ts'
import { MILESTONE_VERSION, type MilestoneFacts } from '../../src/run/milestones.ts'
import { createPublisher, neededGain } from '../../src/run/publisher.ts'
import { createLibrary } from '../../src/search/library.ts'
import { type Judge, judge } from '../../src/search/quality.ts'
import { Rng } from '../../src/support/rng.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const AGAINST: Judge = { labels: Float32Array.of(1, 0, 0, 1), classCount: 2, multiLabel: false }
const GOOD = Float32Array.of(0.9, 0.1, 0.2, 0.8)

/** The better model's files are missing, so that an attempt to publish it shows: it is reported broken. */
function attempts(last: Pick<MilestoneFacts, 'reason' | 'quality'>, atMs: number): Promise<boolean> {
  const root = mkdtempSync(join(tmpdir(), 'publisher-'))
  folders.push(root)
  const library = createLibrary(AGAINST)
  library.restore({
    key: 't1/m0',
    trial: 't1',
    member: 'm0',
    family: 'linear',
    trainedOn: 'train',
    validation: GOOD,
    quality: judge(AGAINST, GOOD),
    staged: true,
    predictMs: 1,
  })
  let broken = false
  const publisher = createPublisher({
    folder: runFolder(root),
    against: AGAINST,
    library,
    profile: { classCount: 2 } as TaskProfile,
    testIds: new Float64Array(0),
    probes: () => [],
    elapsedMs: () => atMs,
    deadlineMs: 1000,
    nowS: () => 0,
    published: {
      count: 1,
      last: {
        v: MILESTONE_VERSION,
        index: 0,
        timeMs: 1,
        blend: 'mean',
        members: [{ trial: 't0', member: 'm0', family: 'linear', trainedOn: 'train', weight: 1 }],
        task: 'task',
        classNames: [],
        ...last,
      },
    },
    paced: true,
    hooks: {
      onPublished: () => {},
      onGain: () => {},
      onBroken: () => {
        broken = true
      },
      onFailure: (error) => {
        throw error
      },
    },
  })
  return publisher.final().then(() => broken)
}

describe('the last milestone', () => {
  const worse = { reason: 'better', quality: { nauc: 0, accuracy: 0.5, loss: 1 } } as const
  const frequencies = { reason: 'fallback', quality: null } as const

  it('is begun while there is time for it', async () => {
    expect(await attempts(worse, 500)).toBe(true)
  })

  it('is not begun when it would be out too late', async () => {
    expect(await attempts(worse, 990)).toBe(false)
  })

  it('is begun however late when class frequencies are all there is', async () => {
    expect(await attempts(frequencies, 990)).toBe(true)
  })
})

describe('the gain that a milestone needs', () => {
  /** Binary labels and two models of equal skill. */
  function duel(rows: number) {
    const rng = Rng.fromSeed(rows)
    const labels = new Float32Array(2 * rows)
    const [a, b] = [new Float32Array(2 * rows), new Float32Array(2 * rows)]
    for (let row = 0; row < rows; row++) {
      labels[2 * row + (row % 2)] = 1
      for (const scores of [a, b]) {
        scores[2 * row] = 1 / (1 + Math.exp((row % 2 === 0 ? -1 : 1) + 2 * rng.normal()))
        scores[2 * row + 1] = 1 - scores[2 * row]
      }
    }
    const against: Judge = { labels, classCount: 2, multiLabel: false }
    const published = { quality: judge(against, a), validation: a }
    return (reason: 'planned' | 'better', known = true, models = 2) =>
      neededGain(against, reason, b, { ...published, validation: known ? a : null }, models)
  }

  it('is what chance could give where few rows judge, at planned times too', () => {
    const needed = duel(200)
    expect(needed('planned')).toBeGreaterThan(0.03)
    expect(needed('planned', false)).toBeLessThan(1e-5)
    expect(duel(5000)('planned')).toBeLessThan(0.35 * needed('planned'))
  })

  it('grows with the models that the blend was chosen from', () => {
    const needed = duel(200)
    expect(needed('planned', true, 8)).toBe(needed('planned'))
    expect(needed('planned', true, 64)).toBeCloseTo(2 * needed('planned'), 6)
  })

  it('is more than rounding only, where many rows judge', () => {
    expect(duel(30_000)('planned')).toBeLessThan(1e-5)
  })
})
