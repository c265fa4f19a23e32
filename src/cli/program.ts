// Builds the parser from the commands' tables. Commander splits words into options and arguments; values are checked by the
// table, so that all messages read alike.
import { type CommanderError, Command as Parser } from 'commander'
import type { WorkerProcess } from '../search/start-worker.ts'
import { UsageError } from '../support/errors.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { type OptionValues, optionDefaults, optionFlags, parseOption } from './option.ts'
import { packageVersion } from './package-root.ts'

/** @param onExitCode receives the exit code of the command that ran */
export function buildProgram(worker: WorkerProcess | undefined, onExitCode: (code: number) => void): Parser {
  const program = new Parser('automl')
    .description(
      'A self-tuning learner: give it a dataset it has never seen, get ever better models within a time budget.',
    )
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
  for (const command of COMMANDS) addCommand(program, command, worker, onExitCode)
  program.addHelpText('after', '\nautoml <command> --help says more about a command.')
  for (const parser of [program, ...program.commands]) {
    parser
      .configureOutput({
        outputError: () => {},
        writeErr: () => {},
        getOutHelpWidth: () => 100,
        getErrHelpWidth: () => 100,
      })
      .exitOverride(throwUsage)
  }
  return program
}

function addCommand(
  program: Parser,
  command: Command,
  worker: WorkerProcess | undefined,
  onExitCode: (code: number) => void,
): void {
  const parser = program.command(command.name).description(command.summary).helpOption('-h, --help', 'print this help')
  for (const argument of command.arguments) parser.argument(`<${argument.name}>`, argument.summary)
  for (const [name, spec] of Object.entries(command.options)) {
    const fallback = 'default' in spec && spec.default !== undefined ? ` (default: ${spec.default})` : ''
    parser.option(optionFlags(name, spec), spec.summary + fallback)
  }
  parser.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`)
  parser.action(async (...received: unknown[]) => {
    const typed = parser.opts() as Record<string, string | true>
    onExitCode(
      await command.run({
        arguments: received.slice(0, command.arguments.length) as string[],
        options: checkedOptions(command, typed),
        given: new Set(Object.keys(command.options).filter((name) => typed[attribute(name)] !== undefined)),
        worker,
      }),
    )
  })
}

function checkedOptions(command: Command, typed: Record<string, string | true>): OptionValues<Command['options']> {
  const values: Record<string, unknown> = optionDefaults(command.options)
  for (const [name, spec] of Object.entries(command.options)) {
    const text = typed[attribute(name)]
    if (text !== undefined) values[name] = parseOption(name, spec, text === true ? 'true' : text)
  }
  return values as OptionValues<Command['options']>
}

/** `slice-steps` -> `sliceSteps`, commander's key for it. */
function attribute(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Commander's complaints as ours: one line, then a hint. Help and version pass through. */
function throwUsage(error: CommanderError): never {
  if (error.exitCode === 0) throw error
  if (error.code === 'commander.help') {
    throw new UsageError(
      'no command given',
      `commands: ${COMMANDS.map((command) => command.name).join(', ')}; automl --help`,
    )
  }
  const [message, suggestion] = error.message.replace(/^error: /, '').split('\n')
  throw new UsageError(
    message,
    suggestion?.replace(/^\(|\)$/g, '') ?? 'automl --help lists the commands and their options',
  )
}
