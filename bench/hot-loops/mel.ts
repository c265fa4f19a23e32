// Log-mel spectrograms against librosa's: same windows, hop, scale and band filters (HTK's formula, peak 1).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { logMelFrames } from '../../src/families/fronts/log-mel.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { Rng } from '../../src/support/rng.ts'
import { best, report, runPeer } from './peer.ts'

/** Clips of one run of the graph. */
const ROWS = 32
const FLOOR = 1e-8

export async function benchMel(threads: number, repeats: number): Promise<void> {
  for (const [n, steps, window, hop, rate] of [
    [300, 8000, 256, 128, 8000],
    [100, 48000, 512, 256, 16000],
  ]) {
    const mels = 40
    const x = clips(n, steps)
    // A full-scale sine has power 1 in its bin here; librosa leaves the window's sum in.
    const sum = window / 2
    const about = { n, steps, window, hop, mels, rate, repeats, scale: (2 / sum) ** 2, floor: FLOOR }
    const peer = runPeer('mel', { x, 'task.json': JSON.stringify(about) }, threads, (folder) => {
      const bytes = readFileSync(join(folder, 'mel'))
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    })
    const engine = createOnnxEngine({ threads })
    const g = new GraphBuilder()
    const input = { matrix: g.input('x', 'float32', ['n', 't', 1, 1, 1]), length: null }
    g.output('mel', logMelFrames(g, input, { window, hop, mels }).values)
    const executable = await engine.compile(g.build())
    const parts: Float32Array[] = []
    const cost = await best(repeats, async () => {
      parts.length = 0
      for (let from = 0; from < n; from += ROWS) {
        const count = Math.min(ROWS, n - from)
        const data = x.subarray(from * steps, (from + count) * steps)
        const { mel } = await executable.run({ x: { type: 'float32', shape: [count, steps, 1, 1, 1], data } })
        parts.push(mel.data as Float32Array)
      }
    })
    await engine.close()
    const check = typeof peer === 'string' ? 'not compared' : difference(parts, peer.read, n, mels)
    report(`log-mel, ${n} clips of ${steps} samples, window ${window}`, cost, peer, 'librosa', check)
  }
}

/** Chirps under noise, each with a peak of 1. */
function clips(n: number, steps: number): Float32Array {
  const rng = Rng.fromSeed(4)
  const x = new Float32Array(n * steps)
  for (let i = 0; i < n; i++) {
    const pace = 0.05 + 0.5 * rng.uniform()
    let peak = 0
    for (let t = 0; t < steps; t++) {
      const value = Math.sin(pace * t * (1 + t / steps)) + 0.05 * rng.normal()
      x[i * steps + t] = value
      peak = Math.max(peak, Math.abs(value))
    }
    for (let t = 0; t < steps; t++) x[i * steps + t] /= peak
  }
  return x
}

/** Log powers from the floor (0) up; ours may have trailing frames that reach over the end. */
function difference(parts: readonly Float32Array[], theirs: Float32Array, n: number, mels: number): string {
  const frames = theirs.length / (n * mels)
  let sum = 0
  let row = 0
  for (const part of parts) {
    const rows = Math.min(ROWS, n - row)
    const own = part.length / (rows * mels)
    for (let i = 0; i < rows * mels; i++) {
      for (let f = 0; f < frames; f++) {
        sum += Math.abs(part[i * own + f] + Math.log(FLOOR) - theirs[(row * mels + i) * frames + f])
      }
    }
    row += rows
  }
  return `mean difference of log power ${(sum / theirs.length).toPrecision(2)}`
}
