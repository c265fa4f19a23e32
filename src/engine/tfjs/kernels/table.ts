// All operators that run here, by the names of the op table. Not among them: onnxruntime's blocked operators, which only its own lowering
// makes.
import type { KernelTable } from '../kernel.ts'
import { binaryKernels } from './binary.ts'
import { convolutionKernels } from './convolution.ts'
import { indexingKernels } from './indexing.ts'
import { layoutKernels } from './layout.ts'
import { matmulKernels } from './matmul.ts'
import { normalizationKernels } from './normalization.ts'
import { poolingKernels } from './pooling.ts'
import { recurrentKernels } from './recurrent.ts'
import { reductionKernels } from './reduction.ts'
import { resizeKernels } from './resize.ts'
import { selectKernels } from './select.ts'
import { unaryKernels } from './unary.ts'

export const kernelTable: KernelTable = {
  ...unaryKernels,
  ...binaryKernels,
  ...reductionKernels,
  ...layoutKernels,
  ...selectKernels,
  ...indexingKernels,
  ...resizeKernels,
  ...matmulKernels,
  ...convolutionKernels,
  ...poolingKernels,
  ...normalizationKernels,
  ...recurrentKernels,
}
