// The live view in a real terminal: a pty made by util-linux's `script`, which Debian and its kin always have.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { builtCli, ROOT } from '../support/build-cli.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = temporaryFolder()
const hasPty = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false
if (!hasPty) console.log('no util-linux `script` here: the live view is not tried in a pty')

interface Session {
  output: string
  exitCode: number | null
}

/** Runs fit in a terminal of the given size; `act` is called once the view is on the screen. */
function inTerminal(columns: number, rows: number, args: string[], act?: (pid: number) => void): Promise<Session> {
  const command = `stty cols ${columns} rows ${rows}; exec ${process.execPath} ${builtCli()} fit ${args.join(' ')}`
  const { CI: _, ...env } = process.env
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: ROOT,
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  let acted = false
  child.stdout.on('data', (piece) => {
    output += piece
    if (acted || !output.includes('left of')) return
    acted = true
    act?.(child.pid!)
  })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (exitCode) => done({ output, exitCode }))
  })
}

/** Lines without escape codes, as they were drawn one after the other. */
function drawn(output: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return output.replace(/\x1b\[[\d;?]*[a-zA-Z]/g, '').split(/\r?\n/)
}

describe.runIf(hasPty)('on a terminal', () => {
  it('the view is drawn, no line is wider than the screen, and a summary stays', async () => {
    const args = ['fixtures/wine', '--budget', '5s', '--out', join(root, 'a')]
    const { output, exitCode } = await inTerminal(60, 20, args)
    const lines = drawn(output)
    expect(exitCode).toBe(0)
    expect(output).toContain('\x1b[')
    expect(lines.some((line) => line.includes('left of 5.0s'))).toBe(true)
    expect(lines.some((line) => line.startsWith('best validation NAUC'))).toBe(true)
    for (const line of lines.filter((text) => /[━│]/.test(text))) expect([...line].length).toBeLessThan(60)
    const end = lines.findLastIndex((line) => line.startsWith('wine: done after'))
    expect(end).toBeGreaterThan(0)
    expect(lines.slice(end).join('\n')).toMatch(/ {2}data {4}table[\s\S]*validation NAUC (?:0\.9|1\.0)/)
    // The cursor is shown again.
    expect(output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(output.lastIndexOf('\x1b[?25l'))
  })

  it('Ctrl-C ends it with 130, the cursor shown and a summary', async () => {
    const args = ['fixtures/wine', '--budget', '60s', '--out', join(root, 'b')]
    const started = performance.now()
    const { output, exitCode } = await inTerminal(80, 24, args, (pid) => {
      const [child] = spawnSync('pgrep', ['-P', String(pid)])
        .stdout.toString()
        .trim()
        .split('\n')
      process.kill(Number(child), 'SIGINT')
    })
    expect(performance.now() - started).toBeLessThan(20_000)
    expect(exitCode).toBe(130)
    expect(drawn(output).some((line) => line.startsWith('wine: interrupted after'))).toBe(true)
    expect(output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(output.lastIndexOf('\x1b[?25l'))
  })

  it('a terminal that cannot move its cursor gets plain lines', async () => {
    const args = ['fixtures/wine', '--budget', '3s', '--ui', 'auto', '--out', join(root, 'c')]
    const command = `exec env TERM=dumb ${process.execPath} ${builtCli()} fit ${args.join(' ')}`
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { cwd: ROOT, encoding: 'utf8' })
    expect(stdout).toMatch(/s {2}model {4}0000 \(first\)/)
    expect(stdout).not.toContain('\x1b[')
  })
})
