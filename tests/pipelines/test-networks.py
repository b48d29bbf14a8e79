#!/usr/bin/env python3
# tests/pipelines/test-networks.py - SPDX-License-Identifier: MIT
"""The papers' networks: shapes and parameters as published or counted by hand, layer by layer; a
training step of each; one step on a Vulkan device beside the same step on the CPU."""

import csv
import json
import math
import os
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PIPELINES, checkpoints, expect, in_folder, metrics, read, succeed,  # noqa: E402
                     tensors, write_cifar, write_idx, write_tree)

DEVICE = os.environ.get('ADIT_TEST_DEVICE')
# relative, of loss and of what a step changes
MAX_LOSS, MAX_NMSE = 1e-5, 1e-9


# ---- parameters by hand ----

def conv(channels, filters, kernel=3, bias=False):
    return channels * kernel * kernel * filters + (filters if bias else 0)


def norm(channels):
    return 2 * channels


def dense(inputs, units):
    return inputs * units + units


def resnet20():
    """BN-ReLU-conv 18 times, in stages of 16, 32 and 64 filters; a last BN."""
    total, channels = conv(3, 16), 16
    for filters in [16] * 6 + [32] * 6 + [64] * 6:
        total += norm(channels) + conv(channels, filters)
        channels = filters
    return total + norm(64) + dense(64, 10)


def resnet34():
    """Two conv-BN a block, a third of 1x1 where a stage begins; the stem of ImageNet."""
    total, channels = conv(3, 64, 7) + norm(64), 64
    for filters, blocks in (64, 3), (128, 4), (256, 6), (512, 3):
        for _ in range(blocks):
            total += conv(channels, filters) + conv(filters, filters) + 2 * norm(filters)
            if channels != filters:
                total += conv(channels, filters, 1) + norm(filters)
            channels = filters
    return total + dense(512, 10)


def vgg16(width=64):
    """13 of conv (with bias), BN; the classifier BN, dense, BN, dense."""
    total, channels = 0, 3
    for filters, layers in (1, 2), (2, 2), (4, 3), (8, 3), (8, 3):
        for _ in range(layers):
            total += conv(channels, filters * width, bias=True) + norm(filters * width)
            channels = filters * width
    hidden = channels // 2
    return total + norm(channels) + dense(channels, hidden) + norm(hidden) + dense(hidden, 10)


