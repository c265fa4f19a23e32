"""The reference networks in JAX: see peer.py. The whole step is one jitted function whose state is donated. Variants: channels last and
first."""
import os
import sys

if sys.argv[4] == 'cpu':
    os.environ['JAX_PLATFORMS'] = 'cpu'

import jax
import jax.numpy as jnp
from jax import lax

from peer import BATCH, CLASSES, LENGTH, LR, MOMENTUM, TOKENS, WEIGHT_DECAY, arguments, report, report_gemm

LAYOUTS = {'channels_last': ('NHWC', 'HWIO', 'NHWC'), 'channels_first': ('NCHW', 'OIHW', 'NCHW')}


class Layout:
    """Convolutions and pools in one of the two layouts. Text is a picture of height 1."""

    def __init__(self, name):
        self.numbers, self.last = LAYOUTS[name], name == 'channels_last'
        self.space = (1, 2) if self.last else (2, 3)

    def image(self, n, h, w, c):
        return (n, h, w, c) if self.last else (n, c, h, w)

    def weights(self, key, i, o, h, w):
        shape = (h, w, i, o) if self.last else (o, i, h, w)
        return jax.random.normal(key, shape) * (2 / (i * h * w)) ** 0.5

    def conv(self, x, w):
        return lax.conv_general_dilated(x, w, (1, 1), 'SAME', dimension_numbers=self.numbers)

    def channels(self, v):
        return v if self.last else v[:, None, None]

    def pool(self, x):
        window = (1, 2, 2, 1) if self.last else (1, 1, 2, 2)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, 'VALID')


def dense(key, i, o):
    return {'w': jax.random.normal(key, (i, o)) * (2 / i) ** 0.5, 'b': jnp.zeros(o)}


def conv_bias(layout, key, i, o, h, w):
    return {'w': layout.weights(key, i, o, h, w), 'b': jnp.zeros(o)}


def relu_conv(layout, p, x):
    return jax.nn.relu(layout.conv(x, p['w']) + layout.channels(p['b']))


def conv3(layout, keys):
    sizes = ((1, 32), (32, 32), (32, 64))
    params = {'convs': [conv_bias(layout, next(keys), i, o, 3, 3) for i, o in sizes], 'head': dense(next(keys), 3136, CLASSES)}

    def forward(p, stats, x, training):
        first, second, third = p['convs']
        x = layout.pool(relu_conv(layout, second, relu_conv(layout, first, x)))
        x = layout.pool(relu_conv(layout, third, x)).reshape(len(x), -1)
        return x @ p['head']['w'] + p['head']['b'], stats

    return params, [], forward, layout.image(BATCH['conv3'], 28, 28, 1)


def resnet9(layout, keys):
    sizes = ((3, 64), (64, 128), (128, 128), (128, 128), (128, 256), (256, 512), (512, 512), (512, 512))
    blocks = [{'w': layout.weights(next(keys), i, o, 3, 3), 'scale': jnp.ones(o), 'b': jnp.zeros(o)} for i, o in sizes]
    stats = [{'mean': jnp.zeros(o), 'var': jnp.ones(o)} for _, o in sizes]
    axes = (0, *layout.space)

    def block(p, running, x, training):
        x = layout.conv(x, p['w'])
        if training:
            mean = x.mean(axes)
            var = jnp.maximum((x * x).mean(axes) - mean * mean, 0)
            running = {'mean': 0.9 * running['mean'] + 0.1 * mean, 'var': 0.9 * running['var'] + 0.1 * var}
        else:
            mean, var = running['mean'], running['var']
        a = p['scale'] * lax.rsqrt(var + 1e-5)
        return jax.nn.relu(x * layout.channels(a) + layout.channels(p['b'] - mean * a)), running

    def forward(p, stats, x, training):
        new = []

        def through(x, i):
            x, running = block(p['blocks'][i], stats[i], x, training)
            new.append(running)
            return x

        x = layout.pool(through(through(x, 0), 1))
        x = x + through(through(x, 2), 3)
        x = layout.pool(through(layout.pool(through(x, 4)), 5))
        x = x + through(through(x, 6), 7)
        return 0.125 * (x.max(layout.space) @ p['head']['w'] + p['head']['b']), new

    params = {'blocks': blocks, 'head': dense(next(keys), 512, CLASSES)}
    return params, stats, forward, layout.image(BATCH['resnet9'], 32, 32, 3)


