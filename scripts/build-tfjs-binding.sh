#!/usr/bin/env bash
# Builds the native binding of @tensorflow/tfjs-node-gpu from the package's own source against the libtensorflow of a TensorFlow that pip
# installed: the stock binary is TensorFlow 2.9 with CUDA 11.2. See docs/tfjs.md.
#   scripts/build-tfjs-binding.sh FOLDER [PYTHON]
# FOLDER gets a copy of the package with the binding in it; it must lie inside this project, where the package finds its own
# dependencies. Then: AUTOML_TFJS_BINDING=FOLDER automl ...
# PYTHON is an interpreter that has tensorflow or tensorflow-cpu (or only their files: pip install --no-deps is enough).
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?usage: scripts/build-tfjs-binding.sh FOLDER [PYTHON]}
python=${2:-python3}
package=node_modules/@tensorflow/tfjs-node-gpu
node_home=$(node -p "require('path').resolve(process.execPath, '../..')")
gyp=$(npm root -g 2>/dev/null)/npm/node_modules/node-gyp/bin/node-gyp.js
napi=8

[ -d "$package/binding" ] || { echo "$package is not installed: npm ci" >&2; exit 1; }
[ -f "$node_home/include/node/node_api.h" ] || { echo "no headers of Node in $node_home/include/node" >&2; exit 1; }
tensorflow=$("$python" -c 'import importlib.util, os
print(os.path.dirname(importlib.util.find_spec("tensorflow").origin))') \
  || { echo "$python has no tensorflow: $python -m pip install --no-deps tensorflow-cpu" >&2; exit 1; }

rm -rf "$target"
mkdir -p "$target"
cp -r "$package/." "$target/"
cd "$target"

# What the package's installer would have downloaded: headers, and the library under the name that binding.gyp links.
mkdir -p deps/lib
ln -s "$tensorflow/include" deps/include
for library in libtensorflow_cc libtensorflow_framework; do ln -s "$tensorflow/$library.so.2" "deps/lib/$library.so.2"; done
ln -s libtensorflow_cc.so.2 deps/lib/libtensorflow.so
ln -s libtensorflow_framework.so.2 deps/lib/libtensorflow_framework.so

node "$gyp" rebuild --nodedir="$node_home" \
  --module_name=tfjs_binding --module_path="./lib/napi-v$napi" --napi_build_version="$napi"
mkdir -p "lib/napi-v$napi"
cp build/Release/tfjs_binding.node "lib/napi-v$napi/"
rm -rf build

TF_CPP_MIN_LOG_LEVEL=2 node -e '
const tf = require(process.cwd())
const [four] = tf.matMul(tf.ones([1, 4]), tf.ones([4, 1])).dataSync()
if (four !== 4) throw new Error(`ones times ones came out as ${four}`)
console.log(`works: device ${tf.backend().isUsingGpuDevice ? "cuda" : "cpu"}`)'
echo "use it with AUTOML_TFJS_BINDING=$PWD"
