// A driver that crashes when its objects are destroyed, its work being done.
process.once('message', () => {
  const outcome = { kind: 'works', stepMs: 2, version: 'fake 1', deviceName: 'a device' }
  process.send({ type: 'answer', outcome }, () => process.kill(process.pid, 'SIGABRT'))
})
