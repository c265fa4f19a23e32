// A driver that says no, as webgpu does without a Vulkan loader.
process.once('message', () => {
  const outcome = { kind: 'refused', words: 'Failed to get a WebGPU adapter: No supported adapters' }
  process.stderr.write("Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file\n")
  process.send({ type: 'answer', outcome }, () => process.exit(0))
})
