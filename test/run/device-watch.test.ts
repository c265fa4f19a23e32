// What a run does when the driver of its device keeps ending workers: the deaths are played, once to the watch alone and once, by a
// learner that ends its own process, in a whole run of the real binary.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Choice } from '../../src/engine/devices/choose.ts'
import { machineKey } from '../../src/engine/devices/machine-key.ts'
import { remember } from '../../src/engine/devices/memory.ts'
import { DEFAULT_PAIR, type Pair } from '../../src/engine/devices/pair.ts'
import { createDeviceWatch } from '../../src/run/device-watch.ts'
import { fakeFamilies } from '../search/fakes/build-fakes.ts'
import { writeTable } from '../search/fakes/table-data.ts'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WEBGPU: Pair = { engine: 'onnx', device: 'webgpu' }

function watch(pair: Pair) {
  const told: string[] = []
  const choice: Choice = { pair, stepMs: 4, unknown: [], why: 'for a test' }
  return { told, devices: createDeviceWatch(choice, false, (message) => told.push(message)) }
}

describe('the watch over a device', () => {
  it('forgives one crash or hang, and gives the device up at the second', () => {
    const { told, devices } = watch(WEBGPU)
    expect(devices.onDeath('SIGSEGV')).toBe(false)
    expect([devices.pair(), devices.stepMs(), devices.fallback(), told.length]).toEqual([WEBGPU, 4, null, 0])
    expect(devices.onDeath('killed')).toBe(true)
    expect([devices.pair(), devices.stepMs()]).toEqual([DEFAULT_PAIR, null])
    const reason = '2 workers that train on onnx webgpu crashed or hung'
    expect(devices.fallback()).toEqual({ from: WEBGPU, reason })
    expect(told).toEqual([`${reason}: networks train on the processor from here on`])
    expect(devices.onDeath('SIGSEGV')).toBe(false)
    expect(told).toHaveLength(1)
  })

  it('does not blame a driver for full memory, errors of JavaScript, or what happens on the processor', () => {
    const { devices } = watch(WEBGPU)
    for (const how of ['SIGKILL, as the system does when memory runs out', 'exit code 1', 'SIGTERM']) {
      expect([devices.onDeath(how), devices.onDeath(how)]).toEqual([false, false])
    }
    expect(devices.pair()).toEqual(WEBGPU)
    const onProcessor = watch(DEFAULT_PAIR).devices
    expect([1, 2, 3].map(() => onProcessor.onDeath('SIGSEGV'))).toEqual([false, false, false])
    expect(onProcessor.fallback()).toBeNull()
  })
})

describe('a run whose driver crashes twice', () => {
  it('goes on on the processor, and its folder says so and why', async () => {
    const folder = temporaryFolder()
    const cache = join(folder, 'cache')
    const works = { kind: 'works', stepMs: 1, version: 'v', deviceName: 'd' } as const
    // So that the run takes the device without trying it first.
    remember(machineKey(), [[WEBGPU, works]], join(cache, 'automl/devices.json'))
    const out = join(folder, 'run')
    const modules = [fakeFamilies(), fakeFamilies('driver-families.ts')].join(',')
    const asked = ['--device', 'webgpu', '--families', 'fake-quick,fault-driver', '--family-modules', modules]
    const { exitCode, stderr } = await runAutoml(
      ['fit', writeTable(folder), ...asked, '--budget', '8s', '--workers', '1', '--out', out, '--ui', 'none'],
      { env: { XDG_CACHE_HOME: cache } },
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const journal = readFileSync(join(out, 'journal.jsonl'), 'utf8').split('\n').filter(Boolean)
    const events = journal.map((line) => JSON.parse(line))
    const of = (type: string) => events.filter((event) => event.type === type)

    const reason = '2 workers that train on onnx webgpu crashed or hung'
    const [first, second, ...more] = of('device')
    expect(first).toMatchObject({ engine: 'onnx', device: 'webgpu' })
    expect(first.reason).toBeUndefined()
    expect(second).toMatchObject({ engine: 'onnx', device: 'cpu', reason })
    expect(more).toEqual([])
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({
      engine: 'onnx',
      device: 'cpu',
      fallback: { from: WEBGPU, reason },
      options: { device: 'webgpu' },
    })

    const died = of('trial-end').filter(({ status }) => status === 'failed')
    expect(died.map(({ reason: why }) => why)).toEqual([1, 2].map(() => expect.stringContaining('SIGSEGV')))
    expect(of('slice').filter(({ note }) => note === 'trained on onnx cpu')).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ type: 'end', status: 'done' })
  })
})
