#!/bin/sh
# Conformance and the engine benchmark on a machine with a GPU, unattended: onnxruntime on webgpu (Vulkan), and on cuda where its
# libraries are, beside PyTorch on that GPU. Not run on a GPU yet: written and tried on a machine without one, where it reports what is
# missing.
#
#   PYTHON=python3 bench/engine/gpu.sh [OUT]      OUT: folder for the results. Default gpu-results
#
# PYTHON names an interpreter that has torch with CUDA. `automl doctor` names the command that adds CUDA to onnxruntime. Nothing here stops the rest: a part that fails leaves its log and the summary says so.
# Leaves in OUT: machine.txt, bench-DEVICE.jsonl, conformance-DEVICE.txt, *.log, summary.md.
set -u
out=$(mkdir -p "${1:-gpu-results}" && cd "${1:-gpu-results}" && pwd) || exit 1
cd "$(dirname "$0")/../.." || exit 1
export PYTHON="${PYTHON:-python3}"

# One line of text about a tool, or why there is none.
told() {
  if command -v "$1" >/dev/null 2>&1; then "$@" 2>&1 | head -n 40; else echo "$1: not installed"; fi
}

# part NAME COMMAND...: runs it, keeps stdout in OUT/NAME and stderr in OUT/NAME.log, notes how it ended.
part() {
  name=$1
  shift
  echo "$name: $*" >&2
  if timeout 3600 "$@" >"$out/$name" 2>"$out/$name.log"; then
    echo "- $name: done" >>"$out/parts.txt"
  else
    echo "- $name: FAILED with $? ($(grep -i error "$out/$name.log" | tail -n 1 | cut -c 1-160))" >>"$out/parts.txt"
  fi
}

: >"$out/parts.txt"
{
  date -u
  uname -a
  node --version
  told nvidia-smi
  told vulkaninfo --summary
  told nvcc --version
  "$PYTHON" -c 'import torch; print("torch", torch.__version__, torch.version.cuda, torch.cuda.is_available() and torch.cuda.get_device_name())' 2>&1 | tail -n 1
} >"$out/machine.txt"

part build.txt node scripts/build.js
part doctor.json node bin/automl.js doctor --json
for device in webgpu cuda; do
  # A probe first: without it every part would fail in its own words.
  part "probe-$device.txt" node scripts/bench.js engine --child ours --only conv3 --steps 2 --device "$device"
  if ! grep -q "probe-$device.txt: done" "$out/parts.txt"; then continue; fi
  # The suite has no executor on cuda: the training losses of the benchmark are all that is checked there.
  if [ "$device" = webgpu ]; then
    part conformance-webgpu.txt env CONFORMANCE=full npx vitest run test/conformance/onnx-webgpu.test.ts
  fi
  part "bench-$device.jsonl" node scripts/bench.js engine --json --device "$device" --peers torch
done
# The processor of the same machine, for scale.
part bench-cpu.jsonl node scripts/bench.js engine --json --device cpu --peers torch --threads "$(nproc)"

{
  echo '# Engine on a GPU'
  echo
  echo '```'
  cat "$out/machine.txt"
  echo '```'
  echo
  cat "$out/parts.txt"
  echo
  echo '| device | network | ours, ms a step | PyTorch, ms | ratio | examples/s | first step, ms |'
  echo '|---|---|---|---|---|---|---|'
  cat "$out"/bench-*.jsonl 2>/dev/null | node -e '
    for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter((l) => l.startsWith("{"))) {
      const { device, network, ours, peers } = JSON.parse(line)
      const torch = peers.torch
      const cells = [device, network, ours?.stepMs, torch?.stepMs, torch?.ratio, ours?.examplesPerSecond, ours?.startMs?.totalMs]
      console.log("| " + cells.map((cell) => cell ?? "-").join(" | ") + " |")
    }'
} >"$out/summary.md"
cat "$out/summary.md"
