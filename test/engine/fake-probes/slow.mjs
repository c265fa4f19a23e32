// A driver whose numbers are right and whose timed step takes for ever.
process.once('message', () => {
  const outcome = { kind: 'works', stepMs: null, version: 'fake 1', deviceName: 'a slow device' }
  process.send({ type: 'verified', outcome })
  setInterval(() => {}, 1000)
})
