// Finding out what works here, and choosing from it: drivers that hang or crash are played by programs in fake-probes/.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { choose, chooseAtOnce, fastest, learn, type Surroundings } from '../../src/engine/devices/choose.ts'
import { machineKey } from '../../src/engine/devices/machine-key.ts'
import { recall, remember } from '../../src/engine/devices/memory.ts'
import { describeOutcome, hintOf, type Outcome } from '../../src/engine/devices/outcome.ts'
import { type Pair, pairName } from '../../src/engine/devices/pair.ts'
import { probeDevice } from '../../src/engine/devices/probe.ts'
import { tryPair } from '../../src/engine/devices/try-pair.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
const CPU: Pair = { engine: 'onnx', device: 'cpu' }
const WEBGPU: Pair = { engine: 'onnx', device: 'webgpu' }
const fake = (name: string) => join(import.meta.dirname, 'fake-probes', `${name}.mjs`)
const works = (stepMs: number | null): Outcome => ({ kind: 'works', stepMs, version: 'v', deviceName: 'd' })

describe('a probe', () => {
  it('of a driver that hangs ends at its limit', async () => {
    const started = performance.now()
    const outcome = await probeDevice(WEBGPU, { entry: fake('hangs'), limitMs: 1500 })
    expect(outcome.kind).toBe('hung')
    expect(performance.now() - started).toBeLessThan(6000)
    expect(describeOutcome(outcome)).toBe('the driver did not answer within 2 s and was stopped')
  })

  it('of a driver that crashes names the signal and its last words', async () => {
    const outcome = await probeDevice(WEBGPU, { entry: fake('crashes') })
    expect(outcome).toEqual({ kind: 'crashed', signal: 'SIGSEGV', exitCode: null, words: 'the driver lost its device' })
    expect(describeOutcome(outcome)).toMatch(/ended the process that tried it \(signal SIGSEGV\): the driver lost/)
  })

  it('of a driver that ends the process names the exit code', async () => {
    const outcome = await probeDevice(WEBGPU, { entry: fake('exits') })
    expect(outcome).toMatchObject({ kind: 'crashed', signal: null, exitCode: 3 })
  })

  it('puts a refusal in words, with what helps', async () => {
    const outcome = await probeDevice(WEBGPU, { entry: fake('refuses') })
    expect(outcome.kind).toBe('absent')
    expect(describeOutcome(outcome)).toContain('there is no Vulkan loader')
    expect(hintOf(outcome)).toContain('apt-get install libvulkan1')
  })

  it('counts a device whose numbers are right as working, however slow', async () => {
    const outcome = await probeDevice(WEBGPU, { entry: fake('slow'), limitMs: 1500 })
    expect(outcome).toMatchObject({ kind: 'works', stepMs: null })
  })

  it('does not mind a crash after the answer', async () => {
    expect(await probeDevice(WEBGPU, { entry: fake('dies-after-answer') })).toMatchObject({ kind: 'works', stepMs: 2 })
  })

  it('starts nothing for a device of another system', async () => {
    const other: Pair = { engine: 'onnx', device: process.platform === 'darwin' ? 'dml' : 'coreml' }
    const outcome = await probeDevice(other, { entry: join(folder, 'not-there.mjs') })
    expect(outcome.kind).toBe('absent')
  })

  it('times a training step of the processor', async () => {
    const seen: Outcome[] = []
    const outcome = await tryPair(CPU, (soFar) => seen.push(soFar))
    expect(seen).toMatchObject([{ kind: 'works', stepMs: null }])
    expect(outcome).toMatchObject({ kind: 'works', version: expect.stringMatching(/^onnxruntime \d/) })
    expect((outcome as { stepMs: number }).stepMs).toBeGreaterThan(0)
  })
})

let files = 0
/** A machine with the pairs given, whose probes say what is written here and are counted. */
function machine(pairs: readonly Pair[], outcomes: Record<string, Outcome>) {
  const probed: string[] = []
  const names = new Set(pairs.map(pairName))
  const around: Surroundings = {
    gpuIsPlausible: () => pairs.length > 1,
    absenceOf: (pair) => (names.has(pairName(pair)) ? null : { kind: 'absent', reason: 'not on this machine' }),
    machineKey: () => 'key',
    memoryPath: join(folder, `memory-${files++}.json`),
    async probe(pair) {
      probed.push(pairName(pair))
      return outcomes[pairName(pair)] ?? { kind: 'absent', reason: 'not on this machine' }
    },
  }
  return { around, probed }
}

const AUTO = { engine: 'auto', device: 'auto' } as const

