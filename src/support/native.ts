// Loads CommonJS packages with native parts. `import` would first scan their loader scripts for export names (10 ms each, and
// the scan keeps a compiler thread busy for another 100); `require` does not.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** `loadNative<typeof import('@node-rs/crc32')>('@node-rs/crc32')` */
export function loadNative<Module>(name: string): Module {
  return require(name) as Module
}
