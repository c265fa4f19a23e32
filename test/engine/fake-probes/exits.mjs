// A driver that ends the process by itself.
process.once('message', () => process.exit(3))
