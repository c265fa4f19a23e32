// What became of the attempt to compute with a pair, and how a person is told.
export type Outcome =
  /**
   * A small network trains to the processor's numbers. `stepMs`: one training step of the yardstick network, null when that takes
   * longer than a probe may. `deviceName`: as the system calls it, where it tells.
   */
  | { kind: 'works'; stepMs: number | null; version: string; deviceName: string }
  /** Not here. `hint`: the command that adds it. */
  | { kind: 'absent'; reason: string; hint?: string }
  /** The engine said no, in these words. */
  | { kind: 'refused'; words: string; hint?: string }
  /** It computes, but not what the processor computes. */
  | { kind: 'wrong'; reason: string }
  /** The probe's process died. */
  | { kind: 'crashed'; signal: string | null; exitCode: number | null; words: string }
  /** It did not come back. */
  | { kind: 'hung'; afterMs: number }

export type Working = Extract<Outcome, { kind: 'works' }>

/** `takes 12.3 ms a training step on NVIDIA H100`, or why it does not work. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'works': {
      const { stepMs, version, deviceName } = outcome
      const pace = stepMs === null ? 'a training step takes seconds' : `a training step takes ${formatMs(stepMs)}`
      return `${version} on ${deviceName}: ${pace}`
    }
    case 'absent':
      return outcome.reason
    case 'refused':
      return `refuses to compute: ${outcome.words}`
    case 'wrong':
      return `computes wrong numbers: ${outcome.reason}`
    case 'crashed': {
      const { signal, exitCode, words } = outcome
      const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`
      return `the driver ended the process that tried it (${how})${words === '' ? '' : `: ${words}`}`
    }
    case 'hung':
      return `the driver did not answer within ${(outcome.afterMs / 1000).toFixed(0)} s and was stopped`
    default:
      return outcome satisfies never
  }
}

export function hintOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'absent' || outcome.kind === 'refused' ? outcome.hint : undefined
}

function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
