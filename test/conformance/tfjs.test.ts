import { tfjsExecutors } from './executors.ts'
import { conformance } from './suite.ts'

for (const executor of tfjsExecutors) conformance(executor)
