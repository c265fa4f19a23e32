import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

// What it finds is remembered elsewhere than where runs of this machine look.
const env = { XDG_CACHE_HOME: join(temporaryFolder(), 'cache') }

describe('doctor', () => {
  it('says in words what works here and what does not', async () => {
    const { exitCode, stdout } = await runAutoml(['doctor'], { env })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok +onnx cpu +onnxruntime \d/m)
    expect(stdout).toMatch(/^ok +node +\d+\.\d+\.\d+ on /m)
    expect(stdout).toMatch(/^ok +memory +[\d.]+ GB free/m)
    expect(stdout).toContain('automl works here.')
  })

  it('says the same as JSON', async () => {
    const { stdout, stderr } = await runAutoml(['doctor', '--json'], { env })
    const report = JSON.parse(stdout)
    expect(stderr).toBe('')
    expect(report.v).toBe(1)
    expect(report.usable).toBe(true)
    expect(report.platform.threads).toBeGreaterThan(0)
    expect(report.findings.find((finding: { name: string }) => finding.name === 'onnx cpu').status).toBe('works')
  })

  it('gives a reason or a remedy for everything that does not work', async () => {
    const { findings } = JSON.parse((await runAutoml(['doctor', '--json'], { env })).stdout)
    for (const { status, detail } of findings) if (status !== 'works') expect(detail.length).toBeGreaterThan(10)
  })

  it('tries every pair of engine and device and says where networks would train', async () => {
    const started = performance.now()
    const { exitCode, stdout } = await runAutoml(['doctor', '--json'], { env })
    // Eight seconds for the slowest pair.
    expect(performance.now() - started).toBeLessThan(20_000)
    expect(exitCode).toBe(0)
    const findings: { name: string; status: string; detail: string; hint?: string; stepMs?: number }[] =
      JSON.parse(stdout).findings
    const named = (name: string) => findings.find((finding) => finding.name === name)
    for (const name of ['webgpu', 'cuda', 'coreml', 'dml']) expect(named(`onnx ${name}`)).toBeDefined()
    for (const name of ['cpu', 'cuda']) expect(named(`tfjs ${name}`)).toBeDefined()
    expect(named('onnx cpu')!.stepMs).toBeGreaterThan(0)
    expect(named('networks train on')!.detail).toMatch(/^(onnx|tfjs) \w+: \w/)
    if (process.platform === 'linux')
      expect(named('onnx coreml')).toMatchObject({ status: 'absent', detail: 'CoreML is part of macOS' })
  })
})

describe('fit on a device', () => {
  const elsewhere = process.platform === 'darwin' ? 'dml' : 'coreml'

  it('that this machine lacks fails with the reason before a run folder is made', async () => {
    const out = join(temporaryFolder(), 'run')
    const args = ['fit', 'fixtures/digits', '--device', elsewhere, '--out', out, '--ui', 'none']
    const { exitCode, stderr } = await runAutoml(args, { env })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`--device ${elsewhere} does not work here`)
    expect(existsSync(out)).toBe(false)
  })

  it('that the engine has on no machine is wrong usage', async () => {
    const args = ['fit', 'fixtures/digits', '--engine', 'tfjs', '--device', 'webgpu', '--ui', 'none']
    const { exitCode, stderr } = await runAutoml(args, { env })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--engine tfjs has auto, cpu, cuda')
  })

  it('writes down which engine and device trained', async () => {
    const out = join(temporaryFolder(), 'run')
    const args = ['fit', 'fixtures/digits', '--engine', 'tfjs', '--out', out, '--budget', '2s', '--ui', 'json']
    const { exitCode, stdout } = await runAutoml(args, { env })
    expect(exitCode).toBe(0)
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({ engine: 'tfjs', device: 'cpu' })
    expect(stdout).toMatch(/"type":"device","engine":"tfjs","device":"cpu"/)
  })
})
