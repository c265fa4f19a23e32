// Pairs that need not be tried to know that they are not here: another operating system's, or without their libraries.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { INSTALL_COMMAND, nativeFolder } from '../tfjs/runtime.ts'
import type { Outcome } from './outcome.ts'
import type { Pair } from './pair.ts'

type Absent = Extract<Outcome, { kind: 'absent' }>

/** Null when only trying can tell. */
export function absenceOf({ engine, device }: Pair): Absent | null {
  switch (device) {
    case 'coreml':
      return process.platform === 'darwin' ? null : absent('CoreML is part of macOS')
    case 'dml':
      return process.platform === 'win32' ? null : absent('DirectML is part of Windows')
    case 'cuda':
      return engine === 'onnx' ? onnxCudaAbsence() : tfjsCudaAbsence()
    default:
      return null
  }
}

function onnxCudaAbsence(): Absent | null {
  if (`${process.platform} ${process.arch}` !== 'linux x64')
    return absent('onnxruntime-node has CUDA on Linux x64 only')
  const noDevice = nvidiaAbsence()
  const folder = onnxruntimeFolder()
  if (folder === null) return absent('onnxruntime-node is not installed', 'npm ci installs what is missing')
  if (existsSync(join(folder, CUDA_PROVIDER))) return noDevice
  const script = shortPath(join(folder, 'script/install.js'))
  const command = `node ${script} --onnxruntime-node-install   (downloads the provider; CUDA 12 and cuDNN 9 must be installed)`
  return both('the CUDA provider is not in the npm package', noDevice, command)
}

function tfjsCudaAbsence(): Absent | null {
  const noDevice = nvidiaAbsence()
  if (nativeFolder() !== null) return noDevice
  return both('no native library of TensorFlow is installed', noDevice, `${INSTALL_COMMAND}   (half a gigabyte)`)
}

/** As seen from the working directory where it lies below. */
function shortPath(path: string): string {
  const below = relative(process.cwd(), path)
  return below.startsWith('..') ? path : below
}

function both(reason: string, other: Absent | null, hint: string): Absent {
  return absent(other === null ? reason : `${reason}, and ${other.reason}`, hint)
}

/** Without a node there is no driver; where the system has no such nodes only trying tells. */
function nvidiaAbsence(): Absent | null {
  if (process.platform !== 'linux') return null
  return nvidiaNodes().length > 0 ? null : absent('there is no NVIDIA device (/dev/nvidia0)')
}

export function nvidiaNodes(): string[] {
  return listed('/dev').filter((name) => /^nvidia\d+$/.test(name) || name === 'dxg')
}

export const CUDA_PROVIDER = 'bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so'

export function onnxruntimeFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  } catch {
    return null
  }
}

/** Names in a folder; none when it is not there. */
export function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function absent(reason: string, hint?: string): Absent {
  return { kind: 'absent', reason, ...(hint === undefined ? {} : { hint }) }
}
