// Every failure a user can meet is one of these: a stable code, an exit code, what was received and the rule it broke.
// Faults of data are worded here, so that they read alike. Stacks are shown only with --debug.

/** Process exit codes of the command line contract. */
export const EXIT = { done: 0, failed: 1, usage: 2, data: 3, interrupted: 130 } as const

export type ErrorCode =
  | 'USAGE'
  | 'DATA_MISSING'
  | 'DATA_METADATA'
  | 'DATA_RECORD'
  | 'DATA_LABEL'
  | 'DATA_PICTURE'
  | 'DATA_EMPTY'
  | 'DATA_MISMATCH'
  | 'OUTPUT_FOLDER'
  | 'OUTPUT_WRITE'
  | 'GRAPH_SHAPE'
  | 'GRAPH_OP'
  | 'ENGINE'
  | 'OUT_OF_MEMORY'
  | 'NAN_LOSS'
  | 'WORKER'
  | 'TRIAL'

export class AutomlError extends Error {
  override readonly name: string = 'AutomlError'
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly exitCode: number = EXIT.failed,
    readonly hint?: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

/** Wrong command line: option, received value, rule. Exit code 2. */
export class UsageError extends AutomlError {
  constructor(message: string, hint?: string) {
    super('USAGE', message, EXIT.usage, hint)
  }
}

/** Where in the data the fault lies and which rule it breaks. Everything but `rule` is optional. */
export interface DataFault {
  file?: string
  line?: number
  column?: number
  record?: number
  field?: string
  value?: unknown
  rule: string
  hint?: string
  cause?: unknown
}

/** Unusable data: names file, record, field, received value and rule. Exit code 3. */
export class DataError extends AutomlError {
  constructor(
    code: ErrorCode,
    readonly fault: DataFault,
  ) {
    super(code, describeFault(fault), EXIT.data, fault.hint, fault.cause)
  }
}

/** `train/sample-x: record 7: field label_index: received 12; must be below output_dim 10` */
export function describeFault(fault: DataFault): string {
  const where: string[] = []
  if (fault.file !== undefined) {
    where.push(fault.line === undefined ? fault.file : `${fault.file}:${fault.line}:${fault.column ?? 1}`)
  }
  if (fault.record !== undefined) where.push(`record ${fault.record}`)
  if (fault.field !== undefined) where.push(`field ${fault.field}`)
  const received = fault.value === undefined ? '' : `received ${formatValue(fault.value)}; `
  return `${where.map((part) => `${part}: `).join('')}${received}${fault.rule}`
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** The first line a person reads: message, then the hint. Never a stack. */
export function errorMessage(error: unknown): string {
  if (error instanceof AutomlError)
    return error.hint === undefined ? error.message : `${error.message}\n  hint: ${error.hint}`
  return error instanceof Error ? error.message : String(error)
}
