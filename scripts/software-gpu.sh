#!/usr/bin/env bash
# Fetches SwiftShader, a Vulkan driver that computes on the processor, and a Vulkan loader from Debian's package chromium-common into
# .tmp/software-gpu, where the tests of webgpu find them. Needs apt-get and dpkg-deb; installs nothing.
# usage: bash scripts/software-gpu.sh
set -euo pipefail
cd "$(dirname "$0")/.."
target=.tmp/software-gpu
mkdir -p "$target"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && apt-get -qq download chromium-common)
dpkg-deb --fsys-tarfile "$scratch"/chromium-common_*.deb |
  tar -x -C "$target" --wildcards './usr/lib/chromium/libvulkan.so.1' './usr/lib/chromium/*swiftshader*'
echo "VK_DRIVER_FILES=$PWD/$target/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=$PWD/$target/usr/lib/chromium"
