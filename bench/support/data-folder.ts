// The datasets of a folder: its folders `<name>` that hold `<name>.data` and `<name>.solution`.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** @param only names to keep; undefined: all */
export function datasetsIn(folder: string, only: string | undefined): string[] {
  const wanted = only?.split(',')
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, `${entry.name}.solution`)))
    .map((entry) => entry.name)
  for (const name of wanted ?? []) if (!names.includes(name)) throw new Error(`${folder}: has no dataset ${name}`)
  return names.filter((name) => wanted === undefined || wanted.includes(name)).sort()
}