describe('auto', () => {
  it('takes the processor without a probe or a file where nothing else is plausible', () => {
    const { around, probed } = machine([CPU], {})
    expect(chooseAtOnce(AUTO, around)).toMatchObject({ pair: CPU, unknown: [] })
    expect(probed).toEqual([])
    expect(existsSync(around.memoryPath)).toBe(false)
  })

  it('starts on the processor while a device is unknown, and takes it once it was learned to be faster', async () => {
    const { around, probed } = machine([CPU, WEBGPU], { 'onnx cpu': works(40), 'onnx webgpu': works(4) })
    const first = chooseAtOnce(AUTO, around)
    expect(first).toMatchObject({ pair: CPU, stepMs: null, unknown: [CPU, WEBGPU] })
    await learn(first.unknown, new AbortController().signal, around)
    expect(probed).toEqual(['onnx cpu', 'onnx webgpu'])
    expect(chooseAtOnce(AUTO, around)).toMatchObject({ pair: WEBGPU, stepMs: 4, unknown: [] })
    expect(chooseAtOnce({ engine: 'auto', device: 'cpu' }, around).pair).toEqual(CPU)
  })

  it('stays on the processor when the device hung, is slower, or has no time', async () => {
    for (const outcome of [{ kind: 'hung', afterMs: 1 } as const, works(400), works(null)]) {
      const { around } = machine([CPU, WEBGPU], { 'onnx cpu': works(40), 'onnx webgpu': outcome })
      await learn([CPU, WEBGPU], new AbortController().signal, around)
      expect(chooseAtOnce(AUTO, around)).toMatchObject({ pair: CPU, unknown: [] })
    }
  })

  it('remembers nothing of a probe that the run ended', async () => {
    const { around } = machine([CPU, WEBGPU], { 'onnx cpu': works(40) })
    const over = new AbortController()
    over.abort()
    await learn([CPU, WEBGPU], over.signal, around)
    expect(recall('key', around.memoryPath)).toEqual({})
  })

  it('knows the fastest of several, and none of none', () => {
    const outcomes = { 'onnx cpu': works(3), 'onnx webgpu': works(2) }
    expect(fastest([CPU, WEBGPU], outcomes)).toEqual(WEBGPU)
    expect(fastest([WEBGPU], {})).toBeNull()
  })
})

describe('a device asked for by name', () => {
  it('is probed once and then remembered', async () => {
    const { around, probed } = machine([CPU, WEBGPU], { 'onnx webgpu': works(9) })
    expect(await choose({ engine: 'auto', device: 'webgpu' }, around)).toMatchObject({ pair: WEBGPU, stepMs: 9 })
    expect((await choose({ engine: 'onnx', device: 'webgpu' }, around)).pair).toEqual(WEBGPU)
    expect(probed).toEqual(['onnx webgpu'])
  })

  it('is an error with reason and hint where it does not work, and tried again the next time', async () => {
    const absent: Outcome = { kind: 'absent', reason: 'there is no such GPU', hint: 'buy one' }
    const { around, probed } = machine([CPU, WEBGPU], { 'onnx webgpu': absent })
    const asked = { engine: 'auto', device: 'webgpu' } as const
    const expected = { code: 'ENGINE', exitCode: 1, hint: 'buy one', message: expect.stringMatching(/no such GPU/) }
    await expect(choose(asked, around)).rejects.toMatchObject(expected)
    await expect(choose(asked, around)).rejects.toMatchObject(expected)
    expect(probed).toHaveLength(2)
  })

  it('that the engine has on no machine is wrong usage', async () => {
    const { around } = machine([CPU], {})
    const asked = { engine: 'tfjs', device: 'webgpu' } as const
    await expect(choose(asked, around)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 })
  })
})

describe('the memory of probes', () => {
  it('keeps machines apart, and the newest few', () => {
    const path = join(folder, 'machines.json')
    for (let i = 0; i < 10; i++) expect(remember(`key ${i}`, [[CPU, works(i + 1)]], path)).toBe(true)
    expect(recall('key 9', path)).toEqual({ 'onnx cpu': works(10) })
    expect(recall('key 1', path)).toEqual({})
    remember('key 9', [[WEBGPU, works(1)]], path)
    expect(Object.keys(recall('key 9', path))).toEqual(['onnx cpu', 'onnx webgpu'])
  })

  it.each([
    ['torn', '{"v": 1, "mach'],
    ['of another version', '{"v": 2, "machines": []}'],
    ['with nonsense in it', '{"v": 1, "machines": [{"key": "key", "outcomes": {"onnx cpu": {"kind": "sings"}}}]}'],
    ['of another shape', '[]'],
  ])('that is %s is as good as none, and is written anew', (_, text) => {
    const path = join(folder, `bad-${files++}.json`)
    writeFileSync(path, text)
    expect(recall('key', path)).toEqual({})
    expect(remember('key', [[CPU, works(5)]], path)).toBe(true)
    expect(JSON.parse(readFileSync(path, 'utf8')).machines).toHaveLength(1)
  })

  it('that cannot be written is done without', () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    expect(remember('key', [[CPU, works(5)]], join(file, 'automl/devices.json'))).toBe(false)
  })

  it('belongs to a driver: another one gives another key', () => {
    const before = machineKey()
    expect(machineKey()).toBe(before)
    const drivers = join(folder, 'drivers')
    mkdirSync(drivers)
    writeFileSync(join(drivers, 'vk_some_icd.json'), '{}')
    const kept = process.env.VK_DRIVER_FILES
    process.env.VK_DRIVER_FILES = join(drivers, 'vk_some_icd.json')
    const other = machineKey()
    writeFileSync(join(drivers, 'vk_some_icd.json'), '{"updated": true}')
    const updated = machineKey()
    if (kept === undefined) delete process.env.VK_DRIVER_FILES
    else process.env.VK_DRIVER_FILES = kept
    expect(new Set([before, other, updated]).size).toBe(3)
  })
})
