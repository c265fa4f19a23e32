// onnxruntime's own words as errors with a code.
import { AutomlError } from '../../support/errors.ts'

export function engineError(what: string, cause: unknown): AutomlError {
  const words = (cause as Error).message ?? String(cause)
  const memory = /bad[_ ]alloc|out of memory|failed to allocate/i.test(words)
  return new AutomlError(memory ? 'OUT_OF_MEMORY' : 'ENGINE', `${what}: ${words}`, undefined, undefined, cause)
}
