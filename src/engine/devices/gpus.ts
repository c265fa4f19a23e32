// What the system says about GPUs without any driver being asked: enough to know whether trying one makes sense, what to call it, and
// whether it is still the same as last time. Linux tells by files; macOS and Windows always have some GPU.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listed, nvidiaNodes } from './absence.ts'

/** Where Vulkan's loader looks for drivers; `VK_DRIVER_FILES` names others. */
const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']

/** Whether anything but the processor might compute here. Takes a fraction of a millisecond. */
export function gpuIsPlausible(): boolean {
  if (process.platform !== 'linux') return true
  if (namedDrivers() !== '') return true
  return nvidiaNodes().length > 0 || listed('/dev/dri').some((name) => name.startsWith('renderD'))
}

/** Names of GPUs: NVIDIA's as their driver says them, then the files of other Vulkan drivers. */
export function gpuNames(): string[] {
  const nvidia = listed('/proc/driver/nvidia/gpus').map((id) => {
    const facts = textOf(join('/proc/driver/nvidia/gpus', id, 'information'))
    return /^Model:\s*(.*)$/m.exec(facts)?.[1] ?? 'NVIDIA GPU'
  })
  return nvidia.length > 0 ? nvidia : driverFiles().map((file) => driverName(file))
}

/** Changes when a GPU or its driver does. */
export function gpuIdentity(): string {
  const cards = listed('/sys/class/drm')
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => ['vendor', 'device'].map((fact) => textOf(`/sys/class/drm/${name}/device/${fact}`).trim()).join(':'))
  const drivers = driverFiles().map((file) => `${file} ${stampOf(file)}`)
  const facts = [namedDrivers(), process.env.LD_LIBRARY_PATH ?? '', textOf('/proc/driver/nvidia/version')]
  return [...facts, ...gpuNames(), ...cards, ...drivers].join('\n')
}

function namedDrivers(): string {
  return process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES ?? ''
}

function driverFiles(): string[] {
  const named = namedDrivers()
  if (named !== '') return named.split(':')
  return DRIVER_FOLDERS.flatMap((folder) => listed(folder).map((name) => join(folder, name)))
}

/** `vk_swiftshader_icd.json` -> `swiftshader` */
function driverName(file: string): string {
  return file
    .replace(/^.*\//, '')
    .replace(/\.json$/, '')
    .replace(/^vk_|_icd(\..*)?$/g, '')
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Size and time of a file. */
export function stampOf(file: string): string {
  try {
    const { size, mtimeMs } = statSync(file)
    return `${size} ${mtimeMs}`
  } catch {
    return 'missing'
  }
}
