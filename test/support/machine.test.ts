// What a process may use, on machines that are described by their files.
import { describe, expect, it } from 'vitest'
import { availableThreads, memoryLimit } from '../../src/run/resources.ts'
import {
  cfsCores,
  cpuMaxCores,
  type MachineReader,
  memoryLimitOfGroup,
  THIS_MACHINE,
  usableMemory,
  usableThreads,
} from '../../src/support/machine.ts'

const NO_LIMIT_V1 = '9223372036854771712\n'

/** Eight cores and 64 GB, half of them free. */
function machine(files: Record<string, string> = {}, over: Partial<MachineReader> = {}): MachineReader {
  return {
    read: (path) => files[path] ?? null,
    threads: () => 8,
    freeBytes: () => 32e9,
    totalBytes: () => 64e9,
    constrainedBytes: () => 0,
    ...over,
  }
}

const v2 = (files: Record<string, string>, group = '/') =>
  machine({
    '/proc/self/cgroup': `0::${group}\n`,
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`/sys/fs/cgroup/${name}`, text])),
  })
const v1 = (files: Record<string, string>) =>
  machine({
    // As docker shows it: paths of the host, which are not there inside.
    '/proc/self/cgroup': '4:memory:/docker/45dc\n2:cpu,cpuacct:/docker/45dc\n',
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`/sys/fs/cgroup/${name}`, text])),
  })

describe('cores', () => {
  it.each([
    ['150000 100000\n', 1.5],
    ['50000 100000', 0.5],
    ['200000', 2],
    ['max 100000\n', Number.POSITIVE_INFINITY],
    ['', Number.POSITIVE_INFINITY],
    [null, Number.POSITIVE_INFINITY],
  ])('of cpu.max %j are %d', (text, cores) => {
    expect(cpuMaxCores(text)).toBe(cores)
  })

  it.each([
    ['250000\n', '100000\n', 2.5],
    ['-1\n', '100000\n', Number.POSITIVE_INFINITY],
    [null, null, Number.POSITIVE_INFINITY],
  ])('of quota %j and period %j are %d', (quota, period, cores) => {
    expect(cfsCores(quota, period)).toBe(cores)
  })
})

describe('threads', () => {
  it.each<[string, MachineReader, number]>([
    ['all cores where there are no control groups', machine(), 8],
    ['all cores where nothing is limited', v2({ 'cpu.max': 'max 100000\n' }), 8],
    ['the quota, rounded up', v2({ 'cpu.max': '250000 100000\n' }), 3],
    ['at least one', v2({ 'cpu.max': '1000 100000\n' }), 1],
    ['never more than there are cores', v2({ 'cpu.max': '6400000 100000\n' }), 8],
    ["the quota of the process's own group", v2({ 'a/b/cpu.max': '200000 100000\n', 'cpu.max': 'max' }, '/a/b'), 2],
    ['the quota of a group above', v2({ 'a/b/cpu.max': 'max 100000\n', 'a/cpu.max': '400000 100000\n' }, '/a/b'), 4],
    ['version 1', v1({ 'cpu,cpuacct/cpu.cfs_quota_us': '200000', 'cpu,cpuacct/cpu.cfs_period_us': '100000' }), 2],
    ['version 1 without a quota', v1({ 'cpu/cpu.cfs_quota_us': '-1', 'cpu/cpu.cfs_period_us': '100000' }), 8],
  ])('%s', (_, around, threads) => {
    expect(usableThreads(around)).toBe(threads)
    expect(availableThreads({ threads: null }, around)).toBe(threads)
    expect(availableThreads({ threads: 5 }, around)).toBe(5)
  })
})

describe('memory', () => {
  const stat = (pages: number) => `anon 1000\ninactive_file ${pages / 2}\nactive_file ${pages / 2}\n`

  it.each<[string, MachineReader, number | null, number]>([
    ["the machine's where nothing is limited", v2({ 'memory.max': 'max\n' }), null, 32e9],
    ['no limit that is beyond the machine', v1({ 'memory/memory.limit_in_bytes': NO_LIMIT_V1 }), null, 32e9],
    ['what the group has left', v2({ 'memory.max': '8000000000\n', 'memory.current': '3000000000\n' }), 8e9, 5e9],
    [
      'pages of files counting as free',
      v2({ 'memory.max': '8000000000', 'memory.current': '8000000000', 'memory.stat': stat(6e9) }),
      8e9,
      6e9,
    ],
    ['the least of all groups', v2({ 'a/memory.max': '4000000000', 'memory.max': '2000000000' }, '/a'), 2e9, 2e9],
    [
      'version 1, whose totals count',
      v1({
        'memory/memory.limit_in_bytes': '4000000000',
        'memory/memory.usage_in_bytes': '3000000000',
        'memory/memory.stat': 'inactive_file 7\ntotal_inactive_file 1000000000\ntotal_active_file 0\n',
      }),
      4e9,
      2e9,
    ],
    ['what Node finds', machine({}, { constrainedBytes: () => 6e9 }), 6e9, 6e9],
    ['not what Node says where it finds nothing', machine({}, { constrainedBytes: () => 2 ** 64 }), null, 32e9],
    ['what is free where that is less', machine({}, { constrainedBytes: () => 6e9, freeBytes: () => 1e9 }), 6e9, 1e9],
  ])('%s', (_, around, limit, free) => {
    expect(memoryLimitOfGroup(around)).toBe(limit)
    expect(usableMemory(around)).toBe(free)
  })

  it('of a run is a share of what its container has', () => {
    const container = v2({ 'memory.max': '8000000000', 'memory.current': '1000000000' })
    expect(memoryLimit({ memoryBytes: null }, machine())).toBe(24e9)
    expect(memoryLimit({ memoryBytes: null }, container)).toBe(4e9)
    expect(memoryLimit({ memoryBytes: null }, v2({ 'memory.max': '500000000' }))).toBe(5e8)
    expect(memoryLimit({ memoryBytes: 7e9 }, container)).toBe(7e9)
  })
})

it('this machine has threads and memory, and no more than the system says', () => {
  expect(usableThreads()).toBeGreaterThanOrEqual(1)
  expect(usableThreads()).toBeLessThanOrEqual(THIS_MACHINE.threads())
  expect(usableMemory()).toBeGreaterThan(0)
  expect(usableMemory()).toBeLessThanOrEqual(1.1 * THIS_MACHINE.freeBytes())
})
