// What engines and drivers say when they refuse, in a person's words, with the command that helps where there is one.
import type { Outcome } from './outcome.ts'
import type { Pair } from './pair.ts'

type Refusal = Extract<Outcome, { kind: 'absent' | 'refused' }>

interface Saying {
  pattern: RegExp
  reason: string
  hint?: string
}

const VULKAN_DRIVER = "install the driver of the GPU's maker, or name one by VK_DRIVER_FILES"

const SAYINGS: Readonly<Record<string, readonly Saying[]>> = {
  webgpu: [
    {
      pattern: /load Vulkan|libvulkan/,
      reason: 'there is no Vulkan loader (libvulkan.so.1), which webgpu reaches GPUs through on Linux',
      hint: "apt-get install libvulkan1 mesa-vulkan-drivers   (Debian's names)",
    },
    {
      pattern: /Found no drivers|INCOMPATIBLE_DRIVER/,
      reason: 'no driver offers a GPU over Vulkan',
      hint: VULKAN_DRIVER,
    },
    { pattern: /No supported adapters|WebGPU adapter/, reason: 'no GPU is offered over Vulkan, Metal or Direct3D' },
  ],
  cuda: [
    {
      pattern: /lib(cudart|cublas|cublasLt|cudnn|cufft|curand|nvrtc)[^:\s]*: cannot open/,
      reason: 'the libraries of CUDA 12 and cuDNN 9 are not all installed',
    },
    { pattern: /providers_shared|providers_cuda/, reason: 'the CUDA provider does not load' },
  ],
}

/** @param words the engine's own; @param stderr what native code printed meanwhile; @param hint the error's own */
export function explainRefusal({ device }: Pair, words: string, stderr: string, hint?: string): Refusal {
  for (const { pattern, reason, hint: known } of SAYINGS[device] ?? []) {
    if (!pattern.test(stderr) && !pattern.test(words)) continue
    const library = /([\w.]+\.so[\w.]*): cannot open/.exec(`${stderr}${words}`)?.[1]
    const named = device === 'cuda' && library !== undefined ? `${reason}: ${library} is missing` : reason
    return { kind: 'absent', reason: named, ...(known === undefined ? {} : { hint: known }) }
  }
  return { kind: 'refused', words: firstLine(words), ...(hint === undefined ? {} : { hint }) }
}

/** The first line that says something, without colours and source paths. */
export function firstLine(text: string): string {
  const lines = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours start with one
    .replace(/\u001b\[[\d;]*m/g, '')
    .split('\n')
    .map((line) => line.trim())
  const line = lines.find((each) => each !== '') ?? ''
  return line.length > 240 ? `${line.slice(0, 237)}...` : line
}
