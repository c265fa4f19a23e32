// Where a Vulkan driver can be found for tests of webgpu: named by VK_DRIVER_FILES, installed, or fetched by scripts/software-gpu.sh. The loader reads its environment when the process starts, so tests run their device code in a child with this one.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './build-cli.ts'

const PLACES = [
  join(ROOT, '.tmp/software-gpu/usr/lib/chromium/vk_swiftshader_icd.json'),
  '/usr/lib/chromium/vk_swiftshader_icd.json',
]
/** Where Linux's loader looks by itself. */
const INSTALLED = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d']

/** The child's environment, or why there is none. */
export function vulkanEnvironment(): { env: Record<string, string> } | { missing: string } {
  const named = process.env.VK_DRIVER_FILES
  const holdsDriver = (folder: string) =>
    existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.json'))
  // macOS and Windows bring their own way to the GPU.
  if (named === undefined && (process.platform !== 'linux' || INSTALLED.some(holdsDriver))) return { env: {} }
  const driver = named ?? PLACES.find((place) => existsSync(place))
  if (driver === undefined) return { missing: 'no Vulkan driver: bash scripts/software-gpu.sh fetches one' }
  // Chromium brings the loader along.
  const folder = dirname(driver)
  const paths = [existsSync(join(folder, 'libvulkan.so.1')) ? folder : '', process.env.LD_LIBRARY_PATH ?? '']
  return { env: { VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: paths.filter(Boolean).join(':') } }
}
