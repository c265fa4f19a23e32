"""What the peers of the engine benchmark share: the command line, timing, memory, the report as one line of JSON.

usage: torch_peer.py|tensorflow_peer.py|jax_peer.py NETWORK STEPS THREADS DEVICE [VARIANT]
NETWORK is conv3, resnet9, text, mlp, or gemm for the speed of the peer's matrix product alone. Without a VARIANT all are tried; the
fastest counts. A step's time is the best of STEPS, after which the device is waited for. Memory is the peak of the process while it trains."""
import json
import os
import resource
import sys
import time

BATCH = {'conv3': 64, 'resnet9': 128, 'text': 64, 'mlp': 256}
LR, MOMENTUM, WEIGHT_DECAY = 1e-3, 0.9, 5e-4
TOKENS, LENGTH, CLASSES = 20_000, 200, 10
# [m, k, n]: square ones, and the large products of the perceptron.
GEMMS = [(512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (256, 10_000, 512), (10_000, 256, 512), (512, 256, 10_000)]


def arguments():
    """-> network, steps, device, variants asked for (None: all). Also keeps the process on THREADS processors."""
    network, steps, threads, device = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return network, steps, threads, device, sys.argv[5:] or None


def best_ms(run, steps):
    """`run` must return only when the device is done."""
    best = float('inf')
    for _ in range(steps):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def peak_bytes():
    try:
        with open('/proc/self/status') as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmHWM'))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report_gemm(version, product):
    """`product(m, k, n)` -> a function that multiplies [m, k] by [k, n]."""
    best = max(2 * m * k * n / best_ms(product(m, k, n), 8) / 1e6 for m, k, n in GEMMS)
    print(json.dumps({'version': version, 'gflops': best}))


def report(version, network, steps, variants, asked, make):
    """`make(variant)` -> (train, infer): functions that do one step. Variants that fail are named on stderr and left out."""
    step_ms, infer_ms, peak = {}, {}, 0
    for variant in asked or variants:
        try:
            train, infer = make(variant)
            train()
            step_ms[variant] = best_ms(train, steps)
            peak = max(peak, peak_bytes())
            infer()
            infer_ms[variant] = best_ms(infer, steps)
        except Exception as error:  # one variant of a peer may not exist on this machine; the others still count
            print(f'{variant}: {str(error).splitlines()[0] if str(error) else type(error).__name__}', file=sys.stderr)
    if not step_ms:
        sys.exit(1)
    rates = {variant: BATCH[network] / ms * 1e3 for variant, ms in infer_ms.items()}
    print(json.dumps({'version': version, 'stepMs': step_ms, 'examplesPerSecond': max(rates.values()), 'peakBytes': peak}))
