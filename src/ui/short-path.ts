// A path as a person would type it here: relative where that is shorter.
import { relative } from 'node:path'

export function shortPath(path: string): string {
  const fromHere = relative('', path)
  return fromHere !== '' && fromHere.length < path.length ? fromHere : path
}
