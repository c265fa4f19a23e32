// What a run was made with.
import { createRequire } from 'node:module'

export const RUN_VERSION = readVersion()

/** Versions of the packages that decide about numbers. */
export function usedPackages(): Record<string, string> {
  const require = createRequire(import.meta.url)
  const versions: Record<string, string> = {}
  for (const name of ['onnxruntime-node', '@napi-rs/image', 'apache-arrow']) {
    try {
      versions[name] = require(`${name}/package.json`).version
    } catch {
      versions[name] = 'unknown'
    }
  }
  return versions
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
