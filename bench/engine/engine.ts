// Training steps, inference, start-up and memory of the four reference networks against PyTorch, TensorFlow, JAX and TensorFlow.js on the
// same machine: rounds of all contenders in turn, every measurement in a process of its own, medians of the rounds' best steps.
//   npm run bench:engine [-- --json] [--only mlp] [--rounds 3] [--device cpu|webgpu|cuda] [--threads 2] [--peers torch,jax]
//   npm run bench:engine -- --profile [--only mlp]      where ours spends a step
// PYTHON, PYTHON_TF and PYTHON_JAX name interpreters that have torch, tensorflow and jax; a contender that does not run is skipped with
// its reason. TensorFlow.js is minutes slower and measured in the first round alone.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Contender, type Measured, nodeContender, type Outcome, pythonPeers, type Settings } from './contender.ts'
import { type Reference, references } from './networks.ts'
import { measureGemm, measureOurs } from './ours.ts'
import { profile } from './profile.ts'
import { type ContenderResult, jsonLine, textLines } from './report.ts'
import { measureTfjs, type TfjsBackend } from './tfjs_peer.ts'

const STEPS: Record<string, number> = { conv3: 12, resnet9: 3, text: 6, mlp: 10 }

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    device: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    only: { type: 'string' },
    peers: { type: 'string', default: 'torch,tensorflow,jax,tfjs-cpu,tfjs-wasm' },
    steps: { type: 'string' },
    child: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
})

const settingsFor = (network: string): Settings => ({
  threads: Number(values.threads),
  device: values.device,
  steps: Number(values.steps ?? STEPS[network] ?? 1),
})

if (values.child !== undefined) await runChild(values.child, values.only!)
else if (values.profile) await profileAll()
else await compare()

async function runChild(kind: string, network: string): Promise<void> {
  const settings = settingsFor(network)
  if (network === 'gemm') return console.log(JSON.stringify(await measureGemm(settings)))
  const reference = references.find(({ name }) => name === network)!
  const measured =
    kind === 'ours' ? await measureOurs(reference, settings) : await measureTfjs(reference, kind as TfjsBackend)
  console.log(JSON.stringify(measured))
}

async function profileAll(): Promise<void> {
  for (const reference of chosen()) {
    for (const line of await profile(reference, settingsFor(reference.name))) console.log(line)
  }
}

function chosen(): readonly Reference[] {
  return references.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name))
}

async function compare(): Promise<void> {
  const ours = nodeContender('ours', 'ours')
  const wanted = new Set(values.peers.split(','))
  const python = pythonPeers(process.env).filter(({ name }) => wanted.has(name))
  const tfjs = (['cpu', 'wasm'] as const)
    .map((backend) => nodeContender(`tfjs-${backend}`, backend))
    .filter(({ name }) => wanted.has(name))

  const skipped = new Map<string, string>()
  const note = <T>(contender: Contender, network: string, outcome: Outcome<T>): T | null => {
    if ('value' in outcome) return outcome.value
    skipped.set(`${contender.name} ${network}`, outcome.skipped)
    console.error(`${network}: ${contender.name} skipped: ${outcome.skipped}`)
    return null
  }

  let peak = { gflops: 0, by: 'nothing' }
  const usable: Contender[] = []
  for (const contender of [ours, ...python]) {
    const gemm = note(contender, 'gemm', contender.gemm(settingsFor('gemm')))
    if (gemm === null) continue
    usable.push(contender)
    if (gemm.gflops > peak.gflops) peak = { gflops: gemm.gflops, by: contender.name }
  }

  for (const reference of chosen()) {
    const rounds = new Map<Contender, Measured[]>()
    const variants = new Map<Contender, string>()
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const contender of round === 0 ? [...usable, ...tfjs] : usable) {
        if (round > 0 && !rounds.has(contender)) continue
        const outcome = contender.measure(reference.name, settingsFor(reference.name), variants.get(contender))
        const measured = note(contender, reference.name, outcome)
        if (measured === null) continue
        rounds.set(contender, [...(rounds.get(contender) ?? []), measured])
        variants.set(contender, bestVariant(measured))
      }
    }
    const results = [...rounds].map(([contender, all]) => summary(contender.name, all, variants.get(contender)!))
    const reasons = Object.fromEntries(
      [...skipped].flatMap(([key, reason]) => {
        const [name, network] = key.split(' ')
        return network === reference.name || network === 'gemm' ? [[name, reason]] : []
      }),
    )
    const facts = { reference, settings: settingsFor(reference.name), results, peak, skipped: reasons }
    for (const line of values.json ? [jsonLine(facts)] : textLines(facts)) console.log(line)
  }
}

function bestVariant({ stepMs }: Measured): string {
  return Object.entries(stepMs).sort((a, b) => a[1] - b[1])[0][0]
}

/** Medians over the rounds of the variant that won the first; memory of the last round, in which it ran alone. */
function summary(name: string, rounds: readonly Measured[], variant: string): ContenderResult {
  const times = rounds.map(({ stepMs }) => stepMs[variant] ?? Math.min(...Object.values(stepMs)))
  const last = rounds.at(-1)!
  const start = rounds.flatMap((round) => round.start ?? []).sort((a, b) => a.totalMs - b.totalMs)
  return {
    name,
    variant,
    version: last.version,
    stepMs: median(times),
    variants: rounds[0].stepMs,
    examplesPerSecond: median(rounds.map((round) => round.examplesPerSecond)),
    peakBytes: last.peakBytes,
    scaledFromBatch: last.scaledFromBatch,
    start: start[start.length >> 1],
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
}
