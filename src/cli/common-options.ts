// Options that every command has.
import type { OptionTable } from './option.ts'

export const DEBUG_OPTION = {
  debug: { kind: 'flag', summary: 'show where an error came from' },
} as const satisfies OptionTable

export const JSON_OPTION = {
  json: { kind: 'flag', summary: 'print JSON instead of text' },
} as const satisfies OptionTable
