// Several matrices of an example read by a branch each and joined late: every branch ends in a vector, the vectors side by side go
// through one hidden layer, whose units can weigh what one matrix shows by what another does, and the head sees both (wide and deep,
// Cheng et al. 2016). x [n, sum of the branches' sizes].
import type { Value } from '../../graph/builder.ts'
import { concat, relu, reshape, slice } from '../../graph/functions.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import { linear } from '../../graph/layers/linear.ts'
import type { Network } from '../../graph/layers/network.ts'
import { batchNorm } from '../../graph/layers/normalization.ts'
import { head } from './layers.ts'

/** The layers that read one matrix. */
export interface BranchLayers {
  /** Shape of one example's matrix, as its front makes it. */
  shape: readonly number[]
  /** x [n, ...shape] -> [n, features] */
  forward(net: Network, x: Value): Value
  /** Multiply-adds of one example's forward pass. */
  macs: number
}

export interface JoinedNetwork {
  branches: readonly BranchLayers[]
  /** Of the hidden layer. */
  units: number
  dropout: number
}

export function joinedForward(network: JoinedNetwork, intercepts: Float32Array): (net: Network, x: Value) => Value {
  return (net, x) => {
    const { g } = net
    let from = 0
    const vectors = network.branches.map(({ shape, forward }) => {
      const size = shape.reduce((product, extent) => product * extent, 1)
      const own = slice(g, x, 1, from, (from += size))
      return forward(net, shape.length === 1 ? own : reshape(g, own, [x.shape[0], ...shape]))
    })
    const joined = dropout(net, concat(g, vectors, 1), network.dropout)
    const hidden = relu(g, batchNorm(net, linear(net, joined, network.units, { bias: false })))
    return head(net, concat(g, [dropout(net, hidden, network.dropout), joined], 1), intercepts)
  }
}

/** Multiply-adds of one example's forward pass; the joint is small beside the branches. */
export function joinedMacs({ branches }: JoinedNetwork): number {
  return branches.reduce((sum, { macs }) => sum + macs, 0)
}
