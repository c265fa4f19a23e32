// The run's view of its device: which pair workers get, probes of pairs that nothing is known about yet, and what happens when a driver
// keeps ending workers.
import { type Choice, learn } from '../engine/devices/choose.ts'
import { DEFAULT_PAIR, type Pair, pairName, samePair } from '../engine/devices/pair.ts'

/** A run that gave its device up. */
export interface Fallback {
  /** What networks trained on before. */
  from: Pair
  reason: string
}

export interface DeviceWatch {
  /** What the next worker is started with. */
  pair(): Pair
  /** Of one training step of the yardstick on the pair; null where no probe has timed it. */
  stepMs(): number | null
  /** Null while networks train where they were meant to. */
  fallback(): Fallback | null
  /** The machine is no longer needed for the first model alone: unknown pairs are probed now, beside the run, for later ones. */
  onFirstModel(): void
  /**
   * A worker's process died.
   * @param how as the pool says it: a signal's name, an exit code, `killed` because it hung
   * @returns whether this was one too many: networks train on the processor from here on
   */
  onDeath(how: string): boolean
  stop(): void
}

/** How native code dies or does not come back; running out of memory looks otherwise. */
const BY_DRIVER = /^(SIGSEGV|SIGABRT|SIGBUS|SIGILL|SIGFPE|killed)$/
/** Deaths after which the rest of the run is left to the processor. */
const MOST_CRASHES = 2

/** @param probes whether there is time to spare for probes */
export function createDeviceWatch(choice: Choice, probes: boolean, warn: (message: string) => void): DeviceWatch {
  const stopped = new AbortController()
  let pair = choice.pair
  let fallback: Fallback | null = null
  let crashes = 0
  let probing = false
  return {
    pair: () => pair,
    stepMs: () => (fallback === null ? choice.stepMs : null),
    fallback: () => fallback,
    onFirstModel() {
      if (!probes || probing || choice.unknown.length === 0) return
      probing = true
      const names = choice.unknown.map(pairName).join(', ')
      warn(`${names}: never tried on this machine; tried beside this run, so that later runs take the fastest`)
      void learn(choice.unknown, stopped.signal)
    },
    onDeath(how) {
      if (samePair(pair, DEFAULT_PAIR) || !BY_DRIVER.test(how) || ++crashes < MOST_CRASHES) return false
      fallback = { from: pair, reason: `${crashes} workers that train on ${pairName(pair)} crashed or hung` }
      pair = DEFAULT_PAIR
      warn(`${fallback.reason}: networks train on the processor from here on`)
      return true
    },
    stop: () => stopped.abort(),
  }
}
