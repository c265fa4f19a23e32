// Tries a pair in this process: trains a small network for two steps, compares with the processor, then times a step of the yardstick.
// A driver may end or hang the process at any point, so this runs in a process of its own (`probe-entry.ts`).
import { cpus } from 'node:os'
import { sgd } from '../../graph/optimizers/sgd.ts'
import { AutomlError } from '../../support/errors.ts'
import { Rng } from '../../support/rng.ts'
import { createEngine } from '../create-engine.ts'
import type { Engine } from '../engine.ts'
import { createTrainer, type Training } from '../trainer.ts'
import { gpuNames } from './gpus.ts'
import type { Working } from './outcome.ts'
import { DEFAULT_PAIR, type Pair, samePair } from './pair.ts'
import { smallTask, type Task, yardstickTask } from './yardstick.ts'

export type Verdict =
  | Working
  | { kind: 'wrong'; reason: string }
  /** `hint`: the error's own. */
  | { kind: 'refused'; words: string; hint?: string }

/** Relative, of losses and weights after two steps: devices multiply in other orders, some with shorter mantissas. */
const TOLERANCE = 2e-2
const STEPS = 2
const TIMED_STEPS = 4
/** A step that takes this long is not repeated. */
const SLOW_MS = 500

/** @param verified hears that the numbers are right, before the long part */
export async function tryPair(pair: Pair, verified: (soFar: Working) => void): Promise<Verdict> {
  let engine: Engine | null = null
  try {
    engine = await createEngine(pair)
    const wrong = samePair(pair, DEFAULT_PAIR) ? null : await difference(engine)
    if (wrong !== null) return { kind: 'wrong', reason: wrong }
    const works: Working = { kind: 'works', stepMs: null, version: await versionOf(engine), deviceName: nameOf(engine) }
    verified(works)
    if (await isPlainJavaScript(engine)) return works
    return { ...works, stepMs: await timedStep(engine) }
  } catch (error) {
    const hint = error instanceof AutomlError && error.hint !== undefined ? { hint: error.hint } : {}
    return { kind: 'refused', words: (error as Error).message, ...hint }
  } finally {
    await engine?.close().catch(() => {})
  }
}

/** Where the numbers differ from the processor's; null where they do not. */
async function difference(engine: Engine): Promise<string | null> {
  const reference = await createEngine(DEFAULT_PAIR, { threads: 1 })
  try {
    const [expected, received] = [await train(reference, smallTask()), await train(engine, smallTask())]
    for (const [name, values] of Object.entries(expected)) {
      const worst = worstAt(values, received[name])
      if (worst !== null) return `${name}[${worst}] is ${received[name][worst]} instead of ${values[worst]}`
    }
    return null
  } finally {
    await reference.close()
  }
}

/** Losses and final weights of a few steps. */
async function train(engine: Engine, task: Task): Promise<Record<string, Float32Array>> {
  return withTraining(engine, task, async (training) => {
    const losses = new Float32Array(STEPS)
    for (let i = 0; i < STEPS; i++) losses[i] = await training.step(task.data, { lr: 0.1 })
    return { loss: losses, ...(await training.weights()) }
  })
}

/** Index of the first value that is too far off. */
function worstAt(expected: Float32Array, received: Float32Array): number | null {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
  const at = expected.findIndex((value, i) => !(Math.abs(value - received[i]) <= TOLERANCE * scale))
  return at < 0 ? null : at
}

/**
 * Milliseconds of one step, the best of a few. Of a processor, its time shared by the threads: a machine that is busy meanwhile, as
 * during a run, does not make it look slow.
 */
async function timedStep(engine: Engine): Promise<number> {
  const onHost = engine.device === 'cpu'
  const task = yardstickTask()
  return withTraining(engine, task, async (training) => {
    await training.step(task.data)
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < TIMED_STEPS && (i === 0 || best < SLOW_MS); i++) {
      const wall = performance.now()
      const spent = process.cpuUsage()
      await training.step(task.data)
      const wallMs = performance.now() - wall
      const { user, system } = process.cpuUsage(spent)
      best = Math.min(best, onHost ? Math.min(wallMs, (user + system) / 1000 / engine.threads) : wallMs)
    }
    return best
  })
}

async function withTraining<T>(engine: Engine, task: Task, use: (training: Training) => Promise<T>): Promise<T> {
  const trainer = await createTrainer(engine, task.definition, { batch: task.batch, optimizer: sgd() })
  try {
    const training = await trainer.start(Rng.fromSeed(1))
    try {
      return await use(training)
    } finally {
      await training.release()
    }
  } finally {
    await trainer.release()
  }
}

/** Its step of the yardstick takes the better part of a minute: nothing that a choice would be made by. */
async function isPlainJavaScript({ name }: Engine): Promise<boolean> {
  if (name !== 'tfjs') return false
  return (await (await import('../tfjs/runtime.ts')).loadRuntime()).binding === 'javascript'
}

async function versionOf({ name }: Engine): Promise<string> {
  if (name === 'tfjs') {
    const { tf, binding } = await (await import('../tfjs/runtime.ts')).loadRuntime()
    return `TensorFlow.js ${tf.version_core} (${binding === 'native' ? 'libtensorflow' : 'in JavaScript'})`
  }
  const { loadOrt } = await import('../onnx/runtime.ts')
  const { node, common } = (await loadOrt()).env.versions
  return `onnxruntime ${node ?? common}`
}

function nameOf({ device, threads }: Engine): string {
  const counted = threads === 1 ? '1 thread' : `${threads} threads`
  if (device === 'cpu') return `${cpus()[0]?.model.trim() ?? 'the processor'}, ${counted}`
  return gpuNames().join(', ') || 'a GPU'
}
