// Run after every change of dependencies (`npm run lock`): takes the marks of install scripts out of package-lock.json, so that
// `npm ci` runs none of them. npm 11 obeys `allowScripts` in package.json; npm 10, which comes with Node 20, ignores it, but does
// not look for scripts that the lockfile does not mention. The scripts concerned download hundreds of megabytes (CUDA libraries,
// libtensorflow) or print advertisements; the parts that are wanted later are added on demand by the command `automl doctor` names.
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
const { allowScripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
for (const [location, entry] of Object.entries(lock.packages)) {
  if (!entry.hasInstallScript) continue
  const name = location.replace(/^.*node_modules\//, '')
  if (allowScripts[name] !== false)
    throw new Error(`${name} has an install script: name it in allowScripts of package.json, true or false`)
  delete entry.hasInstallScript
  // Without scripts, npm would still offer a package with a binding.gyp to node-gyp.
  entry.gypfile = false
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
