// Chooses the reporter: `auto` is the ink view where a person watches a terminal, plain lines everywhere else.
import { inkReporter } from './ink-reporter.ts'
import { jsonReporter } from './json-reporter.ts'
import { plainReporter } from './plain-reporter.ts'
import type { Reporter } from './reporter.ts'
import { silentReporter } from './silent-reporter.ts'

export type UiName = 'auto' | 'ink' | 'plain' | 'json' | 'none'

export function createReporter(name: UiName): Reporter {
  switch (name) {
    case 'auto':
      return createReporter(isWatched() ? 'ink' : 'plain')
    case 'ink':
      return inkReporter(process.stderr)
    case 'plain':
      return plainReporter((line) => process.stderr.write(`${line}\n`))
    case 'json':
      return jsonReporter((line) => process.stdout.write(`${line}\n`))
    case 'none':
      return silentReporter()
    default:
      return name satisfies never
  }
}

/** Both streams on a terminal that can move its cursor, and no CI log. */
function isWatched(): boolean {
  const { env } = process
  return Boolean(process.stdout.isTTY && process.stderr.isTTY) && env.TERM !== 'dumb' && (env.CI ?? 'false') === 'false'
}
