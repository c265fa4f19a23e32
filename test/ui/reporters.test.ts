import { describe, expect, it } from 'vitest'
import { jsonReporter } from '../../src/ui/json-reporter.ts'
import { plainReporter } from '../../src/ui/plain-reporter.ts'
import type { Reporter } from '../../src/ui/reporter.ts'
import { endOfRun, sampleRun } from './sample-run.ts'

function linesOf(create: (write: (line: string) => void) => Reporter): string[] {
  const lines: string[] = []
  const reporter = create((line) => lines.push(line))
  for (const event of [...sampleRun(), endOfRun()]) reporter.onEvent(event)
  return lines
}

describe('the plain reporter', () => {
  const lines = linesOf(plainReporter)
  const text = lines.join('\n')

  it('says what was asked, what the data are and why', () => {
    expect(text).toContain('0.02s  start    digits: 1m00s, seed 0, into runs/digits')
    expect(text).toContain('0.15s  data     image: one step of 8 x 8 values')
    expect(text).toContain('1437 train, 360 test, 10 classes')
  })

  it('says of each model how good it is and what it is made of', () => {
    expect(text).toContain('0.50s  model    0000 (first): NAUC -, accuracy -, linear')
    expect(text).toContain('9.10s  model    0002 (better): NAUC 0.9993, accuracy 0.9860, 0.70 conv-net + 0.30 linear')
  })

  it('says why a trial failed', () => {
    expect(text).toContain('failed   t2 forest: loss is not a number')
  })

  it('leaves slices out', () => {
    expect(text).not.toContain('epoch')
  })

  it('ends with a summary that stands on its own', () => {
    const summary = lines.slice(lines.findIndex((line) => line.startsWith('digits: done')))
    expect(summary[0]).toBe('digits: done after 1m00s')
    expect(summary).toContain('  score   validation NAUC 0.9993, accuracy 0.9860')
    expect(summary).toContain('  trials  3 tried, 1 failed')
    expect(summary).toContain('  folder  runs/digits')
  })

  it('has no escape codes', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/\x1b/)
  })
})

describe('the JSON reporter', () => {
  it('prints one line per event that starts with version and time and loses nothing', () => {
    const lines = linesOf(jsonReporter)
    expect(lines.map((line) => JSON.parse(line))).toEqual([...sampleRun(), endOfRun()])
    for (const line of lines) expect(line).toMatch(/^\{"v":1,"t":\d+,"type":"/)
  })
})