def densenet18(growth=32):
    """Four blocks of four layers, BN-conv 1x1 and BN-conv 3x3; halves between them; a last BN."""
    total, channels = conv(3, 64, 7) + norm(64), 64
    for block in range(4):
        for _ in range(4):
            inner = 4 * growth
            total += norm(channels) + conv(channels, inner, 1) + norm(inner) + conv(inner, growth)
            channels += growth
        if block < 3:
            total += norm(channels) + conv(channels, channels // 2, 1)
            channels //= 2
    return total + norm(channels) + dense(channels, 10)


def mpnet(blocks, n1, k1, n2, k2):
    """Two paths of conv-BN a block, four stages."""
    total, channels = conv(3, 64) + norm(64), 64
    for filters in 64, 128, 256, 512:
        for _ in range(blocks):
            for layers, kernel in (n1, k1), (n2, k2):
                total += conv(channels, filters, kernel) + norm(filters)
                total += (layers - 1) * (conv(filters, filters, kernel) + norm(filters))
            channels = filters
    return total + dense(512, 10)


def vit(encoders=6, width=128, hidden=2048):
    """Patches of 48 numbers, class token, 65 positions; of an encoder four matrices of attention,
    two norms, two matrices."""
    encoder = (4 * dense(width, width) + 2 * norm(width) + dense(width, hidden)
               + dense(hidden, width))
    return dense(48, width) + width + 65 * width + encoders * encoder + dense(width, 10)


def b_lenet():
    branch = conv(5, 10, 3, True) + dense(640, 10)
    return (conv(1, 5, 5, True) + conv(5, 10, 5, True) + conv(10, 20, 5, True) + dense(720, 84)
            + dense(84, 10) + branch)


def b_alexnet():
    return (conv(3, 32, 5, True) + conv(32, 64, 5, True) + conv(64, 96, 3, True)
            + conv(96, 96, 3, True) + conv(96, 64, 3, True) + dense(1024, 256) + dense(256, 128)
            + dense(128, 10))


def jumpstart_mnist(width, depth):
    return (conv(1, width, 3, True) + (depth - 1) * conv(width, width, 3, True)
            + dense(784 * width, 10))


def jumpstart_cifar(width, depth):
    return (conv(3, width, 3, True) + (depth - 1) * conv(width, width, 3, True)
            + dense(2 * width, 10))


def moons(width, depth, layout):
    """Kernels of 2x1 over two coordinates; or matrices."""
    if layout == 'image':
        return 2 * width + width + (depth - 1) * (2 * width * width + width) + dense(2 * width, 1)
    return dense(2, width) + (depth - 1) * dense(width, width) + dense(width, 1)


# ---- the networks ----

# file, parameters of the file, parameters of the network, shapes by address
STAGES = {'stem': '16x32x32', 'trunk.1': '16x32x32', 'trunk.2': '32x16x16', 'trunk.3': '64x8x8',
          'trunk': '64x8x8', 'head': '10'}
NETWORKS = [
    ('glonet/resnet20', 'arch=resnet20', 269722,
     {'stem': '16x32x32', 'trunk.3': '16x32x32', 'trunk.4': '32x16x16', 'trunk.6': '32x16x16',
      'trunk.7': '64x8x8', 'trunk.9': '64x8x8', 'trunk': '64x8x8', 'head': '10'}),
    ('glonet/resnet20', 'arch=glonet', resnet20(),
     {'stem': '16x32x32', 'trunk.6': '16x32x32', 'trunk.7': '32x16x16', 'trunk.12': '32x16x16',
      'trunk.13': '64x8x8', 'trunk.18': '64x8x8', 'trunk': '64x8x8', 'head': '10'}),
    ('glonet/resnet20', 'arch=glonet-stages', resnet20(), STAGES),
    ('glonet/vit', 'arch=vit', 3574154,
     {'stem': '65x128', 'trunk.1': '65x128', 'trunk.6': '65x128', 'head.1': '128', 'head': '10'}),
    ('glonet/vit', 'arch=glonet encoders=4', vit(4),
     {'stem': '65x128', 'trunk.4': '65x128', 'trunk': '65x128', 'head': '10'}),
    ('multipath/densenet18', '', densenet18(),
     {'stem': '64x8x8', 'trunk.1': '192x8x8', 'trunk.2': '96x4x4', 'trunk.3': '224x4x4',
      'trunk.4': '112x2x2', 'trunk.5': '240x2x2', 'trunk.6': '120x1x1', 'trunk': '248x1x1',
      'head': '10'}),
    ('multipath/densenet18', 'growth=12', densenet18(12), {'trunk': '98x1x1', 'head': '10'}),
    ('multipath/vgg16', '', vgg16(),
     {'trunk.1': '64x16x16', 'trunk.2': '128x8x8', 'trunk.3': '256x4x4', 'trunk.4': '512x2x2',
      'trunk': '512x1x1', 'head.4': '256', 'head': '10'}),
    ('multipath/vgg16', 'width=32', vgg16(32), {'trunk': '256x1x1', 'head.4': '128', 'head': '10'}),
    ('multipath/resnet34', '', 21289802,
     {'stem': '64x8x8', 'trunk.1': '64x8x8', 'trunk.2': '128x4x4', 'trunk.3': '256x2x2',
      'trunk': '512x1x1', 'head': '10'}),
    ('exits/b-lenet', '', b_lenet(),
     {'stem': '5x30x30', 'trunk.1': '5x15x15', 'trunk.2': '10x17x17', 'trunk.3': '10x9x9',
      'trunk.4': '20x11x11', 'trunk.5': '20x6x6', 'trunk.6': '720', 'trunk': '84', 'head': '10',
      'exits.1.2': '10x15x15', 'exits.1.4': '640', 'exits.1': '10'}),
    ('exits/b-alexnet', '', b_alexnet(),
     {'stem': '32x32x32', 'trunk.1': '32x16x16', 'trunk.2': '64x16x16', 'trunk.3': '64x8x8',
      'trunk.4': '96x8x8', 'trunk.6': '96x8x8', 'trunk.7': '64x8x8', 'trunk.8': '64x4x4',
      'trunk.9': '1024', 'trunk.10': '256', 'trunk': '128', 'head': '10'}),
    ('jumpstart/mnist', 'width=8 depth=68', jumpstart_mnist(8, 68),
     {'trunk.1': '8x28x28', 'trunk.68': '8x28x28', 'head': '10'}),
    ('jumpstart/cifar', 'width=192 depth=30', jumpstart_cifar(192, 30),
     {'trunk.1': '192x32x32', 'trunk.30': '192x32x32', 'head.1': '384', 'head': '10'}),
    ('jumpstart/moons-net', 'width=25 depth=150', moons(25, 150, 'image'),
     {'trunk.1': '1x2x1', 'trunk.2': '25x2x1', 'trunk.151': '25x2x1', 'trunk': '50', 'head': '1'}),
    ('jumpstart/moons-net', 'layout=plain width=25 depth=150', moons(25, 150, 'plain'),
     {'trunk.1': '25', 'trunk.150': '25', 'head': '1'}),
]
# blocks a stage, layers and kernels of both paths, dilation of the second, size of the images
PATHS = [(1, 1, 3, 4, 7, 1, 32), (2, 1, 3, 4, 7, 1, 32), (2, 2, 3, 2, 7, 1, 32), (2, 1, 3, 2, 7, 1, 32),
         (2, 8, 3, 1, 7, 1, 200), (2, 8, 3, 1, 11, 2, 250), (2, 8, 3, 8, 3, 1, 160)]
for each in PATHS:
    KEYS = ('blocks', 'n1', 'k1', 'n2', 'k2', 'd2', 'size')
    SIZES = [each[6]]
    for _ in range(4):
        SIZES.append((SIZES[-1] + 1) // 2)
    NETWORKS.append((
        'multipath/mpnet', ' '.join(f'{key}={value}' for key, value in zip(KEYS, each)),
        mpnet(*each[:5]), {'stem': f'64x{each[6]}x{each[6]}', 'head': '10',
                           **{f'trunk.{i}': f'{32 << i}x{SIZES[i]}x{SIZES[i]}' for i in range(1, 4)},
                           'trunk': f'512x{SIZES[4]}x{SIZES[4]}'}))


def make_data():
    if os.path.exists('data'):
        return
    write_cifar('data/cifar-10')
    draw = random.Random(2)
    for name, rows in ('train', 40), ('t10k', 8):
        write_idx(f'data/mnist/{name}-images-idx3-ubyte', [rows, 28, 28], draw.randbytes(rows * 784))
        write_idx(f'data/mnist/{name}-labels-idx1-ubyte', [rows], [draw.randrange(10) for _ in range(rows)])


def options(file):
    """A validation set as large as that of the file is not in the data made here."""
    held = {'exits/b-lenet': 'data.idx', 'exits/b-alexnet': 'data.cifar'}
    return ['-o', f'{held[file]}.validation=4'] if file in held else []


def call(verb, file, *arguments):
    make_data()
    return succeed(verb, f'{PIPELINES}/{file}.yaml', '--data', 'data', *options(file), *arguments)


def shapes(file, words, parameters, expected):
    report = json.loads(call('check', file, '--json', *words.split()))
    expect(report['parameters'], parameters)
    layers = json.loads(call('inspect', file, '--layers', '--json', *words.split()))['layers']
    got = {layer['address']: layer['shape'] for layer in layers}
    expect({address: got.get(address) for address in expected}, expected)


def published():
    """What is counted here by hand agrees with what is printed elsewhere."""
    expect((resnet20(), resnet34(), vit()), (269722, 21289802, 3574154))


def folder(file):
    """The same network on a folder of images."""
    write_tree('tree')
    held = ['-o', 'data.image-folder.validation=0'] if file.startswith('exits/') else []
    report = json.loads(succeed('check', f'{PIPELINES}/{file}.yaml', 'set=image-folder',
                                'folder=tree', '--json', *held))
    expect((report['inputs'], report['classes'], report['rows']), ('3x32x32', 10, 20))


def imagenette():
    """The figures on ImageNette: what they come to, and a step of figure 8c, its stages narrowed."""
    study = f'{PIPELINES}/multipath/mpnet-imagenette.yaml'
    write_tree('tree', rows=1, test='val')
    where = ['--data', 'data', '-o', 'data.image-folder.folder=tree']
    said = succeed('check', study, *where)
    assert ' 4 points' in said, said
    narrow = [word.replace('f=8', 'f=2') for word in NARROW]
    succeed('sweep', study, 'cases=figure-8c', '-q', '--study-dir', 'study', '--device', 'cpu', *where,
            '-o', 'train.epochs=1', '-o', 'train.batch=5', '-o', 'model.stem.conv.filters=2', *narrow)
    with open('study/sweep.csv', encoding='utf-8', newline='') as stream:
        row, = csv.DictReader(stream)
    expect((row['cases'], row['status'], row['epochs']), ('figure-8c', 'done', '1'))
    assert math.isfinite(float(row['last.test.accuracy'])), row
    resolved = f'study/{row["run"]}/config.resolved.yaml'
    layer = json.loads(succeed('inspect', resolved, '--layers', '--json'))['layers'][0]
    expect((layer['address'], layer['shape']), ('input', '3x200x200'))
    for part in ('size: [228]', 'random-resized-crop: {size: [200],', 'centre-crop: {size: [200]}',
                 'mean: [0.485, 0.456, 0.406]', 'std: [0.229, 0.224, 0.225]'):
        assert part in read(resolved), read(resolved)


# ---- steps ----

NARROW = [word for i in range(1, 5) for word in ('-o', f'model.trunk.{i}.stage.f=8')]
SMALL = {
    'multipath/mpnet': NARROW,
    'multipath/vgg16': ['width=8'],
    'multipath/resnet34': [word for i in range(2, 5)
                           for word in ('-o', f'model.trunk.{i}.stage.filters={8 << i}')],
    'glonet/vit': ['hidden=64'],
}


STAGES_OF = {'exits/b-lenet': ['1.', '2.'], 'exits/b-alexnet': ['1.']}


def step(file, words, device='cpu'):
    stages = STAGES_OF.get(file, [''])
    small = [word for stage in stages for word in ('-o', f'train.{stage}epochs=1',
                                                   '-o', f'train.{stage}batch=4')]
    call('run', file, '--run-dir', 'run', '-q', '--device', device, '--limit-batches', '1', *small,
         '-o', 'inference.batch=8', *words.split(), *SMALL.get(file, []))
    rows = metrics('run')
    expect(len(rows), len(stages))
    for row in rows:
        assert all(math.isfinite(float(value)) for value in row.values()), row
        assert 0 < float(row['train.loss']) < 30, row


def weights(run, name='last'):
    found = {}
    for key, (_, _, data) in tensors(f'{run}/checkpoints/{name}/model.safetensors').items():
        found[key] = struct.unpack(f'<{len(data) // 4}f', data)
    return found


def parity(arch):
    """A step of gradient descent from states that a run passes through. The rectifier's corner
    turns the last bit of a sum into another gradient, so that SiLU stands in for it."""
    smooth = ['-o', 'parts.simple.blocks.conv.activation=silu', '-o', 'model.head.2=silu',
              '-o', 'train.batch=8', '-o', 'inference.batch=8', f'arch={arch}', '-q']
    call('run', 'glonet/resnet20', '--run-dir', 'before', '-o', 'train.epochs=3', '-o',
         'train.checkpoint.keep-last=3', '--device', 'cpu', *smooth)
    states = checkpoints('before')
    assert len(states) >= 3, states
    for state in states[-3:]:
        begin = f'before/checkpoints/{state}'
        one = [*smooth, '-o', f'model={{from: {begin}}}', '-o', 'train.epochs=1',
               '--limit-batches', '1']
        one = [word for i, word in enumerate(one)
               if 'silu' not in word and not (word == '-o' and 'silu' in one[i + 1])]
        for run, device, rate in ((f'still-{state}', 'cpu', '1e-30'), (f'cpu-{state}', 'cpu', '1'),
                                  (f'other-{state}', DEVICE, '1')):
            call('run', 'glonet/resnet20', '--run-dir', run, '--device', device, *one,
                 '-o', f'train.optimizer={{sgd: {{lr: {rate}}}}}')
        compare(f'still-{state}', f'cpu-{state}', f'other-{state}')


def compare(still, cpu, other):
    losses = [float(metrics(run)[-1]['train.loss']) for run in (cpu, other)]
    assert abs(losses[0] - losses[1]) <= MAX_LOSS * losses[0], losses
    begin, on_cpu, on_other = weights(still), weights(cpu), weights(other)
    error = change = 0
    for name, values in begin.items():
        change += sum((a - b) ** 2 for a, b in zip(on_cpu[name], values))
        error += sum((a - b) ** 2 for a, b in zip(on_cpu[name], on_other[name]))
    assert change > 0
    assert error <= MAX_NMSE * change, f'NMSE of the step {error / change:.3g}'


STEPS = [('glonet/resnet20', 'arch=resnet20'), ('glonet/resnet20', 'arch=glonet'),
         ('glonet/resnet20', 'arch=glonet-stages'), ('glonet/vit', 'arch=vit'),
         ('glonet/vit', 'arch=glonet'), ('multipath/densenet18', ''), ('multipath/vgg16', ''),
         ('multipath/resnet34', ''), ('multipath/mpnet', ''), ('exits/b-lenet', ''),
         ('exits/b-alexnet', ''), ('jumpstart/mnist', 'width=2'), ('jumpstart/cifar', 'width=2'),
         ('jumpstart/moons-net', 'layout=image'), ('jumpstart/moons-net', 'layout=plain')]


def case(kind, file, words, function, *more):
    label = '/'.join(['', 'networks', kind, file, *words.split()])
    return label, in_folder(lambda: function(file, words, *more))


if DEVICE is None:
    cases = [case('shapes', file, words, shapes, *expected)
             for file, words, *expected in NETWORKS]
    cases += [case('step', file, words, step) for file, words in STEPS]
    cases += [(f'/networks/folder/{file}', in_folder(lambda file=file: folder(file)))
              for file in ('glonet/resnet20', 'glonet/vit', 'multipath/densenet18', 'multipath/vgg16',
                           'multipath/resnet34', 'multipath/mpnet', 'exits/b-alexnet',
                           'jumpstart/cifar')]
    cases += [('/networks/published', published), ('/networks/imagenette', in_folder(imagenette))]
else:
    cases = [case('step', file, words, step, DEVICE) for file, words in STEPS[:2]]
    cases += [(f'/networks/parity/{arch}', in_folder(lambda arch=arch: parity(arch)))
              for arch in ('resnet20', 'glonet')]
tap.run(cases)
