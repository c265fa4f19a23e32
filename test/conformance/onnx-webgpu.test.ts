import { webgpuExecutors } from './executors.ts'
import { conformance } from './suite.ts'

for (const executor of webgpuExecutors) conformance(executor)
