// A convolutional-recurrent network (Choi et al. 2017, "Convolutional recurrent neural networks for music classification"): the
// stages' map, averaged over bands, is read along time by a GRU in both directions. Its states where each direction ends join the
// means and maxima over the map, so that order adds to what the plain network knows. The map's axes are bands and time.
import { averagePool, concat, reduceMean, transpose } from '../../graph/functions.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import { gru } from '../../graph/layers/recurrent.ts'
import { head } from './layers.ts'
import type { PictureTop } from './picture-learner.ts'
import { pictureMap, pictureWidths, pooledMap } from './picture-network.ts'

/** Training unrolls the steps: more would make its graph large. */
const MAX_STEPS = 32

/** @param units of the GRU, in each direction */
export function recurrentTop(units: number): PictureTop {
  return {
    signature: ` gru ${units}`,
    forward(network, intercepts) {
      const map = pictureMap(network)
      return (net, x) => {
        const { g } = net
        const y = map(net, x)
        const bands = reduceMean(g, y, [2], false)
        const factor = Math.ceil((bands.shape[2] as number) / MAX_STEPS)
        const steps = factor > 1 ? averagePool(g, bands, [factor], { strides: factor }) : bands
        const { last } = gru(net, transpose(g, steps, [0, 2, 1]), units, { bidirectional: true })
        return head(net, dropout(net, concat(g, [pooledMap(net, y), last], 1), network.dropout), intercepts)
      }
    },
    macs(network) {
      const inputs = pictureWidths(network)[network.stages]
      return MAX_STEPS * 2 * 3 * units * (inputs + units)
    },
  }
}
