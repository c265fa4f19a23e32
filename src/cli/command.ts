// The extension point of the command line: a command is a table of options and arguments and one function. Parsing, help and
// error texts are derived; a command's function loads what it needs itself, so that no command pays for another's packages.
import type { WorkerProcess } from '../search/start-worker.ts'
import type { OptionTable, OptionValues } from './option.ts'

export interface ArgumentSpec {
  name: string
  summary: string
}

export interface CommandCall<T extends OptionTable> {
  /** One per declared argument, in order. */
  arguments: string[]
  /** What the command line says; options that were not given are absent unless the table has a default. */
  options: OptionValues<T>
  /** Names of the options that were typed. */
  given: ReadonlySet<string>
  /** Started before the arguments were parsed; only `fit` gets one. */
  worker: WorkerProcess | undefined
}

export interface Command<T extends OptionTable = OptionTable> {
  name: string
  summary: string
  arguments: readonly ArgumentSpec[]
  options: T
  /** Command lines shown at the end of the help text. */
  examples: readonly string[]
  /** @returns the exit code */
  run(call: CommandCall<T>): Promise<number>
}

/** Keeps the option table's literal types, so that `run` sees each option's own type. */
export function defineCommand<const T extends OptionTable>(command: Command<T>): Command {
  return command as unknown as Command
}
