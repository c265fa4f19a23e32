// The executors of the suite: every engine on every device that this machine has. One entry each; what cannot run says why.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Engine } from '../../src/engine/engine.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { graphCases } from './cases/cases.ts'
import { titleOf } from './graph-case.ts'
import { type Job, type JobResult, runJob } from './job.ts'
import { startRemote } from './remote.ts'

/** Does jobs until it is closed. */
export interface Runner {
  run(job: Job): Promise<JobResult>
  close(): Promise<void>
}

export interface Executor {
  /** Engine and device, and what distinguishes it: `onnx-cpu, blocked, 2 threads`. */
  name: string
  /** What cases are filtered by: `onnx-cpu`, `onnx-webgpu`, `tfjs`. */
  kind: string
  /** A runner, or the reason why there is none here. */
  create(): Promise<Runner | { skipped: string }>
  /** Why a job is too much for this executor. @default none is */
  skips?: (job: Job) => string | undefined
}

const local = (engine: Engine): Runner => ({ run: (job) => runJob(engine, job), close: () => engine.close() })

const onnxCpu = (blocked: boolean, threads: number): Executor => ({
  name: `onnx-cpu, ${blocked ? 'blocked' : 'plain'}, ${threads} thread${threads > 1 ? 's' : ''}`,
  kind: 'onnx-cpu',
  create: async () => local(createOnnxEngine({ blocked, threads })),
})

export const onnxCpuExecutors: readonly Executor[] = [
  onnxCpu(false, 1),
  onnxCpu(true, 1),
  onnxCpu(false, 2),
  onnxCpu(true, 2),
]

const SRC = resolve(import.meta.dirname, '../../src')

export const tfjsExecutors: readonly Executor[] = [
  {
    name: 'tfjs',
    kind: 'tfjs',
    async create() {
      const path = resolve(SRC, 'engine/tfjs/engine.ts')
      if (!existsSync(path)) return { skipped: 'this build has no tfjs engine' }
      const { createTfjsEngine } = await import(/* @vite-ignore */ pathToFileURL(path).href)
      return local(await createTfjsEngine())
    },
  },
]

/** A software device takes half a second per case for its shaders: one case per operator, unless all are asked for. */
const FIRST = new Set(
  graphCases.filter((c, i) => graphCases.findIndex((other) => other.op === c.op) === i).map(titleOf),
)
const LARGE = /blocks of channels|larger product|\[8,16,4,4\]/
/** Written in other operators for webgpu than elsewhere, unlike their operator's first case. */
const REWRITTEN = /^MaxPool: (overlapping|gaps|dilated|places)/
const WEBGPU_TRAININGS = /^(SGD with Nesterov|AdamW|a text network)/

/** What onnxruntime 1.30's WebGPU provider refuses or gets wrong, by title: kept here, so that each is printed until it is mended. */
const WEBGPU_GAPS: readonly [RegExp, string][] = [
  [/^Resize: linear, antialiased/, 'the WebGPU provider has no antialiased Resize'],
  [/^Pow: a row by a column/, 'the WebGPU provider fails on Pow where both sides broadcast across each other'],
  [/^FusedConv: /, 'the WebGPU provider forgets the second summand of FusedConv'],
  [/^ReduceLogSumExp: large/, 'the WebGPU provider overflows in ReduceLogSumExp'],
]

function skipsOnWebgpu({ kind, title }: Job): string | undefined {
  if (kind === 'training') return WEBGPU_TRAININGS.test(title) ? undefined : 'large for a software device'
  const gap = WEBGPU_GAPS.find(([pattern]) => pattern.test(title))
  if (gap) return gap[1]
  if (LARGE.test(title)) return 'large for a software device'
  const all = process.env.CONFORMANCE === 'full'
  return all || FIRST.has(title) || REWRITTEN.test(title)
    ? undefined
    : 'one case per operator; npm run conformance runs all'
}

export const webgpuExecutors: readonly Executor[] = [
  { name: 'onnx-webgpu', kind: 'onnx-webgpu', create: startRemote, skips: skipsOnWebgpu },
]
