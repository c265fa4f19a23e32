// Training on webgpu, on a GPU or on SwiftShader: the processor's numbers, and nothing but the batch and the loss between host and device.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../support/build-cli.ts'
import { vulkanEnvironment } from '../support/vulkan.ts'

interface Trained {
  losses: number[]
  predicted: number[]
  weights: number[]
  resumedLoss: number
  wentOnLoss: number
  uploaded: number
  downloaded: number
  stateTensors: number
  batchBytes: number
  left: { tensors: number; executables: number }
}

interface Report {
  placements: Record<string, string | null>
  mlp: { cpu: Trained; webgpu: Trained }
  convNet: { cpu: Trained; webgpu: Trained }
  overlapNet: { cpu: Trained; webgpu: Trained }
}

const STEPS = 20
const vulkan = vulkanEnvironment()
if ('missing' in vulkan) console.warn(`webgpu is not tested: ${vulkan.missing}`)

async function runChild(env: Record<string, string>): Promise<Report> {
  const outfile = join(ROOT, '.tmp/webgpu-test', `child-${process.pid}.mjs`)
  const entryPoints = [join(import.meta.dirname, 'webgpu-child.ts')]
  buildSync({ entryPoints, outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm' })
  const child = spawn(process.execPath, [outfile], { env: { ...process.env, ...env } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (piece) => {
    stdout += piece
  })
  child.stderr.on('data', (piece) => {
    stderr += piece
  })
  await new Promise((resolve) => child.on('close', resolve))
  if (!stdout.endsWith('\n')) throw new Error(`the child died: ${stderr}`)
  return JSON.parse(stdout)
}

const worst = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])))

describe.skipIf('missing' in vulkan)('training on webgpu', () => {
  let report: Report
  beforeAll(async () => {
    report = await runChild('env' in vulkan ? vulkan.env : {})
  }, 170_000)

  it.each(['mlp', 'convNet', 'overlapNet'] as const)('gives the numbers of the processor over 20 steps: %s', (name) => {
    const { cpu, webgpu } = report[name]
    expect(cpu.losses[STEPS - 1]).toBeLessThan(0.8 * cpu.losses[0])
    expect(worst(cpu.losses, webgpu.losses)).toBeLessThan(1e-4)
    expect(worst(cpu.weights, webgpu.weights)).toBeLessThan(1e-4)
    expect(worst(cpu.predicted, webgpu.predicted)).toBeLessThan(1e-3)
  })

  it.each(['mlp', 'convNet', 'overlapNet'] as const)(
    'moves only the batch, scalars and seed up, and the loss down: %s',
    (name) => {
      const { webgpu, cpu } = report[name]
      const perStep = webgpu.uploaded / STEPS - webgpu.batchBytes
      // At most a dozen numbers of four bytes.
      expect(perStep).toBeGreaterThan(0)
      expect(perStep).toBeLessThanOrEqual(48)
      expect(perStep % 4).toBe(0)
      expect(webgpu.downloaded).toBe(4 * STEPS)
      expect(webgpu.stateTensors).toBeGreaterThan(10)
      expect([cpu.uploaded, cpu.downloaded]).toEqual([0, 0])
    },
  )

  it('goes on from a saved state as if nothing had happened, and leaves no tensor behind', () => {
    for (const { webgpu } of [report.mlp, report.convNet, report.overlapNet]) {
      expect(webgpu.resumedLoss).toBe(webgpu.wentOnLoss)
      expect(webgpu.left).toEqual({ tensors: 0, executables: 0 })
    }
  })

  it.each(['mlp', 'convNet', 'overlapNet', 'attention', 'recurrent'])(
    'leaves no node of a step to the processor: %s',
    (name) => {
      expect(report.placements[name]).toBeNull()
    },
  )
})
