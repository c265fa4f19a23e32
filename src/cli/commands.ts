// Every command, in the order of the help text.
import type { Command } from './command.ts'
import { doctorCommand } from './commands/doctor.ts'
import { fitCommand } from './commands/fit.ts'
import { inspectCommand } from './commands/inspect.ts'
import { predictCommand } from './commands/predict.ts'
import { scoreCommand } from './commands/score.ts'

export const COMMANDS: readonly Command[] = [fitCommand, predictCommand, scoreCommand, inspectCommand, doctorCommand]
