// Recurrent layers by the equations of the ONNX specification, with its default activations. x [t, n, inputs],
// W [directions, gates*hidden, inputs], R [directions, gates*hidden, hidden], B [directions, 2*gates*hidden]; gate order z r h (GRU),
// i o f c (LSTM). Steps past an example's length leave its state alone and give zeros.
import { input, intAttr, type RefCall, type RefOp, type RefTable, tensor, textAttr } from './tensor.ts'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** One step of one example: from x W^T, the last h and c to the next. */
type Cell = (step: CellStep) => { h: Float64Array; c: Float64Array }

interface CellStep {
  hidden: number
  /** W x + its bias, per row. */
  fromInput: Float64Array
  /** The same from the state, for any state. */
  fromState: (h: ArrayLike<number>) => Float64Array
  h: Float64Array
  c: Float64Array
  call: RefCall
}

const rnnCell: Cell = ({ fromInput, fromState, h, c }) => {
  const state = fromState(h)
  return { h: fromInput.map((v, i) => Math.tanh(v + state[i])), c }
}

const gruCell: Cell = ({ hidden, fromInput, fromState, h, c, call }) => {
  const state = fromState(h)
  const gate = (g: number, i: number) => sigmoid(fromInput[g * hidden + i] + state[g * hidden + i])
  const resetAfter = intAttr(call, 'linear_before_reset', 0) === 1
  const reset = h.map((v, i) => v * gate(1, i))
  const ofReset = resetAfter ? null : fromState(reset)
  const next = h.map((held, i) => {
    const row = 2 * hidden + i
    const recurrent = ofReset === null ? gate(1, i) * state[row] : ofReset[row]
    const candidate = Math.tanh(fromInput[row] + recurrent)
    return (1 - gate(0, i)) * candidate + gate(0, i) * held
  })
  return { h: next, c }
}

const lstmCell: Cell = ({ hidden, fromInput, fromState, h, c }) => {
  const state = fromState(h)
  const sum = (g: number, i: number) => fromInput[g * hidden + i] + state[g * hidden + i]
  const cell = c.map((held, i) => sigmoid(sum(2, i)) * held + sigmoid(sum(0, i)) * Math.tanh(sum(3, i)))
  return { h: cell.map((v, i) => sigmoid(sum(1, i)) * Math.tanh(v)), c: cell }
}

function recurrent(cell: Cell, gates: number): RefOp {
  return (call) => {
    const [x, w, r] = [input(call, 0), input(call, 1), input(call, 2)]
    const [bias, lengths, firstH, firstC] = [3, 4, 5, 6].map((i) => call.inputs[i])
    const [steps, n, inputs] = x.shape
    const hidden = intAttr(call, 'hidden_size', 0)
    const rows = gates * hidden
    const direction = textAttr(call, 'direction', 'forward')
    const directions = direction === 'bidirectional' ? 2 : 1
    const y = new Float64Array(steps * directions * n * hidden)
    const lastH = new Float64Array(directions * n * hidden)
    const lastC = new Float64Array(directions * n * hidden)
    for (let d = 0; d < directions; d++) {
      const affine = (weights: Float64Array, width: number, vector: ArrayLike<number>, biasAt: number) =>
        Float64Array.from({ length: rows }, (_, row) => {
          let sum = bias ? bias.data[d * 2 * rows + biasAt + row] : 0
          for (let k = 0; k < width; k++) sum += weights[(d * rows + row) * width + k] * vector[k]
          return sum
        })
      for (let i = 0; i < n; i++) {
        const place = (d * n + i) * hidden
        let h: Float64Array = firstH ? firstH.data.slice(place, place + hidden) : new Float64Array(hidden)
        let c: Float64Array = firstC ? firstC.data.slice(place, place + hidden) : new Float64Array(hidden)
        const length = lengths ? lengths.data[i] : steps
        const backwards = direction === 'reverse' || d === 1
        for (let s = 0; s < length; s++) {
          const t = backwards ? length - 1 - s : s
          const at = (t * n + i) * inputs
          const fromInput = affine(w.data, inputs, x.data.subarray(at, at + inputs), 0)
          const fromState = (state: ArrayLike<number>) => affine(r.data, hidden, state, rows)
          ;({ h, c } = cell({ hidden, fromInput, fromState, h, c, call }))
          y.set(h, ((t * directions + d) * n + i) * hidden)
        }
        lastH.set(h, place)
        lastC.set(c, place)
      }
    }
    return [
      tensor(x.type, [steps, directions, n, hidden], y),
      tensor(x.type, [directions, n, hidden], lastH),
      tensor(x.type, [directions, n, hidden], lastC),
    ].slice(0, call.outputCount)
  }
}

export const recurrentReference: RefTable = {
  RNN: recurrent(rnnCell, 1),
  GRU: recurrent(gruCell, 3),
  LSTM: recurrent(lstmCell, 4),
}
