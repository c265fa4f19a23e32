import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = temporaryFolder()
let count = 0
const fresh = () => join(root, `run-${count++}`)
const events = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('fit on a bundled dataset', () => {
  const out = fresh()

  it('ends within the budget and a second, with models, predictions and the folder on stdout', async () => {
    const result = await runAutoml(['fit', 'fixtures/wine', '--budget', '5s', '--out', out])
    expect(result.exitCode).toBe(0)
    expect(result.stdout).toBe(`${out}\n`)
    expect(result.ms).toBeLessThan(6500)
    // A pipe gets plain lines, without being told.
    expect(result.stderr).toMatch(/s {2}data {5}table: /)
    expect(result.stderr).toMatch(/s {2}model {4}0000 \(first\)/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(result.stderr).not.toMatch(/\x1b/)
    for (const file of ['run.json', 'journal.jsonl', 'latest', 'predictions/start.txt', 'predictions/end.txt']) {
      expect(existsSync(join(out, file)), file).toBe(true)
    }
  })

  it('scores far above chance', async () => {
    const { stdout } = await runAutoml(['score', out, '--solution', 'fixtures/wine/wine.solution', '--json'])
    const score = JSON.parse(stdout)
    expect(score.nauc).toBeGreaterThan(0.9)
    expect(score.alc).toBeGreaterThan(0)
    expect(score.budgetS).toBe(5)
  })

  it('is predicted from by the newest model exactly as it predicted itself', async () => {
    const file = join(root, 'again.predict')
    const { exitCode, stdout, stderr } = await runAutoml(['predict', out, 'fixtures/wine', '--out', file])
    expect(exitCode).toBe(0)
    expect(stdout).toBe(`${file}\n`)
    expect(stderr).toMatch(/^36 examples scored by model 00\d\d/)
    const newest = Number(readFileSync(join(out, 'latest'), 'utf8'))
    const own = numbers(readFileSync(join(out, 'predictions', `wine.predict_${newest}`), 'utf8'))
    const again = numbers(readFileSync(file, 'utf8'))
    expect(again).toHaveLength(36 * 3)
    again.forEach((score, i) => {
      expect(Math.abs(score - own[i])).toBeLessThan(1e-4)
    })
  })

  it('writes CSV, Arrow and Parquet that agree', async () => {
    const csv = join(root, 'p.csv')
    const parquet = join(root, 'p.parquet')
    const arrow = join(root, 'p.arrow')
    for (const file of [csv, parquet, arrow]) await runAutoml(['predict', out, 'fixtures/wine', '--out', file])
    const lines = readFileSync(csv, 'utf8').trim().split('\r\n')
    const names = lines[0].split(',')
    expect(names).toEqual(['id', 'class_0', 'class_1', 'class_2'])
    const rows = lines.slice(1).map((line) => line.split(',').map(Number))
    const { tableFromIPC } = await import('apache-arrow')
    const table = tableFromIPC(readFileSync(arrow))
    expect(table.schema.fields.map((field) => field.name)).toEqual(names)
    const { parquetReadObjects } = await import('hyparquet')
    const { buffer } = new Uint8Array(readFileSync(parquet))
    const objects = await parquetReadObjects({ file: buffer })
    rows.forEach((row, i) => {
      names.forEach((name, k) => {
        expect(Number(table.getChild(name)?.get(i))).toBeCloseTo(row[k], 5)
        expect(Number(objects[i][name])).toBeCloseTo(row[k], 5)
      })
    })
  })

  it('gives the model that was in force at a time', async () => {
    const curve = JSON.parse(
      (await runAutoml(['score', out, '--solution', 'fixtures/wine/wine.solution', '--json'])).stdout,
    ).curve
    const at = `${Math.ceil(curve[0].timeS * 1000) + 5}ms`
    const file = join(root, 'early.predict')
    expect((await runAutoml(['predict', out, 'fixtures/wine', '--at', at, '--out', file])).stderr).toContain(
      'model 0000',
    )
    const early = await runAutoml(['predict', out, 'fixtures/wine', '--at', '10ms', '--out', file])
    expect(early.exitCode).toBe(3)
    expect(early.stderr).toContain('had no model 10ms after its start')
  })

  it('refuses data of another shape', async () => {
    const { exitCode, stderr } = await runAutoml(['predict', out, 'fixtures/cancer'])
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/input matrix_0: received "\[n, 1, 1, 30, 1\] from the data"; must be \[n, 1, 1, 13, 1\]/)
  })
})

function numbers(text: string): number[] {
  return text.trim().split(/\s+/).map(Number)
}

describe('--ui json', () => {
  it('prints versioned events on stdout and nothing else', async () => {
    const { stdout, stderr } = await runAutoml([
      'fit',
      'fixtures/wine',
      '--budget',
      '3s',
      '--ui',
      'json',
      '--out',
      fresh(),
    ])
    const all = events(stdout)
    expect(stderr).toBe('')
    expect(all.every((event) => event.v === 1 && event.t >= 0)).toBe(true)
    expect(all.filter((event) => event.type === 'start')).toHaveLength(1)
    expect(all.at(-1).type).toBe('end')
    expect(all.find((event) => event.type === 'profile').kind).toBe('table')
    expect(all.filter((event) => event.type === 'milestone').length).toBe(all.at(-1).milestones)
    for (let i = 1; i < all.length; i++) expect(all[i].t).toBeGreaterThanOrEqual(all[i - 1].t)
  })
})

