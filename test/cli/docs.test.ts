// What is written down about the project, compared with what it is.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { builtCli, ROOT } from '../support/build-cli.ts'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

describe('documentation', () => {
  it('docs/commands.md holds the help texts as they are (npm run docs writes it)', () => {
    const target = join(folder, 'commands.md')
    execFileSync(process.execPath, ['scripts/docs-commands.js', builtCli(), target], { cwd: ROOT })
    expect(read('docs/commands.md')).toBe(readFileSync(target, 'utf8'))
  })

  it('every example of the README names datasets and options that exist', () => {
    const examples = [...read('README.md').matchAll(/^(?:\$ )?(?:npx )?automl (\w+) (.*)$/gm)]
    expect(examples.length).toBeGreaterThan(3)
    const help = read('docs/commands.md')
    for (const [, command, rest] of examples) {
      expect(help).toContain(`## automl ${command}`)
      for (const [option] of rest.matchAll(/--[\w-]+/g)) expect(help).toContain(option)
      for (const [path] of rest.matchAll(/fixtures\/\S+/g)) expect(() => statSync(join(ROOT, path))).not.toThrow()
    }
  })
})

describe('configs/', () => {
  const presets = readdirSync(join(ROOT, 'configs')).map((file) => file.replace('.json', ''))
  it.each(presets)('%s is a preset that fit accepts', async (preset) => {
    const { exitCode, stderr } = await runAutoml(['fit', join(folder, 'none'), '--preset', preset, '--ui', 'none'])
    // Options are checked before the data are looked for.
    expect(stderr).toContain('none: does not exist')
    expect(exitCode).toBe(3)
  })
})

describe('package-lock.json', () => {
  it('announces no install script, so that npm 10 runs none (npm run lock removes them)', () => {
    const { packages } = JSON.parse(read('package-lock.json'))
    const announced = Object.keys(packages).filter((name) => packages[name].hasInstallScript)
    expect(announced).toEqual([])
  })
})

describe('fixtures/', () => {
  it('stay small and have solutions', () => {
    const files = readdirSync(join(ROOT, 'fixtures'), { recursive: true, encoding: 'utf8' })
    const bytes = files.map((file) => statSync(join(ROOT, 'fixtures', file)).size).reduce((sum, size) => sum + size, 0)
    expect(bytes).toBeLessThan(6e6)
    const datasets = files.filter((file) => file.endsWith('.data'))
    expect(datasets.length).toBeGreaterThanOrEqual(10)
    for (const data of datasets) expect(files).toContain(data.replace(/\.data$/, '.solution'))
  })
})
