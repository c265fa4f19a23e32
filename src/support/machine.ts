// What this process may use of the machine: cores and memory as the system counts them, or less where a control group (a container,
// a batch system) limits them. Node does not see quotas of processor time, and counts free memory of the whole host. Read from
// /sys/fs/cgroup, versions 1 and 2, the process's own group and those above it; pages of files in a group's memory count as free,
// since the kernel gives them up first.
import { readFileSync } from 'node:fs'
import { availableParallelism, freemem, totalmem } from 'node:os'

/** What a test puts in place of this machine. */
export interface MachineReader {
  /** Null where there is no such file. */
  read(path: string): string | null
  threads(): number
  freeBytes(): number
  totalBytes(): number
  /** As Node finds it; 0 or something huge where there is no limit. */
  constrainedBytes(): number
}

export const THIS_MACHINE: MachineReader = {
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return null
    }
  },
  threads: availableParallelism,
  freeBytes: freemem,
  totalBytes: totalmem,
  // Since Node 19.6, but not in every runtime that calls itself Node.
  constrainedBytes: () => process.constrainedMemory?.() ?? 0,
}

const ROOT = '/sys/fs/cgroup'

/** At least 1. A quota of one and a half cores is two threads: they share it, and one would leave a third unused. */
export function usableThreads(machine: MachineReader = THIS_MACHINE): number {
  const quotas = [
    ...groupFolders(machine, '').map((folder) => cpuMaxCores(machine.read(`${folder}/cpu.max`))),
    ...['cpu', 'cpu,cpuacct'].flatMap((controller) =>
      groupFolders(machine, controller).map((folder) =>
        cfsCores(machine.read(`${folder}/cpu.cfs_quota_us`), machine.read(`${folder}/cpu.cfs_period_us`)),
      ),
    ),
  ]
  return Math.max(1, Math.min(machine.threads(), ...quotas.map(Math.ceil)))
}

/** Free for this process, bytes. */
export function usableMemory(machine: MachineReader = THIS_MACHINE): number {
  const rooms = memoryGroups(machine).map(({ limit, used, pages }) => limit - Math.max(0, used - pages))
  const limit = memoryLimitOfGroup(machine) ?? Number.POSITIVE_INFINITY
  return Math.max(0, Math.min(machine.freeBytes(), limit, ...rooms))
}

/** What a control group limits the memory of this process to, bytes; null: nothing below the machine's own. */
export function memoryLimitOfGroup(machine: MachineReader = THIS_MACHINE): number | null {
  const limits = [machine.constrainedBytes(), ...memoryGroups(machine).map(({ limit }) => limit)]
  const least = Math.min(...limits.filter((limit) => limit > 0))
  return least < machine.totalBytes() ? least : null
}

/** `cpu.max` of version 2, `<quota> <period>` or `max <period>`, as cores. */
export function cpuMaxCores(text: string | null): number {
  const [quota, period = '100000'] = (text ?? 'max').trim().split(/\s+/)
  return cfsCores(quota, period)
}

/** Quota and period of version 1, microseconds, as cores; infinite where there is no quota (-1, `max`, no file). */
export function cfsCores(quota: string | null, period: string | null): number {
  const cores = Number(quota) / Number(period)
  return cores > 0 ? cores : Number.POSITIVE_INFINITY
}

interface MemoryGroup {
  limit: number
  used: number
  /** Of `used`, pages of files. */
  pages: number
}

/** Groups that limit memory. */
function memoryGroups(machine: MachineReader): MemoryGroup[] {
  const groups = [
    ...groupFolders(machine, '').map((folder) => ({ folder, limit: 'memory.max', used: 'memory.current' })),
    ...groupFolders(machine, 'memory').map((folder) => {
      return { folder, limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes' }
    }),
  ]
  return groups.flatMap(({ folder, limit, used }) => {
    const bytes = Number(machine.read(`${folder}/${limit}`) ?? Number.NaN)
    if (!(bytes > 0 && bytes < machine.totalBytes())) return []
    const pages = pagesOfFiles(machine.read(`${folder}/memory.stat`) ?? '')
    return [{ limit: bytes, used: Number(machine.read(`${folder}/${used}`) ?? 0), pages }]
  })
}

/** Of `memory.stat`. Version 1 counts groups below in the lines with `total_`. */
function pagesOfFiles(stat: string): number {
  const counts = new Map(stat.split('\n').map((line) => line.split(' ') as [string, string]))
  const count = (name: string) => Number(counts.get(`total_${name}`) ?? counts.get(name) ?? 0)
  return count('inactive_file') + count('active_file')
}

/**
 * Of the process's group and of all above it. In a container the path is often one of the host that is not there to be read; the
 * root then is the container's own group.
 * @param controller of version 1, as its folder is called; '' for version 2
 */
function groupFolders(machine: MachineReader, controller: string): string[] {
  const root = controller === '' ? ROOT : `${ROOT}/${controller}`
  const lines = (machine.read('/proc/self/cgroup') ?? '').split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const path = lines.find((line) => line !== null && line[1] === controller)?.[2] ?? '/'
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  return [...parts.keys(), parts.length].map((depth) => [root, ...parts.slice(0, depth)].join('/'))
}