describe('options from files', () => {
  it('the command line wins over the configuration, the configuration over the preset', async () => {
    const config = join(root, 'config.json')
    writeFileSync(config, JSON.stringify({ budget: '3s', families: ['linear'], seed: 7 }))
    const args = ['fit', 'fixtures/wine', '--preset', 'quick', '--config', config, '--seed', '8', '--ui', 'json']
    const all = events((await runAutoml([...args, '--out', fresh()])).stdout)
    expect(all.find((event) => event.type === 'start')).toMatchObject({ budgetMs: 3000, seed: 8 })
    const families = all.filter((event) => event.type === 'trial').map((event) => event.family)
    expect(new Set(families)).toEqual(new Set(['linear']))
  })
})

describe('--resume', () => {
  it('goes on with the budget that the run was given, or extends it', async () => {
    const out = fresh()
    const fit = (...more: string[]) => runAutoml(['fit', 'fixtures/wine', '--ui', 'json', '--out', out, ...more])
    await fit('--budget', '3s')
    const before = readFileSync(join(out, 'journal.jsonl'), 'utf8')
    const same = await fit('--resume')
    expect(same.exitCode).toBe(0)
    expect(same.ms).toBeLessThan(3000)
    const longer = await fit('--resume', '--budget', '5s')
    expect(longer.exitCode).toBe(0)
    expect(events(longer.stdout).find((event) => event.type === 'start')).toMatchObject({
      budgetMs: 5000,
      resumed: true,
    })
    expect(readFileSync(join(out, 'journal.jsonl'), 'utf8').startsWith(before)).toBe(true)
  })

  it('goes on with the options of the run and the budget of its last session', async () => {
    const out = fresh()
    const fit = (...more: string[]) => runAutoml(['fit', 'fixtures/wine', '--ui', 'json', '--out', out, ...more])
    await fit('--budget', '60s', '--families', 'linear', '--workers', '1', '--slice-steps', '2', '--max-slices', '1')
    await fit('--resume', '--budget', '90s', '--max-slices', '2')
    const last = await fit('--resume', '--max-slices', '3')
    expect(last.exitCode).toBe(0)
    expect(events(last.stdout).find((event) => event.type === 'start')).toMatchObject({
      budgetMs: 90_000,
      resumed: true,
    })
    const journal = events(readFileSync(join(out, 'journal.jsonl'), 'utf8'))
    const families = journal.filter((entry) => entry.type === 'trial').map((entry) => entry.family)
    expect(new Set(families)).toEqual(new Set(['linear']))
    expect(journal.filter((entry) => entry.type === 'slice')).toHaveLength(3)
  })

  it('goes on with the seed of the run and with no other: it decides which rows judge', async () => {
    const out = fresh()
    const fit = (...more: string[]) => runAutoml(['fit', 'fixtures/wine', '--ui', 'json', '--out', out, ...more])
    expect((await fit('--budget', '3s', '--seed', '3')).exitCode).toBe(0)
    const other = await fit('--resume', '--seed', '4')
    expect([other.exitCode, other.stderr]).toEqual([
      2,
      expect.stringMatching(/--seed: received 4; the run in .* its own, 3/),
    ])
    const same = await fit('--resume', '--budget', '6s')
    expect(same.exitCode).toBe(0)
    expect(events(same.stdout).find((event) => event.type === 'start')).toMatchObject({ seed: 3, resumed: true })
  })
})

describe('interruption', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends within 2 s with a whole milestone and 130', async (signal) => {
    const out = fresh()
    let sentAt = 0
    const result = await runAutoml(['fit', 'fixtures/wine', '--budget', '60s', '--ui', 'json', '--out', out], {
      onStdout(text, child) {
        if (sentAt > 0 || !text.includes('"type":"milestone"')) return
        sentAt = performance.now()
        child.kill(signal)
      },
    })
    expect(performance.now() - sentAt).toBeLessThan(2000)
    expect(result.exitCode).toBe(130)
    expect(events(result.stdout).at(-1)).toMatchObject({ type: 'end', status: 'interrupted' })
    const latest = readFileSync(join(out, 'latest'), 'utf8').trim()
    expect(existsSync(join(out, 'milestones', latest, 'model.onnx'))).toBe(true)
  })

  it('before the first model: ends at once, with 130 and no half model', async () => {
    const out = fresh()
    const result = await runAutoml(['fit', 'fixtures/spam', '--budget', '60s', '--ui', 'none', '--out', out], {
      onStart: (child) => setTimeout(() => child.kill('SIGINT'), 150),
    })
    expect(result.ms).toBeLessThan(4000)
    expect([130, null]).toContain(result.exitCode)
  })
})
