"""The peers of bench/hot-loops: aeon's MiniRocket, scikit-learn's TfidfVectorizer + LogisticRegression, librosa's mel spectrogram.
usage: peer.py minirocket|ngrams|mel FOLDER THREADS -> one JSON line with `seconds` and
`cpuSeconds` (best of the asked repeats, compiling left out) and `version`; FOLDER holds task.json and the inputs as raw little-endian arrays, and gets the outputs.
"""
import json, sys, time
import numpy as np

task, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
about = json.load(open(f"{folder}/task.json"))


def read(name, kind):
    return np.fromfile(f"{folder}/{name}", kind)


def best(work):
    cost = {"seconds": float("inf"), "cpuSeconds": float("inf")}
    for _ in range(about["repeats"]):
        start, before = time.perf_counter(), time.process_time()
        out = work()
        cost["seconds"] = min(cost["seconds"], time.perf_counter() - start)
        cost["cpuSeconds"] = min(cost["cpuSeconds"], time.process_time() - before)
    return cost, out


def minirocket():
    import aeon
    from aeon.transformations.collection.convolution_based import MiniRocket

    x = read("x", "<f4").reshape(about["n"], about["channels"], about["steps"])
    model = MiniRocket(n_kernels=about["features"], n_jobs=threads, random_state=0).fit(x)
    model.transform(x[:2])
    cost, features = best(lambda: model.transform(x))
    counts, channels, dilations, per_dilation, biases = model.parameters
    biases.astype("<f4").tofile(f"{folder}/biases")
    features.astype("<f4").tofile(f"{folder}/features")
    draws = {"dilations": dilations, "biasesPerDilation": per_dilation, "channelsPerCombination": counts, "channels": channels}
    return {**cost, "version": aeon.__version__, **{key: value.tolist() for key, value in draws.items()}}


def ngrams():
    import sklearn
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = open(f"{folder}/texts").read().split("\n")
    y = read("y", "<i4")
    n = about["train"]

    def work():
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, binary=True)
        model = LogisticRegression(C=10, max_iter=200).fit(vectorizer.fit_transform(texts[:n]), y[:n])
        return model.predict(vectorizer.transform(texts[n:]))

    cost, predicted = best(work)
    return {**cost, "version": sklearn.__version__, "accuracy": float((predicted == y[n:]).mean())}


def mel():
    import librosa

    x = read("x", "<f4").reshape(about["n"], about["steps"])
    size = {"n_fft": about["window"], "hop_length": about["hop"], "n_mels": about["mels"]}
    fixed = {"sr": about["rate"], "center": False, "htk": True, "norm": None, "power": 2.0}

    def work():
        # Clip by clip, as scripts do; then log power above the floor.
        return np.stack([np.log(librosa.feature.melspectrogram(y=clip, **size, **fixed) * about["scale"] + about["floor"]) for clip in x])

    work()
    cost, values = best(work)
    values.astype("<f4").tofile(f"{folder}/mel")
    return {**cost, "version": librosa.__version__}


print(json.dumps({"minirocket": minirocket, "ngrams": ngrams, "mel": mel}[task]()))
