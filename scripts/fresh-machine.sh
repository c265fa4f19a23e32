#!/usr/bin/env bash
# What a newcomer does: takes the first command of the README, runs it in the clone at $1, and looks whether the promised run is
# there: a model, predictions for every test example, and a score far above chance.
set -euo pipefail
cd "$1"

command=$(awk '/^```sh$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md)
echo "\$ $command"
from=$SECONDS
bash -euo pipefail -c "$command"
echo "took $((SECONDS - from)) s"

run=runs/digits
for file in run.json journal.jsonl latest predictions/start.txt predictions/end.txt predictions/digits.predict_0; do
  test -s "$run/$file" || { echo "$run/$file is missing"; exit 1; }
done
milestone=$run/milestones/$(basename "$(cat "$run/latest")")
for file in model.onnx milestone.json predictions.arrow; do
  test -s "$milestone/$file" || { echo "$milestone/$file is missing"; exit 1; }
done

npx automl score "$run" --solution fixtures/digits/digits.solution
npx automl score "$run" --solution fixtures/digits/digits.solution --json | node -e '
  const score = JSON.parse(require("node:fs").readFileSync(0, "utf8"))
  if (!(score.nauc > 0.95)) throw new Error(`NAUC ${score.nauc}; must be above 0.95`)
  if (!(score.firstS < 5)) throw new Error(`first prediction after ${score.firstS} s; must come within 5 s`)'
