// Options from files: a preset (configs/<name>.json) and a configuration file (`--config`). Keys are option names; values are
// written as on the command line, or as JSON numbers, booleans and lists. The command line wins over the file, the file over the preset.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../support/errors.ts'
import { type OptionTable, type OptionValues, parseOption } from './option.ts'
import { packageRoot } from './package-root.ts'

/** Options that say where to read options, and the one that no file should switch on. */
const NOT_IN_FILES = new Set(['config', 'preset', 'debug'])

/** @throws UsageError naming file, key, value and rule */
export function readConfiguration<T extends OptionTable>(path: string, table: T): Partial<OptionValues<T>> {
  let entries: unknown
  try {
    entries = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const reason =
      cause instanceof SyntaxError ? `not JSON: ${cause.message}` : `cannot be read: ${(cause as Error).message}`
    throw new UsageError(`${path}: ${reason}`, 'a configuration file is a JSON object such as {"budget": "60s"}')
  }
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
    throw new UsageError(`${path}: must be a JSON object whose keys are option names`)
  }
  const values: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(entries)) {
    const spec = table[key]
    if (spec === undefined || NOT_IN_FILES.has(key)) {
      const known = Object.keys(table).filter((name) => !NOT_IN_FILES.has(name))
      throw new UsageError(`${path}: unknown key ${JSON.stringify(key)}`, `known keys: ${known.join(', ')}`)
    }
    values[key] = parseEntry(path, key, spec, value)
  }
  return values as Partial<OptionValues<T>>
}

function parseEntry(path: string, key: string, spec: OptionTable[string], value: unknown): unknown {
  const text = Array.isArray(value) ? value.join(',') : value
  if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean') {
    throw new UsageError(
      `${path}: key ${key}: received ${JSON.stringify(value)}; must be text, a number, true, false or a list`,
    )
  }
  try {
    return parseOption(key, spec, String(text))
  } catch (cause) {
    throw cause instanceof UsageError ? new UsageError(`${path}: ${cause.message}`, cause.hint) : cause
  }
}

/** @throws UsageError naming the presets there are */
export function presetPath(name: string): string {
  const folder = join(packageRoot(), 'configs')
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
  if (!names.includes(name)) {
    throw new UsageError(`--preset: received ${JSON.stringify(name)}; must be one of ${names.join(', ')}`)
  }
  return join(folder, `${name}.json`)
}
