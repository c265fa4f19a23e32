"""The peers of bench/trees: scikit-learn's histogram boosting and extremely randomised trees, and LightGBM, on one thread.
usage: peer.py FOLDER ROUNDS TREES -> JSON lines {name, seconds, accuracy}; FOLDER holds x, y, xt, yt as raw little-endian arrays and shape.json
"""
import json, os, sys, time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np

folder, rounds, trees = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
shape = json.load(open(f"{folder}/shape.json"))


def read(name, kind):
    return np.fromfile(f"{folder}/{name}", kind)


x, xt = (read(name, "<f4").reshape(-1, shape["features"]) for name in ("x", "xt"))
y, yt = (read(name, "<i4") for name in ("y", "yt"))


def report(name, model):
    start = time.process_time()
    model.fit(x, y)
    seconds = time.process_time() - start
    print(json.dumps({"name": name, "seconds": seconds, "accuracy": float((model.predict(xt) == yt).mean())}), flush=True)


from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier

report("scikit-learn ExtraTrees", ExtraTreesClassifier(trees, n_jobs=1, random_state=0))
boosting = HistGradientBoostingClassifier(max_iter=rounds, early_stopping=False, random_state=0)
report("scikit-learn HistGradientBoosting", boosting)
try:
    from lightgbm import LGBMClassifier

    report("LightGBM", LGBMClassifier(n_estimators=rounds, n_jobs=1, verbose=-1, random_state=0))
except ImportError as error:
    print(json.dumps({"name": "LightGBM", "missing": str(error)}))
