// A driver that never comes back, and holds the process's only thread.
process.once('message', () => {
  for (;;);
})
