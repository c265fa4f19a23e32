// What may be done to a training picture without changing what it shows. A policy is data: it is chosen from the task (symmetry
// test, number of examples) and kept with the trial's state.

export interface PicturePolicy {
  /** Largest shift along either axis, as a share of that axis. */
  shift: number
  /** Mirror left and right with probability 1/2. */
  flipX: boolean
  /** Mirror top and bottom with probability 1/2. */
  flipY: boolean
  /** Largest rotation either way, degrees. */
  rotateDegrees: number
  /** Largest zoom in or out, natural logarithm of the factor. */
  zoom: number
  /** Largest change of contrast, natural logarithm of the gain around mid-gray; brightness moves by up to a quarter of it. */
  contrast: number
  /** Side of a square that is blanked, as a share of the picture's side (DeVries & Taylor 2017). */
  cutout: number
  /** Alpha of the Beta(alpha, alpha) share in mixup (Zhang et al. 2018); 0: none. */
  mixup: number
}

export const PLAIN_POLICY: PicturePolicy = {
  shift: 0,
  flipX: false,
  flipY: false,
  rotateDegrees: 0,
  zoom: 0,
  contrast: 0,
  cutout: 0,
  mixup: 0,
}
