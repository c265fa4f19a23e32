import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
const COMMANDS = ['fit', 'predict', 'score', 'inspect', 'doctor']

describe('help', () => {
  it('lists the commands on stdout and exits with 0', async () => {
    const { exitCode, stdout, stderr } = await runAutoml(['--help'])
    expect(exitCode).toBe(0)
    expect(stderr).toBe('')
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  })

  it.each(COMMANDS)('of %s shows its options and examples', async (command) => {
    const { exitCode, stdout } = await runAutoml([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`Usage: automl ${command}`)
    expect(stdout).toContain('Examples:')
    expect(stdout).toContain('--debug')
  })

  it('says the version', async () => {
    expect((await runAutoml(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('wrong usage exits with 2, one clear line and no stack', () => {
  const config = (text: string) => {
    const path = join(folder, `${Math.abs(hash(text))}.json`)
    writeFileSync(path, text)
    return path
  }
  const cases: [string, string[], string, string?][] = [
    ['no command', [], 'no command given', 'commands: fit, predict'],
    ['an unknown command', ['fti', 'x'], "unknown command 'fti'", 'Did you mean fit?'],
    [
      'a device that the engine has on no machine',
      ['fit', 'fixtures/wine', '--engine', 'tfjs', '--device', 'webgpu'],
      '--device: received "webgpu"; --engine tfjs has auto, cpu, cuda',
      'automl doctor',
    ],
    ['an unknown option', ['fit', 'x', '--bugdet', '5s'], "unknown option '--bugdet'", 'Did you mean --budget?'],
    ['no dataset', ['fit'], "missing required argument 'data'"],
    ['a word too many', ['fit', 'x', 'y'], 'too many arguments'],
    ['a budget of no time', ['fit', 'x', '--budget', '0s'], '--budget: received "0s"; must be a positive duration'],
    ['a budget in an unknown unit', ['fit', 'x', '--budget', '5w'], '--budget: received "5w"'],
    ['a seed that is no number', ['fit', 'x', '--seed', 'pi'], '--seed: received "pi"; must be a whole number'],
    ['no threads at all', ['fit', 'x', '--threads', '0'], '--threads: received "0"; must be a whole number from 1'],
    ['a size without a number', ['fit', 'x', '--memory', 'much'], '--memory: received "much"; must be a positive size'],
    ['an unknown engine', ['fit', 'x', '--engine', 'steam'], '--engine: received "steam"; must be one of auto, onnx'],
    ['an empty family', ['fit', 'x', '--families', 'a,,b'], '--families: received "a,,b"; must be words separated'],
    ['an unknown preset', ['fit', 'x', '--preset', 'slow'], '--preset: received "slow"; must be one of', 'quick'],
    ['resuming nothing', ['fit', 'x', '--resume'], '--resume: needs --out'],
    ['counting slices that last', ['fit', 'x', '--max-slices', '4'], '--max-slices: needs --slice-steps'],
    ['a missing configuration', ['fit', 'x', '--config', join(folder, 'none.json')], 'none.json: cannot be read'],
    ['a configuration that is not JSON', ['fit', 'x', '--config', config('{budget')], 'not JSON'],
    ['a list for a configuration', ['fit', 'x', '--config', config('[1]')], 'must be a JSON object'],
    [
      'an unknown key',
      ['fit', 'x', '--config', config('{"bugdet": "5s"}')],
      'unknown key "bugdet"',
      'known keys: budget',
    ],
    ['a bad value in a file', ['fit', 'x', '--config', config('{"workers": -1}')], '--workers: received "-1"'],
    ['an object for a value', ['fit', 'x', '--config', config('{"seed": {}}')], 'key seed: received {}'],
    ['scoring without a solution', ['score', 'x'], '--solution: is missing'],
    ['an unknown format', ['predict', 'x', 'y', '--out', 'z.xls'], '--out: received "z.xls"; must end in .arrow, .csv'],
  ]

  it.each(cases)('%s', async (_, args, message, hint) => {
    const { exitCode, stdout, stderr } = await runAutoml(args, { cwd: folder })
    expect(stderr).toContain(`automl: `)
    expect(stderr).toContain(message)
    if (hint !== undefined) expect(stderr).toContain(hint)
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3)
    expect(stdout).toBe('')
    expect(exitCode).toBe(2)
  })

  it('with --debug the stack follows', async () => {
    const { stderr } = await runAutoml(['fit', 'x', '--seed', 'pi', '--debug'])
    expect(stderr).toMatch(/^ {4}at /m)
  })
})

function hash(text: string): number {
  return [...text].reduce((h, character) => (Math.imul(h, 31) + character.charCodeAt(0)) | 0, 7)
}
