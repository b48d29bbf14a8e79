#!/usr/bin/env python3
# tests/pipelines/test-transformers.py - SPDX-License-Identifier: MIT
"""Vision transformers: what they count, that they learn, the same bits whatever the threads, and one
step on a Vulkan device beside the same step on the CPU."""

import os
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PIPELINES, adit, differing, expect, in_folder, metrics, succeed,  # noqa: E402
                     tensors, write_idx)

DEVICE = os.environ.get('ADIT_TEST_DEVICE')
# relative, of loss and of what a step changes
MAX_LOSS, MAX_NMSE = 1e-5, 1e-9

# the encoders that are shipped, made small; the class is where a patch lies, so nothing is moved
SHIPPED = f'{PIPELINES}/glonet/vit.yaml'
SMALL = ['set=idx', 'folder=images', 'encoders=2', 'width=8', 'hidden=16', '-o', 'data.idx.augment=~',
         '-o', 'model.head.2.dense.units=3', '-o', 'train.optimizer.adam.lr=0.01',
         '-o', 'train.batch=20', '-o', 'train.epochs=12']


def make_images(rows=90, size=8):
    """Noise, and a bright patch whose place is the class."""
    draw = random.Random(1)
    pixels = bytearray()
    for row in range(rows):
        image = [draw.randrange(100) for _ in range(size * size)]
        for i in range(16):
            image[(row % 3 // 2 * 4 + i // 4) * size + row % 3 % 2 * 4 + i % 4] += 150
        pixels += bytes(image)
    write_idx('images/train-images-idx3-ubyte', [rows, size, size], pixels)
    write_idx('images/train-labels-idx1-ubyte', [rows], [row % 3 for row in range(rows)])


def train(run, *arguments, device='cpu'):
    if not os.path.exists('images'):
        make_images()
    succeed('run', SHIPPED, '--run-dir', run, '-q', '--device', device, *SMALL, *arguments)


def count(encoders, width, hidden, tokens, patch, classes):
    """By hand: patches, class token, positions; of an encoder four matrices of attention, two norms,
    two matrices of its network; the head."""
    attention = 4 * (width * width + width)
    network = width * hidden + hidden + hidden * width + width
    return (patch * width + width + width + tokens * width
            + encoders * (attention + 2 * 2 * width + network) + width * classes + classes)


def parameters(arch):
    for words, expected in (([], count(2, 8, 16, 5, 16, 3)),
                            (['encoders=6', 'width=128', 'hidden=2048'],
                             count(6, 128, 2048, 5, 16, 3))):
        run = f'run-{expected}'
        train(run, f'arch={arch}', *words, '-o', 'train.epochs=1', '--limit-batches', '1')
        shapes = [entry[1] for entry in tensors(f'{run}/checkpoints/last/model.safetensors').values()]
        got = 0
        for shape in shapes:
            product = 1
            for size in shape:
                product *= size
            got += product
        expect(got, expected)
    # as in the paper, of images of 3x32x32: 65 tokens, patches of 48 numbers, 10 classes
    expect(count(6, 128, 2048, 65, 48, 10), 3574154)


def learns(arch):
    train('run', f'arch={arch}', device=DEVICE or 'cpu')
    losses = [float(row['train.loss']) for row in metrics('run')]
    assert losses[-1] < 0.5 * losses[0], f'losses {losses}'


def names():
    train('run', 'encoders=1', '-o', 'train.epochs=1')
    got = sorted(name for name in tensors('run/checkpoints/last/model.safetensors')
                 if name.startswith('trunk.1.1.2.'))
    expect(got, sorted(f'trunk.1.1.2.{matrix}.{kind}' for matrix in ('query', 'key', 'value', 'output')
                       for kind in ('weight', 'bias')))


def same_bits(arch):
    train('one', f'arch={arch}', '--threads', '1', '-o', 'train.epochs=2')
    train('two', f'arch={arch}', '--threads', '2', '-o', 'train.epochs=2')
    train('other', f'arch={arch}', '--threads', '2', '-o', 'train.epochs=2', '-o', 'seed=1')
    expect(differing('one', 'two'), [])
    assert 'last/model.safetensors' in differing('one', 'other')


def weights(run):
    found = {}
    for name, (_, _, data) in tensors(f'{run}/checkpoints/last/model.safetensors').items():
        found[name] = struct.unpack(f'<{len(data) // 4}f', data)
    return found


def parity(arch):
    """A step of gradient descent from a state that a run passes through."""
    train('before', f'arch={arch}', '-o', 'train.epochs=3')
    one = ['-o', 'model={from: before}', '-o', 'train.epochs=1', '--limit-batches', '1']
    for run, device, rate in (('still', 'cpu', '1e-30'), ('cpu', 'cpu', '1'), ('other', DEVICE, '1')):
        train(run, f'arch={arch}', *one, '-o', f'train.optimizer={{sgd: {{lr: {rate}}}}}', device=device)
    still, cpu, other = weights('still'), weights('cpu'), weights('other')
    error = change = 0
    for name, begin in still.items():
        change += sum((a - b) ** 2 for a, b in zip(cpu[name], begin))
        error += sum((a - b) ** 2 for a, b in zip(cpu[name], other[name]))
    assert change > 0
    assert error <= MAX_NMSE * change, f'NMSE of the step {error / change:.3g}'
    losses = [float(metrics(run)[-1]['train.loss']) for run in ('cpu', 'other')]
    assert abs(losses[0] - losses[1]) <= MAX_LOSS * losses[0], losses


def refused(words, message):
    make_images()
    code, _, err = adit('check', SHIPPED, *SMALL, *words)
    expect(code, 2)
    assert message in err, err


refusals = [
    ('heads', ['width=6'], "'heads' must divide the width, got 4 heads for a width of 6"),
    ('patch', ['-o', 'model.stem.1.patch-embed.patch=3'],
     "'patch' must divide height and width, got 3 for 1x8x8"),
    ('index', ['-o', 'model.head.1.token.index=6'],
     "'index' must be in 1..5, the number of tokens, got 6"),
]
architectures = ('vit', 'glonet')
cases = [(f'/transformers/learns/{arch}', in_folder(lambda arch=arch: learns(arch)))
         for arch in architectures]
if DEVICE is None:
    cases += [(f'/transformers/parameters/{arch}', in_folder(lambda arch=arch: parameters(arch)))
              for arch in architectures]
    cases += [(f'/transformers/same-bits/{arch}', in_folder(lambda arch=arch: same_bits(arch)))
              for arch in architectures]
    cases += [(f'/transformers/refused/{name}',
               in_folder(lambda words=words, message=message: refused(words, message)))
              for name, words, message in refusals]
    cases += [('/transformers/names', in_folder(names))]
else:
    cases += [(f'/transformers/parity/{arch}', in_folder(lambda arch=arch: parity(arch)))
              for arch in architectures]
tap.run(cases)
