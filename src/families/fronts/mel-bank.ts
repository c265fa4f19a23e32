// The constants of a mel spectrogram: a windowed Fourier basis as convolution filters, triangular mel filters (O'Shaughnessy's
// formula), and the cosine basis that turns log-mel frames into cepstra.

/**
 * [2 * bins, 1, window]: Hann-windowed cosines, then sines, bins = window/2 + 1; scaled so that a full-scale sine has power 1 in
 * its bin.
 */
export function fourierFilters(window: number): Float32Array {
  const bins = window / 2 + 1
  const filters = new Float32Array(2 * bins * window)
  const hann = Float64Array.from({ length: window }, (_, t) => 0.5 - 0.5 * Math.cos((2 * Math.PI * t) / window))
  const scale = 2 / hann.reduce((sum, w) => sum + w, 0)
  for (let t = 0; t < window; t++) {
    for (let k = 0; k < bins; k++) {
      const angle = (2 * Math.PI * ((k * t) % window)) / window
      filters[k * window + t] = scale * hann[t] * Math.cos(angle)
      filters[(bins + k) * window + t] = scale * hann[t] * Math.sin(angle)
    }
  }
  return filters
}

/** hz -> mel with 2595 log10(1 + f/700). */
const toMel = (hz: number) => 2595 * Math.log10(1 + hz / 700)
const toHz = (mel: number) => 700 * (10 ** (mel / 2595) - 1)

/**
 * [mels, bins]: triangles of peak 1, evenly spaced in mel from 0 to half of `assumedRateHz`, each at least one bin wide on either
 * side. The rate only bends the spacing: the bank always spans the whole spectrum.
 */
export function melFilters(window: number, mels: number, assumedRateHz: number): Float32Array {
  const bins = window / 2 + 1
  const filters = new Float32Array(mels * bins)
  const top = toMel(assumedRateHz / 2)
  const edges = Float64Array.from(
    { length: mels + 2 },
    (_, i) => (toHz((top * i) / (mels + 1)) / assumedRateHz) * window,
  )
  for (let m = 0; m < mels; m++) {
    const rise = Math.max(1, edges[m + 1] - edges[m])
    const fall = Math.max(1, edges[m + 2] - edges[m + 1])
    for (let k = 0; k < bins; k++) {
      filters[m * bins + k] = Math.max(0, Math.min(1 + (k - edges[m + 1]) / rise, 1 - (k - edges[m + 1]) / fall))
    }
  }
  return filters
}

/** [count, size] orthonormal DCT-II rows. */
export function cosineBasis(size: number, count: number): Float32Array {
  const basis = new Float32Array(count * size)
  for (let k = 0; k < count; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / size)
    for (let i = 0; i < size; i++) basis[k * size + i] = scale * Math.cos((Math.PI * (i + 0.5) * k) / size)
  }
  return basis
}
