// `--ui none`: nothing is shown.
import type { Reporter } from './reporter.ts'

export function silentReporter(): Reporter {
  return { onEvent() {}, async close() {} }
}
