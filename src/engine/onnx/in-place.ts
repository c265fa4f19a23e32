// Keeps onnxruntime-node from copying outputs that are already where they belong. A run writes each preallocated output in place, and the
// binding (1.30) then copies all of them into fresh arrays for its result: for a network of five million weights 60 MB and 10 ms a step,
// and as much garbage. It makes the result in the order of the graph's outputs and stops with an error at the first that is no tensor.
// So a loop's graph gets an empty sequence as its first output: when everything else is preallocated, that output is asked for too, and
// the error means that the run is done. Without the error (a later binding) the results are in place just the same.

/** The name of that output. */
export const STOP = '!stop'

/** Whether a run ended by it. All errors of the run itself come before. */
export function isStop(error: unknown): boolean {
  return error instanceof Error && /non tensor type/i.test(error.message)
}
