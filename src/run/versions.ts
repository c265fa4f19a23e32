// What a run was made with.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

export const RUN_VERSION = readVersion()

/** Versions of the packages that decide about numbers. */
export function usedPackages(): Record<string, string> {
  const names = ['onnxruntime-node', '@napi-rs/image', 'apache-arrow']
  return Object.fromEntries(names.map((name) => [name, installedVersion(name)]))
}

/** Read as a file: `require` gives only what a package exports, and not every one exports its package.json. */
function installedVersion(name: string): string {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version
    } catch {
      // One folder up.
    }
  }
  return 'unknown'
}

/** From this package's own package.json, which lies above the sources as above the bundle. */
function readVersion(): string {
  const require = createRequire(import.meta.url)
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = require(path)
      if (name === 'automl') return version
    } catch {
      // One level up.
    }
  }
  return 'unknown'
}
