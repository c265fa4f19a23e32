// From words to an exit code: parse, call, and turn whatever was thrown into one clear line.
import type { WorkerProcess } from '../search/start-worker.ts'
import { AutomlError, EXIT, errorMessage } from '../support/errors.ts'
import { drainOutput, say, tolerateClosedPipes } from './output.ts'
import { buildProgram } from './program.ts'

/** @returns the exit code; never rejects */
export async function runCommandLine(words: string[], worker: WorkerProcess | undefined): Promise<number> {
  tolerateClosedPipes()
  let exitCode: number = EXIT.done
  try {
    const program = buildProgram(worker, (code) => {
      exitCode = code
    })
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    exitCode = reportError(error, words)
  }
  await drainOutput()
  return exitCode
}

function reportError(error: unknown, words: string[]): number {
  if (isHelp(error)) return EXIT.done
  say(`automl: ${errorMessage(error)}`)
  if (words.includes('--debug') && error instanceof Error) say(stacks(error))
  else if (!(error instanceof AutomlError)) say('  hint: this is a fault of the program; --debug shows where')
  return error instanceof AutomlError ? error.exitCode : EXIT.failed
}

/** Commander ends `--help` and `--version` by throwing. */
function isHelp(error: unknown): boolean {
  return (
    error instanceof Error &&
    'exitCode' in error &&
    error.exitCode === 0 &&
    'code' in error &&
    String(error.code).startsWith('commander.')
  )
}

function stacks(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stacks(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
