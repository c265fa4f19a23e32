import { EventEmitter } from 'node:events'
import { render } from 'ink'
import { describe, expect, it } from 'vitest'
import { Dashboard } from '../../src/ui/ink/dashboard.tsx'
import { applyEvent, emptyRunState, type RunState } from '../../src/ui/run-state.ts'
import { sampleRun } from './sample-run.ts'

/** A terminal that keeps the last frame. */
class Screen extends EventEmitter {
  frame = ''
  readonly isTTY = true
  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    super()
  }
  write(text: string): boolean {
    this.frame = text
    return true
  }
}

function draw(state: RunState, columns: number, rows: number, nowMs = 10_000): string[] {
  const screen = new Screen(columns, rows)
  const instance = render(<Dashboard state={state} nowMs={nowMs} columns={columns} rows={rows} />, {
    stdout: screen as unknown as NodeJS.WriteStream,
    debug: true,
    patchConsole: false,
    exitOnCtrlC: false,
  })
  const { frame } = screen
  instance.unmount()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are not looked at
  return frame.replace(/\x1b\[[\d;?]*[a-zA-Z]/g, '').split('\n')
}

function stateOf(events = sampleRun()): RunState {
  const state = emptyRunState()
  for (const event of events) applyEvent(state, event)
  return state
}

describe('the live view', () => {
  it('shows dataset, kind and reason, time left, scores, workers, models, device and memory', () => {
    const text = draw(stateOf(), 100, 30).join('\n')
    expect(text).toContain('digits image, 1437 train, 360 test, 10 classes')
    expect(text).toContain('one step of 8 x 8 values')
    expect(text).toContain('50s left of 1m00s')
    expect(text).toContain('best validation NAUC 0.9993')
    expect(text).toContain('conv-net t1 epoch 12/30')
    expect(text).toContain('0.70 conv-net + 0.30 linear')
    expect(text).toContain('onnx cpu, 2 threads, 1 worker, ')
    expect(text).toMatch(/\d+\.\d MB/)
    expect(text).toMatch(/[\u2801-\u28ff]/)
  })

  const sizes = [
    [100, 30],
    [80, 24],
    [60, 20],
    [40, 10],
    [24, 6],
    [200, 60],
  ]
  it.each(sizes)('fits a terminal of %i x %i: no line wraps, and it stays below the height', (columns, rows) => {
    const many = sampleRun().concat(
      Array.from({ length: 40 }, (_, i) => ({
        ...sampleRun().find((event) => event.type === 'milestone')!,
        index: i + 3,
        t: 10_000 + i,
      })),
    )
    const lines = draw(stateOf(many as ReturnType<typeof sampleRun>), columns, rows)
    expect(lines.length).toBeLessThan(rows)
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns)
    expect(lines.join('\n')).toContain('left of')
  })

  it('keeps time, score and worker on a small terminal', () => {
    const text = draw(stateOf(), 40, 10).join('\n')
    expect(text).toContain('50s left of 1m00s')
    expect(text).toContain('NAUC 0.9993')
    expect(text).toContain('conv-net')
  })

  it('shows progress as it goes on, with short numbers', () => {
    const doing = 't1 epochs, fold 2 4.737430167597766/25'
    const live = { v: 1, t: 9300, type: 'worker' as const, worker: 0, status: 'started' as const, doing, rssBytes: 0 }
    const text = draw(stateOf([...sampleRun(), live]), 100, 30).join('\n')
    expect(text).toContain('conv-net t1 epochs, fold 2 4.7/25')
  })

  it('can be drawn before anything is known', () => {
    expect(draw(emptyRunState(), 80, 24).join('\n')).toContain('reading')
  })
})
