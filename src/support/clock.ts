// The only source of time: injected, so that algorithms can be run under a counted clock in tests.

export interface Clock {
  /** Milliseconds since the run's time zero (process start), monotonic. */
  elapsedMs(): number
  /** Unix time of time zero, milliseconds. */
  readonly originUnixMs: number
}

/** Time zero is this process's own start, as the budget contract says. */
export function processClock(): Clock {
  return clockFrom(performance.timeOrigin)
}

/** A clock whose time zero is the given unix time: workers share their parent's. */
export function clockFrom(originUnixMs: number): Clock {
  const shift = performance.timeOrigin - originUnixMs
  return { elapsedMs: () => performance.now() + shift, originUnixMs }
}
