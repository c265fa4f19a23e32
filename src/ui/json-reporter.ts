// `--ui json`: each event as one line of JSON with its version `v` and time `t` (milliseconds since process start).
import type { Reporter } from './reporter.ts'

export function jsonReporter(write: (line: string) => void): Reporter {
  return {
    onEvent(event) {
      const { v, t, ...rest } = event
      write(JSON.stringify({ v, t, ...rest }))
    },
    async close() {},
  }
}
