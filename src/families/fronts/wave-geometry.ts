// Frame sizes for one-dimensional signals whose sampling rate nobody states: chosen from the clips' lengths alone. Short clips are
// mostly speech commands at 8 or 16 kHz, long ones are recordings at 16 to 48 kHz; the window aims at 20 to 60 ms of either.
import type { TaskProfile } from '../../dataset/profile.ts'

export interface WaveGeometry {
  /** Samples of one analysis window, a power of two. */
  window: number
  /** Samples from one window to the next. */
  hop: number
  /** Bands of the mel filter bank. */
  mels: number
}

/** Frames per clip beyond which windows are spread apart, so that the cost of minutes of sound stays that of a short clip. */
const MAX_FRAMES = 1200

export interface WaveOptions {
  /** @default 1200 */
  maxFrames?: number
  /** Samples of a clip that are heard at most. @default all */
  excerpt?: number | undefined
}

export function waveGeometry(
  profile: TaskProfile,
  matrix = 0,
  { maxFrames = MAX_FRAMES, excerpt = Number.POSITIVE_INFINITY }: WaveOptions = {},
): WaveGeometry {
  const { steps } = profile.matrices[matrix]
  const length = Math.max(1, steps.median)
  const window = length < 1000 ? 64 : length < 2000 ? 128 : length < 9000 ? 256 : length < 100_000 ? 512 : 1024
  const longest = Math.min(steps.max, 4 * length, excerpt)
  return { window, hop: Math.max(window / 2, Math.ceil(longest / maxFrames)), mels: window < 256 ? 24 : 40 }
}
