"""The reference networks in TensorFlow with Keras layers and optimizers: see peer.py. Variants: tf.function alone, and compiled by XLA.
Channels come last, as TensorFlow trains convolutions on processors only so."""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
if sys.argv[4] == 'cpu':
    os.environ['CUDA_VISIBLE_DEVICES'] = ''

import tensorflow as tf

from peer import BATCH, CLASSES, LENGTH, LR, MOMENTUM, TOKENS, WEIGHT_DECAY, arguments, report, report_gemm

layers = tf.keras.layers


def conv3():
    return tf.keras.Sequential(
        [
            layers.Conv2D(32, 3, padding='same', activation='relu'),
            layers.Conv2D(32, 3, padding='same', activation='relu'),
            layers.MaxPool2D(),
            layers.Conv2D(64, 3, padding='same', activation='relu'),
            layers.MaxPool2D(),
            layers.Flatten(),
            layers.Dense(CLASSES),
        ]
    )


def resnet9():
    def block(x, channels, pool=False):
        x = layers.Conv2D(channels, 3, padding='same', use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        return layers.MaxPool2D()(x) if pool else x

    image = tf.keras.Input((32, 32, 3))
    x = block(block(image, 64), 128, True)
    x = layers.Add()([x, block(block(x, 128), 128)])
    x = block(block(x, 256, True), 512, True)
    x = layers.Add()([x, block(block(x, 512), 512)])
    return tf.keras.Model(image, layers.Rescaling(0.125)(layers.Dense(CLASSES)(layers.GlobalMaxPool2D()(x))))


def text():
    convolutions = [layers.Conv1D(128, 5, padding='same', activation='relu') for _ in range(3)]
    return tf.keras.Sequential(
        [layers.Embedding(TOKENS, 128), *convolutions, layers.GlobalMaxPool1D(), layers.Dense(CLASSES)]
    )


def mlp():
    hidden = [layers.Dense(512, activation='relu') for _ in range(2)]
    return tf.keras.Sequential([*hidden, layers.Dense(CLASSES)])


NETWORKS = {
    'conv3': (conv3, lambda n: tf.random.uniform((n, 28, 28, 1))),
    'resnet9': (resnet9, lambda n: tf.random.uniform((n, 32, 32, 3))),
    'text': (text, lambda n: tf.random.uniform((n, LENGTH), maxval=TOKENS, dtype=tf.int32)),
    'mlp': (mlp, lambda n: tf.random.uniform((n, 10_000))),
}


def make(name, variant):
    build, inputs = NETWORKS[name]
    model, x = build(), inputs(BATCH[name])
    y = tf.random.uniform((len(x),), maxval=CLASSES, dtype=tf.int32)
    model(x)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    coupled = name == 'resnet9'
    if coupled:
        optimizer = tf.keras.optimizers.SGD(LR, momentum=MOMENTUM, nesterov=True)
    else:
        optimizer = tf.keras.optimizers.AdamW(LR, weight_decay=WEIGHT_DECAY)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile='xla' in variant)
    def step():
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        if coupled:  # Keras decays weights beside the momentum; the others add the decay to the gradient
            decayed = zip(grads, model.trainable_variables)
            grads = [g + WEIGHT_DECAY * w if len(w.shape) > 1 else g for g, w in decayed]
        optimizer.apply(grads, model.trainable_variables)
        return loss

    @tf.function(jit_compile='xla' in variant)
    def predict():
        return model(x, training=False)

    return lambda: step().numpy(), lambda: predict().numpy()


def product(m, k, n):
    a, b = tf.random.uniform((m, k)), tf.random.uniform((k, n))

    @tf.function
    def run():
        return tf.matmul(a, b)

    return lambda: run().numpy()


if __name__ == '__main__':
    network, steps, threads, _, asked = arguments()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    version = f'TensorFlow {tf.__version__}'
    if network == 'gemm':
        report_gemm(version, product)
    else:
        report(version, network, steps, ['function', 'function xla'], asked, lambda variant: make(network, variant))
