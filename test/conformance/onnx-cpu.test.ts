import { onnxCpuExecutors } from './executors.ts'
import { conformance } from './suite.ts'

for (const executor of onnxCpuExecutors) conformance(executor)
