// The command line as users run it, built from the sources as they are now. Test processes share a build: its folder is named after
// what was built.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

let built: string | null = null

/** @returns the entry file */
export function builtCli(): string {
  built ??= build()
  return built
}

function build(): string {
  const folder = join('.tmp/test-build', fingerprint())
  const entry = join(ROOT, folder, 'cli.js')
  if (!existsSync(entry)) {
    execFileSync(process.execPath, ['scripts/build.js', folder], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  return entry
}

function fingerprint(): string {
  const hash = createHash('sha1')
  const files = ['src', 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  for (const file of files.filter((name) => /\.[jt]sx?$/.test(name)).sort()) {
    hash.update(file).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex').slice(0, 12)
}
