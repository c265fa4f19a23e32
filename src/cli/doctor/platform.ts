// The machine: processor, threads, memory, versions.
import { existsSync, readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { memoryLimitOfGroup, usableMemory, usableThreads } from '../../support/machine.ts'
import { formatSize } from '../../support/units.ts'
import { packageVersion } from '../package-root.ts'
import type { Finding } from './finding.ts'

const LEAST_NODE = 20
const LEAST_MEMORY = 1e9

export interface Platform {
  automl: string
  node: string
  system: string
  processor: string
  /** Vector extensions that decide the speed of matrix products; empty where the system does not tell. */
  extensions: string[]
  /** That may run at once, a container's quota being counted. */
  threads: number
  memoryBytes: number
  /** For this process: within the container's limit. */
  freeBytes: number
  /** Limit that a container sets, if it does. */
  limitBytes: number | null
}

export function describePlatform(): Platform {
  return {
    automl: packageVersion(),
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    extensions: vectorExtensions(),
    threads: usableThreads(),
    memoryBytes: totalmem(),
    freeBytes: usableMemory(),
    limitBytes: memoryLimitOfGroup(),
  }
}

export function platformFindings(platform: Platform): Finding[] {
  const nodeIsNewEnough = Number(platform.node.split('.')[0]) >= LEAST_NODE
  const limit = platform.limitBytes === null ? '' : `, limited to ${formatSize(platform.limitBytes)}`
  return [
    {
      area: 'platform',
      name: 'node',
      status: nodeIsNewEnough ? 'works' : 'broken',
      detail: `${platform.node} on ${platform.system}`,
      ...(nodeIsNewEnough ? {} : { hint: `install Node.js ${LEAST_NODE} or newer` }),
    },
    {
      area: 'platform',
      name: 'processor',
      status: 'works',
      detail: `${platform.processor}, ${platform.threads} threads${platform.extensions.length > 0 ? `, ${platform.extensions.join(' ')}` : ''}`,
    },
    {
      area: 'platform',
      name: 'memory',
      status: platform.freeBytes >= LEAST_MEMORY ? 'works' : 'broken',
      detail: `${formatSize(platform.freeBytes)} free of ${formatSize(platform.memoryBytes)}${limit}`,
      ...(platform.freeBytes >= LEAST_MEMORY
        ? {}
        : { hint: `free some memory: less than ${formatSize(LEAST_MEMORY)} is tight for most datasets` }),
    },
  ]
}

function vectorExtensions(): string[] {
  if (!existsSync('/proc/cpuinfo')) return []
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? []
  return ['sse4_2', 'avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'amx_tile', 'asimd', 'sve'].filter((name) =>
    flags.includes(name),
  )
}