def text(layout, keys):
    table = 0.05 * jax.random.normal(next(keys), (TOKENS, 128))
    convs = [conv_bias(layout, next(keys), 128, 128, 1, 5) for _ in range(3)]
    params = {'table': table, 'convs': convs, 'head': dense(next(keys), 128, CLASSES)}

    def forward(p, stats, ids, training):
        x = p['table'][ids][:, None]
        x = x if layout.last else x.transpose(0, 3, 1, 2)
        for conv in p['convs']:
            x = relu_conv(layout, conv, x)
        return x.max(layout.space) @ p['head']['w'] + p['head']['b'], stats

    return params, [], forward, (BATCH['text'], LENGTH)


def mlp(layout, keys):
    params = [dense(next(keys), i, o) for i, o in ((10_000, 512), (512, 512), (512, CLASSES))]

    def forward(p, stats, x, training):
        for layer in p[:-1]:
            x = jax.nn.relu(x @ layer['w'] + layer['b'])
        return x @ p[-1]['w'] + p[-1]['b'], stats

    return params, [], forward, (BATCH['mlp'], 10_000)


def adamw(params, grads, slots, step):
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, slots[0], grads)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, slots[1], grads)
    c1, c2 = 1 - 0.9**step, 1 - 0.999**step

    def move(w, m, v):
        kept = w * (1 - LR * WEIGHT_DECAY) if w.ndim > 1 else w
        return kept - LR * (m / c1) / (jnp.sqrt(v / c2) + 1e-8)

    return jax.tree.map(move, params, mean, square), (mean, square)


def nesterov(params, grads, slots, step):
    slope = jax.tree.map(lambda g, w: g + WEIGHT_DECAY * w if w.ndim > 1 else g, grads, params)
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, slots[0], slope)
    params = jax.tree.map(lambda w, g, v: w - LR * (g + MOMENTUM * v), params, slope, velocity)
    return params, (velocity, slots[1])


NETWORKS = {'conv3': conv3, 'resnet9': resnet9, 'text': text, 'mlp': mlp}


def make(name, variant):
    keys = iter(jax.random.split(jax.random.key(0), 32))
    params, stats, forward, shape = NETWORKS[name](Layout(variant), keys)
    if name == 'text':
        x = jax.random.randint(next(keys), shape, 0, TOKENS)
    else:
        x = jax.random.uniform(next(keys), shape)
    y = jax.random.randint(next(keys), (shape[0],), 0, CLASSES)
    update = nesterov if name == 'resnet9' else adamw

    def loss_of(params, stats, x, y):
        logits, stats = forward(params, stats, x, True)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean(), stats

    def step(state, x, y):
        params, stats, slots, count = state
        (loss, stats), grads = jax.value_and_grad(loss_of, has_aux=True)(params, stats, x, y)
        params, slots = update(params, grads, slots, count + 1)
        return (params, stats, slots, count + 1), loss

    step = jax.jit(step, donate_argnums=0)
    predict = jax.jit(lambda params, stats, x: forward(params, stats, x, False)[0])
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = params, stats, (zeros, jax.tree.map(jnp.zeros_like, params)), jnp.zeros(())

    def train():
        nonlocal state
        state, loss = step(state, x, y)
        jax.block_until_ready((state, loss))

    return train, lambda: jax.block_until_ready(predict(state[0], state[1], x))


def product(m, k, n):
    a, b = jnp.ones((m, k)), jnp.ones((k, n))
    run = jax.jit(jnp.dot)
    return lambda: run(a, b).block_until_ready()


if __name__ == '__main__':
    network, steps, _, _, asked = arguments()
    version = f'JAX {jax.__version__} on {jax.devices()[0].device_kind}'
    if network == 'gemm':
        report_gemm(version, product)
    else:
        variants = ['channels_last'] if network == 'mlp' else ['channels_last', 'channels_first']
        report(version, network, steps, variants, asked, lambda variant: make(network, variant))
