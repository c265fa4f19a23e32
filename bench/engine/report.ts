// What the engine benchmark prints about one network: a line of JSON, or lines for people.
import type { Settings, StartTimes } from './contender.ts'
import type { Reference } from './networks.ts'

export interface ContenderResult {
  name: string
  variant: string
  version: string
  stepMs: number
  /** Best steps of the first round, by variant. */
  variants: Record<string, number>
  examplesPerSecond: number
  peakBytes: number
  scaledFromBatch?: number | undefined
  start?: StartTimes | undefined
}

export interface NetworkFacts {
  reference: Reference
  settings: Settings
  /** Ours first. */
  results: readonly ContenderResult[]
  /** The fastest matrix product of this run and whose it was. */
  peak: { gflops: number; by: string }
  skipped: Readonly<Record<string, string>>
}

/** Forward products of a batch, and as many again for the gradients of weights and of inputs. */
const stepFlops = ({ forwardMacs, inputMacs, batch }: Reference): number => 2 * (3 * forwardMacs - inputMacs) * batch

export function jsonLine({ reference, settings, results, peak, skipped }: NetworkFacts): string {
  const ours = results.find(({ name }) => name === 'ours')
  const peers = results.filter(({ name }) => name !== 'ours')
  const flops = stepFlops(reference)
  const told = (result: ContenderResult) => ({
    version: result.version,
    variant: result.variant,
    stepMs: round(result.stepMs),
    variants: mapValues(result.variants, round),
    gflops: round(flops / result.stepMs / 1e6),
    examplesPerSecond: Math.round(result.examplesPerSecond),
    peakMB: Math.round(result.peakBytes / 1e6),
    ...(result.scaledFromBatch === undefined ? {} : { scaledFromBatch: result.scaledFromBatch }),
    ...(result.start === undefined ? {} : { startMs: mapValues({ ...result.start }, round) }),
    ...(ours === undefined || result === ours ? {} : { ratio: round(result.stepMs / ours.stepMs) }),
  })
  const ratios = ours === undefined ? [] : frameworks(peers).map(({ stepMs }) => stepMs / ours.stepMs)
  return JSON.stringify({
    version: 1,
    network: reference.name,
    batch: reference.batch,
    threads: settings.threads,
    device: settings.device,
    ours: ours === undefined ? null : told(ours),
    peers: Object.fromEntries(peers.map((peer) => [peer.name, told(peer)])),
    skipped,
    ratioToBestPeer: ratios.length === 0 ? null : round(Math.min(...ratios)),
    gflops: ours === undefined ? null : round(flops / ours.stepMs / 1e6),
    gemmPeakGflops: round(peak.gflops),
    gemmPeakBy: peak.by,
    fractionOfGemmPeak: ours === undefined ? null : round(flops / ours.stepMs / 1e6 / peak.gflops),
  })
}

export function textLines({ reference, results, peak }: NetworkFacts): string[] {
  const flops = stepFlops(reference)
  const ours = results.find(({ name }) => name === 'ours')
  const lines = results.map((result) => {
    const gflops = flops / result.stepMs / 1e6
    const share = `${gflops.toFixed(0)} GFLOP/s, ${((100 * gflops) / peak.gflops).toFixed(0)} % of the matrix product's peak`
    const ratio = ours === undefined || result === ours ? '' : `, ratio ${(result.stepMs / ours.stepMs).toFixed(2)}`
    const scaled = result.scaledFromBatch === undefined ? '' : ` (scaled from batch ${result.scaledFromBatch})`
    const rest = `${result.examplesPerSecond.toFixed(0)} examples/s forward, ${(result.peakBytes / 1e6).toFixed(0)} MB`
    return `  ${result.name} (${result.version}, ${result.variant}): ${result.stepMs.toFixed(1)} ms a step${scaled}${ratio}, ${share}, ${rest}`
  })
  const start = ours?.start
  if (start) {
    const parts = `graph ${start.graphMs.toFixed(0)}, compiling ${start.compileMs.toFixed(0)}, weights ${start.weightsMs.toFixed(0)}`
    lines.push(`  first step after ${start.totalMs.toFixed(0)} ms: ${parts}, step ${start.firstStepMs.toFixed(0)}`)
  }
  return [`${reference.name}, batch ${reference.batch}:`, ...lines]
}

/** TensorFlow.js apart: it is a baseline of its own. */
const frameworks = (peers: readonly ContenderResult[]) => peers.filter(({ name }) => !name.startsWith('tfjs'))

const round = (value: number): number => Number(value.toPrecision(4))

function mapValues(record: Record<string, number>, map: (value: number) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
