// The hot loops outside networks and trees against named peers, on the same threads and data in the same run; ratios are peer / ours,
// and each line says how equal the work was. First the ratio of wall-clock, then that of processor time.
//   PYTHON=python3 npm run bench:hot-loops -- [--only minirocket,ngrams,mel] [--threads 2] [--repeats 5]   (threads: of the spectrograms; the others use one)
// needs aeon (MiniRocket), scikit-learn (TfidfVectorizer, LogisticRegression) and librosa (mel spectrogram); skips what is missing.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { benchMel } from './mel.ts'
import { benchMinirocket } from './minirocket.ts'
import { benchNgrams } from './ngrams.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'minirocket,ngrams,mel' },
    threads: { type: 'string', default: `${availableParallelism()}` },
    repeats: { type: 'string', default: '5' },
  },
})
const threads = Number(options.threads)
const repeats = Number(options.repeats)
const benches = { minirocket: benchMinirocket, ngrams: benchNgrams, mel: benchMel }
for (const name of options.only.split(',')) {
  if (!(name in benches)) throw new Error(`${name}: no such bench; must be one of ${Object.keys(benches).join(', ')}`)
  await benches[name as keyof typeof benches](threads, repeats)
}
