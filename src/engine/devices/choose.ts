// Which pair a run trains its networks on. What the command line leaves to `auto` is the fastest working pair by the probe's timed step,
// as remembered from earlier probes; nobody waits for a probe to be told so. Three cases:
//   nothing but the processor is plausible: it is taken, and nothing is read or tried;
//   the plausible pairs are remembered: the fastest of them is taken;
//   some are not: the processor is taken for this run, and they are probed beside it, for the next one. Switching workers in the middle
//   would restart their trials and make runs depend on how long a probe took.
// TensorFlow.js on the processor is taken only when asked for: with its native library a step takes 1.7 to 2.1 times onnxruntime's time
// (docs/tfjs.md), so that looking for it would cost every run more than it could ever give.
// A device asked for by name is probed first unless it is remembered to work, and an error when it does not.
import { AutomlError, UsageError } from '../../support/errors.ts'
import { absenceOf } from './absence.ts'
import { gpuIsPlausible } from './gpus.ts'
import { machineKey } from './machine-key.ts'
import { memoryPath, type Outcomes, recall, remember } from './memory.ts'
import { describeOutcome, hintOf, type Outcome } from './outcome.ts'
import { DEFAULT_PAIR, PAIRS, type Pair, pairName } from './pair.ts'
import { probeDevice } from './probe.ts'

export interface Asked {
  engine: 'auto' | Pair['engine']
  device: string
}

export interface Choice {
  pair: Pair
  /** Of one training step of the yardstick on the pair, milliseconds; null where no probe has timed it. */
  stepMs: number | null
  /** Pairs that nothing is known about yet. */
  unknown: readonly Pair[]
  /** In words, for `inspect` and `doctor`. */
  why: string
}

/** What a test puts in place of this machine. */
export interface Surroundings {
  gpuIsPlausible(): boolean
  absenceOf(pair: Pair): Outcome | null
  machineKey(): string
  memoryPath: string
  probe(pair: Pair, signal?: AbortSignal): Promise<Outcome>
}

export const THIS_MACHINE: Surroundings = {
  gpuIsPlausible,
  absenceOf,
  machineKey,
  memoryPath: memoryPath(),
  probe: (pair, signal) => probeDevice(pair, signal === undefined ? {} : { signal }),
}

/** @throws USAGE for a pair that no machine has; ENGINE as `chooseNamed` */
export async function choose(asked: Asked, around: Surroundings = THIS_MACHINE): Promise<Choice> {
  if (asked.device === 'auto' || asked.device === 'cpu') return chooseAtOnce(asked, around)
  if (PAIRS.some((pair) => isAsked(pair, asked))) return chooseNamed(asked, around)
  const devices = PAIRS.filter(({ engine }) => engine === asked.engine).map(({ device }) => device)
  throw new UsageError(
    `--device: received "${asked.device}"; --engine ${asked.engine} has auto, ${devices.join(', ')}`,
    '`automl doctor` tells what works on this machine',
  )
}

/** Answers at once. `asked.device` must be `auto` or `cpu`. */
export function chooseAtOnce(asked: Asked, around: Surroundings = THIS_MACHINE): Choice {
  const base = asked.engine === 'tfjs' ? PAIRS.find(({ engine }) => engine === 'tfjs')! : DEFAULT_PAIR
  const untimed = { pair: base, stepMs: null, unknown: [] }
  if (asked.device === 'cpu') return { ...untimed, why: 'as asked for' }
  if (!around.gpuIsPlausible()) return { ...untimed, why: 'there is no other device here' }
  const candidates = candidatesOf(asked, around)
  if (candidates.length === 0) return { ...untimed, why: 'no other device can be used here' }
  const known = recall(around.machineKey(), around.memoryPath)
  const unknown = [base, ...candidates].filter((pair) => known[pairName(pair)] === undefined)
  if (unknown.length > 0) {
    const names = unknown.map(pairName).join(', ')
    return { ...untimed, unknown, why: `not known yet how fast these are: ${names}` }
  }
  const pair = fastest([base, ...candidates], known) ?? base
  return { pair, stepMs: stepMsOf(pair, known), unknown: [], why: 'the fastest measured here' }
}

/**
 * For a device asked for by name. Probes what is not remembered to work, and remembers.
 * @throws ENGINE (exit code 1: the command line is right, this machine lacks the device) with the reason and the hint
 */
export async function chooseNamed(asked: Asked, around: Surroundings = THIS_MACHINE): Promise<Choice> {
  const pairs = PAIRS.filter((pair) => isAsked(pair, asked))
  const key = around.machineKey()
  const known = recall(key, around.memoryPath)
  const outcomes: Record<string, Outcome> = {}
  for (const pair of pairs) {
    const name = pairName(pair)
    const earlier = known[name]
    outcomes[name] = earlier?.kind === 'works' ? earlier : await around.probe(pair)
    if (earlier?.kind !== 'works') remember(key, [[pair, outcomes[name]]], around.memoryPath)
  }
  const pair = fastest(pairs, outcomes)
  if (pair !== null) return { pair, stepMs: stepMsOf(pair, outcomes), unknown: [], why: 'as asked for' }
  const reasons = pairs.map((each) => `${pairName(each)}: ${describeOutcome(outcomes[pairName(each)])}`)
  const hint = pairs.map((each) => hintOf(outcomes[pairName(each)])).find((each) => each !== undefined)
  throw new AutomlError(
    'ENGINE',
    `--device ${asked.device} does not work here. ${reasons.join('; ')}`,
    undefined,
    hint ?? '`automl doctor` tells what works on this machine; --device auto takes the best of it',
  )
}

/** Probes pairs one after the other and remembers what was found. */
export async function learn(pairs: readonly Pair[], signal: AbortSignal, around: Surroundings = THIS_MACHINE) {
  const key = around.machineKey()
  for (const pair of pairs) {
    const outcome = await around.probe(pair, signal)
    if (signal.aborted) return
    remember(key, [[pair, outcome]], around.memoryPath)
  }
}

/** The working pair with the shortest step; one without a time counts as slower than any with. Null when none works. */
export function fastest(pairs: readonly Pair[], outcomes: Outcomes): Pair | null {
  let best: Pair | null = null
  let bestMs = Number.POSITIVE_INFINITY
  for (const pair of pairs) {
    const outcome = outcomes[pairName(pair)]
    if (outcome?.kind !== 'works') continue
    const ms = outcome.stepMs ?? Number.MAX_VALUE
    if (ms >= bestMs) continue
    best = pair
    bestMs = ms
  }
  return best
}

function stepMsOf(pair: Pair, outcomes: Outcomes): number | null {
  const outcome = outcomes[pairName(pair)]
  return outcome?.kind === 'works' ? outcome.stepMs : null
}

/** Pairs beside the processor that are worth a probe. */
function candidatesOf(asked: Asked, around: Surroundings): Pair[] {
  return PAIRS.filter((pair) => pair.device !== 'cpu' && isAsked(pair, asked) && around.absenceOf(pair) === null)
}

function isAsked({ engine, device }: Pair, asked: Asked): boolean {
  return (asked.engine === 'auto' || asked.engine === engine) && (asked.device === 'auto' || asked.device === device)
}
