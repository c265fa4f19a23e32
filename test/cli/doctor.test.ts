import { describe, expect, it } from 'vitest'
import { runAutoml } from '../support/run-automl.ts'

describe('doctor', () => {
  it('says in words what works here and what does not', async () => {
    const { exitCode, stdout } = await runAutoml(['doctor'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok +onnx cpu +onnxruntime \d/m)
    expect(stdout).toMatch(/^ok +node +\d+\.\d+\.\d+ on /m)
    expect(stdout).toMatch(/^ok +memory +[\d.]+ GB free/m)
    expect(stdout).toContain('automl works here.')
  })

  it('says the same as JSON', async () => {
    const { stdout, stderr } = await runAutoml(['doctor', '--json'])
    const report = JSON.parse(stdout)
    expect(stderr).toBe('')
    expect(report.v).toBe(1)
    expect(report.usable).toBe(true)
    expect(report.platform.threads).toBeGreaterThan(0)
    expect(report.findings.find((finding: { name: string }) => finding.name === 'onnx cpu').status).toBe('works')
  })

  it('gives a reason or a remedy for everything that does not work', async () => {
    const { findings } = JSON.parse((await runAutoml(['doctor', '--json'])).stdout)
    for (const { status, detail } of findings) if (status !== 'works') expect(detail.length).toBeGreaterThan(10)
  })
})
