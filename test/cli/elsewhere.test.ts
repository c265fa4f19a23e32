// The program installed under a path that is not plain: worker and probe processes must be found there.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { builtCli, ROOT } from '../support/build-cli.ts'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = temporaryFolder()
const home = join(root, 'chunks', 'a b', 'ü#%')
const entry = join(home, 'dist', 'cli.js')

beforeAll(() => {
  mkdirSync(home, { recursive: true })
  cpSync(dirname(builtCli()), join(home, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'))
})

it('learns, with workers beside it', async () => {
  const out = join(root, 'run #1 %')
  const args = ['fit', 'fixtures/wine', '--budget', '2s', '--ui', 'none', '--out', out]
  const { exitCode, stdout, stderr } = await runAutoml(args, { entry })
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
  expect(stdout).toBe(`${out}\n`)
})

it('tries devices', async () => {
  const env = { XDG_CACHE_HOME: join(root, 'cache') }
  const { findings } = JSON.parse((await runAutoml(['doctor', '--json'], { entry, env })).stdout)
  const cpu = findings.find(({ name }: { name: string }) => name === 'onnx cpu')
  expect(cpu).toMatchObject({ status: 'works', stepMs: expect.any(Number) })
})
