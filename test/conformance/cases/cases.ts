// All cases of the suite, in the order in which they run: single operators, then what is built of them.
import type { GraphCase } from '../graph-case.ts'
import { convolutionCases } from './convolution.ts'
import { elementwiseCases } from './elementwise.ts'
import { indexingCases } from './indexing.ts'
import { layerCases } from './layers.ts'
import { layoutCases } from './layout.ts'
import { lossCases } from './losses.ts'
import { matmulCases } from './matmul.ts'
import { normalizationCases } from './normalization.ts'
import { poolingCases } from './pooling.ts'
import { recurrentCases } from './recurrent.ts'
import { reductionCases } from './reduction.ts'
import { treeCases } from './trees.ts'

export const graphCases: readonly GraphCase[] = [
  ...elementwiseCases,
  ...reductionCases,
  ...layoutCases,
  ...indexingCases,
  ...matmulCases,
  ...convolutionCases,
  ...poolingCases,
  ...normalizationCases,
  ...recurrentCases,
  ...treeCases,
  ...layerCases,
  ...lossCases,
]
