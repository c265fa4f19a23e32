// Where the programs of child processes lie: the build puts every process entry into one folder, and code that they share into its
// folder chunks/.
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @param url import.meta.url of the code that asks: an entry, or a chunk */
export function bundleEntry(file: string, url: string): string {
  const folder = dirname(fileURLToPath(url))
  return join(basename(folder) === 'chunks' ? dirname(folder) : folder, file)
}
