// Errors across a process boundary: what a worker could not do, told so that main can say it as its own.
import { AutomlError, type ErrorCode, EXIT } from '../support/errors.ts'
import type { Fault } from './messages.ts'

/** @param code what to call an error that carries no code of its own */
export function toFault(error: unknown, code: ErrorCode): Fault {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}
  if (isNamed(error)) {
    const hint = error.hint === undefined ? {} : { hint: error.hint }
    return { code: error.code, message: error.message, exitCode: error.exitCode, ...hint, ...stack }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: outOfMemory(message) ? 'OUT_OF_MEMORY' : code, message, exitCode: EXIT.failed, ...stack }
}

export function fromFault(fault: Fault): AutomlError {
  const error = new AutomlError(fault.code as ErrorCode, fault.message, fault.exitCode, fault.hint)
  if (fault.stack !== undefined) error.stack = fault.stack
  return error
}

/** Families from other packages bring their own copy of the class. */
function isNamed(error: unknown): error is AutomlError {
  if (error instanceof AutomlError) return true
  return error instanceof Error && error.name === 'AutomlError' && typeof (error as AutomlError).code === 'string'
}

function outOfMemory(message: string): boolean {
  return /out of memory|allocation failed|bad_alloc|Failed to allocate/i.test(message)
}
