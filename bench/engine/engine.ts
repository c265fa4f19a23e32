// Training steps of the four reference networks against PyTorch on the same processor: rounds of ours and theirs in turn, each
// round in a process of its own for the peer, medians of the rounds' best steps.
//   npm run bench:engine [-- --json] [-- --rounds 3]     PYTHON=python3 names an interpreter that has torch
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { createTrainer } from '../../src/engine/trainer.ts'
import { Rng } from '../../src/support/rng.ts'
import { type Reference, randomBatch, references } from './networks.ts'

const THREADS = 2
const STEPS: Record<string, number> = { conv3: 12, resnet9: 3, text: 6, mlp: 8 }
const HYPER = { lr: 1e-3, momentum: 0.9, weightDecay: 5e-4, emaDecay: 0, clipNorm: 0 }

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' } },
})

const engine = await createOnnxEngine({ threads: THREADS, device: 'cpu' })
for (const reference of references) {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(await bestStepMs(reference))
    const peer = torchStepMs(reference.name)
    if (peer !== null) theirs.push(peer)
  }
  report(reference, median(ours), theirs.length === 0 ? null : median(theirs))
}
await engine.close()

async function bestStepMs(reference: Reference): Promise<number> {
  const rng = Rng.fromSeed(0)
  const { definition, batch, optimizer } = reference
  const trainer = await createTrainer(engine, definition, { batch, optimizer })
  const training = await trainer.start(rng.split('weights'))
  const feeds = randomBatch(reference, rng.split('batch'))
  let best = Number.POSITIVE_INFINITY
  for (let step = 0; step < STEPS[reference.name]; step++) {
    const from = performance.now()
    await training.step(feeds, HYPER)
    best = Math.min(best, performance.now() - from)
  }
  await training.release()
  await trainer.release()
  return best
}

/** The better of PyTorch's two memory layouts; null where there is no PyTorch. */
function torchStepMs(name: string): number | null {
  const script = new URL('../bench/engine/torch_peer.py', import.meta.url).pathname
  const args = [script, name, String(STEPS[name]), String(THREADS)]
  const { status, stdout, stderr } = spawnSync(process.env.PYTHON ?? 'python3', args, { encoding: 'utf8' })
  if (status === 0) return Number(stdout)
  console.error(`PyTorch skipped: ${(stderr ?? 'no such interpreter').trim().split('\n').at(-1)}`)
  return null
}

function report({ name, batch, forwardMacs }: Reference, ours: number, theirs: number | null): void {
  const gflops = (3 * 2 * forwardMacs * batch) / ours / 1e6
  if (values.json) {
    const ratio = theirs === null ? null : theirs / ours
    console.log(
      JSON.stringify({ network: name, batch, threads: THREADS, oursMs: ours, torchMs: theirs, ratio, gflops }),
    )
    return
  }
  const peer = theirs === null ? '' : `, PyTorch ${theirs.toFixed(1)} ms, ratio ${(theirs / ours).toFixed(2)}`
  console.log(`${name}: ${ours.toFixed(1)} ms a step (${gflops.toFixed(0)} GFLOP/s)${peer}`)
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
}
