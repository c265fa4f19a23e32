// Results kept one file each, so that a bench of hours goes on where it was stopped: what has a file is not measured again.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The result in `folder`/`name`.json, or what `measure` gives, kept there. */
export async function kept<T>(folder: string, name: string, measure: () => T | Promise<T>): Promise<T> {
  const path = join(folder, `${name.replaceAll(/[^\w.-]+/g, '-')}.json`)
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as T
  const result = await measure()
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.part`, JSON.stringify(result, null, 1))
  renameSync(`${path}.part`, path)
  return result
}
