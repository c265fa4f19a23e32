// What a repeated piece of work has to be reckoned with: its usual time while that is steady, close to its slowest lately when it is
// not, as on a machine that others load too.

export interface Cost {
  spent(ms: number): void
  expectedMs(): number
}

/** Before anything was measured. */
const UNKNOWN_MS = 60
/** Weight of the newest time in the mean, and what is left of a peak after one more. */
const NEWEST = 0.5
const PEAK_LEFT = 0.85

export function createCost(): Cost {
  let mean = UNKNOWN_MS
  let peak = 0
  return {
    spent(ms) {
      mean = (1 - NEWEST) * mean + NEWEST * ms
      peak = Math.max(ms, PEAK_LEFT * peak)
    },
    expectedMs: () => Math.max(mean, peak),
  }
}
