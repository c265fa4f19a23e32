// A driver that ends the process by a signal.
process.once('message', () => {
  process.stderr.write('the driver lost its device\n', () => process.kill(process.pid, 'SIGSEGV'))
})
