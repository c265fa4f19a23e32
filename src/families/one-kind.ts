// A task whose matrices are of several kinds, as families of one kind see it: the matrices of that kind alone. What they learn is
// wrapped so that it finds these matrices among all of an example's; the ensemble blends what the kinds say.
import type { Kind, TaskProfile } from '../dataset/profile.ts'
import type { Family, FrontEnd, Model, TrialContext, TrialData, TrialEvent } from './family.ts'

/** The family on the matrices of `kind`: under its own name where that is the task's kind, else as `<family>@<kind>`. */
export function onKind(family: Family, profile: TaskProfile, kind: Kind): Family {
  const chosen = profile.kinds.flatMap((own, matrix) => (own === kind ? [matrix] : []))
  const ownKind = kind === profile.kind
  return {
    name: ownKind ? family.name : `${family.name}@${kind}`,
    summary: family.summary,
    portfolio(task) {
      const entries = family.portfolio(profileOn(task, kind, chosen))
      // Of two kinds' entries of one rank the task's own goes first.
      return entries?.map((entry) => ({ ...entry, order: entry.order + (ownKind ? 0 : 1) })) ?? null
    },
    space: (task) => family.space(profileOn(task, kind, chosen)),
    train: (trial) => trainOn(family, trial, kind, chosen),
  }
}

function profileOn(profile: TaskProfile, kind: Kind, chosen: readonly number[]): TaskProfile {
  const { spec, matrices, kinds } = profile
  return {
    ...profile,
    kind,
    spec: { ...spec, matrices: chosen.map((matrix) => spec.matrices[matrix]) },
    matrices: chosen.map((matrix) => matrices[matrix]),
    kinds: chosen.map((matrix) => kinds[matrix]),
    vocabulary: kind === profile.kind ? profile.vocabulary : null,
  }
}

async function* trainOn(
  family: Family,
  trial: TrialContext,
  kind: Kind,
  chosen: readonly number[],
): AsyncGenerator<TrialEvent, void, void> {
  const seen = { ...trial, profile: profileOn(trial.profile, kind, chosen), data: dataOn(trial.data, chosen) }
  for await (const event of family.train(seen)) {
    yield event.type === 'candidate' ? { ...event, model: modelOn(event.model, chosen) } : event
  }
}

const views = new WeakMap<TrialData, Map<string, TrialData>>()

/** The same object for the same matrices: families keep what they have read by it. */
function dataOn(data: TrialData, chosen: readonly number[]): TrialData {
  const known = views.get(data) ?? new Map<string, TrialData>()
  views.set(data, known)
  const key = chosen.join()
  const view = known.get(key) ?? {
    raw: (split, rows, matrix = 0) => data.raw(split, rows, chosen[matrix]),
    features: (front, split, rows) => data.features(frontOn(front, chosen), split, rows),
    predict: (model, split, rows) => data.predict(modelOn(model, chosen), split, rows),
  }
  known.set(key, view)
  return view
}

function frontOn(front: FrontEnd, chosen: readonly number[]): FrontEnd {
  return {
    ...front,
    key: `@${chosen.join()}:${front.key}`,
    base: front.base && frontOn(front.base, chosen),
    build: (g, x, inputs) =>
      front.build(
        g,
        x,
        chosen.map((matrix) => inputs[matrix]),
      ),
  }
}

function modelOn(model: Model, chosen: readonly number[]): Model {
  return {
    front: model.front && frontOn(model.front, chosen),
    build: (g, x, inputs) =>
      model.build(
        g,
        x,
        chosen.map((matrix) => inputs[matrix]),
      ),
  }
}
