// Where a training step's time goes: onnxruntime's own profile of a network's step, operator by operator, as Markdown. Each operator's
// time is its best over the steps; arithmetic and traffic follow from the shapes that the profile records.
//   npm run bench:engine -- --profile [--only conv3] [--threads 2] [--steps 12]
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor as OrtTensor } from 'onnxruntime-node'
import { blockSize } from '../../src/engine/onnx/block-size.ts'
import { loadOrt, toOrt } from '../../src/engine/onnx/runtime.ts'
import { serializeOnnx } from '../../src/engine/onnx/serialize.ts'
import { sizeOf } from '../../src/graph/dims.ts'
import { lower } from '../../src/graph/lowering/lower.ts'
import { simplify } from '../../src/graph/simplify/simplify.ts'
import { buildTrainingStep } from '../../src/graph/training-step.ts'
import { Rng } from '../../src/support/rng.ts'
import type { Settings } from './contender.ts'
import { type Reference, randomBatch } from './networks.ts'

interface Row {
  op: string
  name: string
  bestUs: number
  inputs: number[][]
  output: number[]
}

/** Lines of Markdown: operators by kind, then the slowest single ones. */
export async function profile(reference: Reference, { threads, steps }: Settings): Promise<string[]> {
  const rows = readProfile(await recordProfile(reference, threads, steps))
  const totalUs = rows.reduce((sum, row) => sum + row.bestUs, 0)
  const kinds = new Map<string, { us: number; count: number }>()
  for (const { op, bestUs } of rows) {
    const kind = kinds.get(op) ?? { us: 0, count: 0 }
    kinds.set(op, { us: kind.us + bestUs, count: kind.count + 1 })
  }
  const byTime = [...kinds].sort((a, b) => b[1].us - a[1].us).slice(0, 10)
  const slowest = rows.toSorted((a, b) => b.bestUs - a.bestUs).slice(0, 24)
  return [
    `## ${reference.name}: ${(totalUs / 1e3).toFixed(1)} ms in ${rows.length} operators`,
    '',
    byTime.map(([op, { us, count }]) => `${op} ${(us / 1e3).toFixed(1)} (${count})`).join(', '),
    '',
    '| ms | operator | GFLOP/s | GB/s | inputs -> output |',
    '|---|---|---|---|---|',
    ...slowest.map((row) => {
      const flops = flopsOf(row)
      const shapes = `${row.inputs.map((shape) => `[${shape}]`).join(' ')} -> [${row.output}]`
      const speed = flops > 1e7 ? (flops / row.bestUs / 1e3).toFixed(0) : ''
      const traffic = speed === '' ? (bytesOf(row) / row.bestUs / 1e3).toFixed(1) : ''
      return `| ${(row.bestUs / 1e3).toFixed(2)} | ${row.op} | ${speed} | ${traffic} | ${shapes} |`
    }),
    '',
  ]
}

async function recordProfile(reference: Reference, threads: number, steps: number): Promise<string> {
  const { definition, batch, optimizer } = reference
  const { graph } = buildTrainingStep(definition, { batch, optimizer })
  const ort = await loadOrt()
  const folder = mkdtempSync(join(tmpdir(), 'engine-profile-'))
  const session = await ort.InferenceSession.create(
    serializeOnnx(lower(simplify(graph), { block: await blockSize() })),
    {
      intraOpNumThreads: threads,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
      extra: { session: { intra_op: { allow_spinning: '0' }, set_denormal_as_zero: '1' } },
    },
  )
  const rng = Rng.fromSeed(0)
  const given = randomBatch(reference, rng.split('batch'))
  const feeds: Record<string, OrtTensor> = {}
  for (const { name, shape } of graph.inputs) {
    const data = rng.fillNormal(new Float32Array(sizeOf(shape as number[])), 0.05).map(Math.abs)
    feeds[name] = toOrt(ort, given[name] ?? { type: 'float32', shape: shape as number[], data })
  }
  for (let step = 0; step < steps; step++) await session.run(feeds)
  session.endProfiling()
  await session.release()
  const text = readFileSync(join(folder, readdirSync(folder)[0]), 'utf8')
  rmSync(folder, { recursive: true })
  return text
}

function readProfile(text: string): Row[] {
  interface Event {
    cat: string
    name: string
    dur: number
    args: {
      op_name: string
      input_type_shape: Record<string, number[]>[]
      output_type_shape: Record<string, number[]>[]
    }
  }
  const rows = new Map<string, Row>()
  for (const { cat, name, dur, args } of JSON.parse(text) as Event[]) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue
    const known = rows.get(name)
    const inputs = args.input_type_shape.map((shape) => Object.values(shape)[0])
    const output = Object.values(args.output_type_shape[0] ?? {})[0] ?? []
    rows.set(name, { op: args.op_name, name, bestUs: Math.min(dur, known?.bestUs ?? dur), inputs, output })
  }
  return [...rows.values()]
}

/** Of products and convolutions; 0 for others. */
function flopsOf({ op, inputs, output }: Row): number {
  if (op === 'Conv') return 2 * sizeOf(output) * sizeOf(inputs[1].slice(1))
  if (!/^(Fused)?(Gemm|MatMul)$/.test(op)) return 0
  // [.., m, k] and [.., k, n] in any order of their last two axes: m k n times the batch.
  const batch = sizeOf(output.slice(0, -2))
  return 2 * Math.sqrt((sizeOf(inputs[0]) * sizeOf(inputs[1]) * sizeOf(output)) / batch)
}

const bytesOf = ({ inputs, output }: Row): number =>
  4 * (inputs.reduce((sum, shape) => sum + sizeOf(shape), 0) + sizeOf(output))
