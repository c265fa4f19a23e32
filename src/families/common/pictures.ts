// Pictures in memory, as augmentation, whitening and the search for symmetries see them.

/** Pictures of one size: `data` is [n, channels, height, width], row-major. */
export interface Pictures {
  data: Uint8Array
  channels: number
  height: number
  width: number
}
