// The typed option table: one entry describes an option once; the parser, the help text and the keys of a configuration file
// all derive from it. Values are checked here, before any work starts: name, received value, rule, hint.
import { UsageError } from '../support/errors.ts'
import { parseDurationMs, parseSizeBytes } from '../support/units.ts'

interface OptionBase {
  /** What the option does, one line. */
  summary: string
  /** Why the default is what it is, or when to change it: for readers of the table. */
  reason?: string
}

export type OptionSpec = OptionBase &
  (
    | { kind: 'flag' }
    | { kind: 'text'; metavar: string }
    | { kind: 'path'; metavar: string }
    | { kind: 'duration'; metavar: string; default?: string }
    | { kind: 'size'; metavar: string; default?: string }
    | { kind: 'integer'; metavar: string; min: number; max?: number; default?: number }
    | { kind: 'choice'; metavar: string; choices: readonly string[]; default?: string }
    | { kind: 'list'; metavar: string }
  )

/** Option names as typed after `--`, in the order of the help text. */
export type OptionTable = Record<string, OptionSpec>

/** Milliseconds for durations, bytes for sizes, words for lists. */
export type OptionValue<S extends OptionSpec> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'duration' | 'size' | 'integer' }
    ? number
    : S extends { kind: 'choice'; choices: readonly (infer C)[] }
      ? C
      : S extends { kind: 'list' }
        ? string[]
        : string

/** Options with a default, and flags, are always there. */
export type OptionValues<T extends OptionTable> = {
  [N in keyof T as T[N] extends { default: unknown } | { kind: 'flag' } ? N : never]: OptionValue<T[N]>
} & {
  [N in keyof T as T[N] extends { default: unknown } | { kind: 'flag' } ? never : N]?: OptionValue<T[N]>
}

/** @throws UsageError naming the option, the received text and the rule */
export function parseOption(name: string, spec: OptionSpec, text: string): boolean | number | string | string[] {
  const rule = (must: string) => new UsageError(`--${name}: received ${JSON.stringify(text)}; must be ${must}`)
  switch (spec.kind) {
    case 'flag':
      if (text !== 'true' && text !== 'false') throw rule('true or false')
      return text === 'true'
    case 'duration':
      return parseDurationMs(text, `--${name}`)
    case 'size':
      return parseSizeBytes(text, `--${name}`)
    case 'integer': {
      const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
      const max = spec.max ?? Number.MAX_SAFE_INTEGER
      if (!(value >= spec.min && value <= max)) {
        throw rule(
          spec.max === undefined ? `a whole number, at least ${spec.min}` : `a whole number from ${spec.min} to ${max}`,
        )
      }
      return value
    }
    case 'choice':
      if (!spec.choices.includes(text)) throw rule(`one of ${spec.choices.join(', ')}`)
      return text
    case 'list': {
      const words = text.split(',').map((word) => word.trim())
      if (words.some((word) => word === '')) throw rule('words separated by commas')
      return words
    }
    case 'text':
    case 'path':
      if (text === '') throw rule('not empty')
      return text
    default:
      return spec satisfies never
  }
}

/** `--budget <time>` as commander and the help text write it. */
export function optionFlags(name: string, spec: OptionSpec): string {
  return spec.kind === 'flag' ? `--${name}` : `--${name} <${spec.metavar}>`
}

/** Defaults of the table as option values. */
export function optionDefaults<T extends OptionTable>(table: T): Partial<OptionValues<T>> {
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(table)) {
    if (spec.kind === 'flag') values[name] = false
    else if ('default' in spec && spec.default !== undefined)
      values[name] = parseOption(name, spec, String(spec.default))
  }
  return values as Partial<OptionValues<T>>
}
