// All families, loaded when a task needs them: a table does not pay for loading convolutional networks before its first answer.
import type { Kind, TaskProfile } from '../dataset/profile.ts'
import type { Family } from './family.ts'
import { onKind } from './one-kind.ts'

type Group = () => Promise<readonly Family[]>

const linear: Group = async () => (await import('./linear/index.ts')).linearFamilies
const sparse: Group = async () => (await import('./sparse/index.ts')).sparseFamilies
const text: Group = async () => (await import('./text/index.ts')).textFamilies
const series: Group = async () => (await import('./series/index.ts')).seriesFamilies
const neighbours: Group = async () => (await import('./neighbours/index.ts')).neighbourFamilies
const trees: Group = async () => (await import('./trees/index.ts')).treeFamilies
const networks: Group = async () => (await import('./networks/index.ts')).networkFamilies

/** By kind of data, in any order: portfolios say what is tried first. */
const GROUPS: Record<Kind, readonly Group[]> = {
  image: [linear, networks],
  video: [linear, networks],
  audio: [linear, networks],
  text: [text, networks],
  series: [linear, series, neighbours, networks],
  table: [linear, sparse, trees, neighbours, networks],
}

/**
 * Families that can learn from such data.
 * @param names only these @param modules file URLs or package names whose `families` export joins in
 */
export async function loadFamilies(
  profile: TaskProfile,
  names: readonly string[] | null = null,
  modules: readonly string[] = [],
): Promise<Family[]> {
  const kinds = [...new Set([profile.kind, ...profile.kinds])]
  const own = await Promise.all(kinds.map((kind) => familiesOf(profile, kind)))
  const plugged = await Promise.all(modules.map(async (name) => (await import(name)).families as Family[]))
  const all = [...own.flat(), ...plugged.flat()]
  const wanted = names === null ? all : all.filter((family) => names.includes(family.name))
  return wanted.filter((family) => family.portfolio(profile) !== null)
}

/** Families for the matrices of one kind; a network that joins matrices sees all of them. */
async function familiesOf(profile: TaskProfile, kind: Kind): Promise<Family[]> {
  const families = (await Promise.all(GROUPS[kind].map((group) => group()))).flat()
  if (profile.kinds.every((each) => each === kind)) return families
  return families.flatMap((family) => {
    if (family.name !== 'joined-net') return [onKind(family, profile, kind)]
    return kind === profile.kind ? [family] : []
  })
}
