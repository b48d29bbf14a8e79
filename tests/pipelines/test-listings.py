#!/usr/bin/env python3
# tests/pipelines/test-listings.py - SPDX-License-Identifier: MIT
"""The papers' networks, block by block with all settings, against listings written by hand from the
papers and the published programs: what parameter counts and shapes do not show."""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (ENVIRONMENT, PIPELINES, expect, in_folder, write_cifar,  # noqa: E402
                     write_idx)

LIST_BLOCKS = os.environ['ADIT_LIST_BLOCKS']


# ---- what a file comes to, one line a block ----

def tell(value):
    """{'pool': {'type': 'max', 'size': [3]}} -> 'pool(type max, size 3)'."""
    if isinstance(value, dict):
        (name, settings), = value.items()
        return f'{name}({", ".join(f"{key} {tell(each)}" for key, each in settings.items())})'
    if isinstance(value, list):
        return tell(value[0]) if len(value) == 1 else '[' + ', '.join(map(tell, value)) + ']'
    return value


def tell_layer(name, settings):
    """In the order in which it is computed: 'batch-norm(..) relu conv 16 /2', 'dense 10 bias'."""
    settings = dict(settings)
    words = [name, settings.pop('filters' if name == 'conv' else 'units')]
    around = [tell(settings.pop(key)) for key in ('norm', 'activation')
              if settings.get(key, 'identity') != 'identity']
    if name == 'conv':
        words.append('x'.join(settings.pop('kernel', ['3'])))
        for key, sign, usual in (('stride', '/', '1'), ('dilation', 'd', '1'),
                                 ('padding', '+', 'same'), ('groups', 'groups ', '1')):
            value = tell(settings.pop(key, usual))
            if value != usual:
                words.append(sign + value)
    if settings.pop('bias') == 'true':
        words.append('bias')
    order = settings.pop('order')
    words += [f'{key} {tell(value)}' for key, value in settings.items()
              if key in ('initializer', 'bias-initializer')]
    expect(sorted({*settings} - {'norm', 'activation', 'initializer', 'bias-initializer'}), [])
    return ' '.join(around + words if order == 'pre' else words + around)


def tell_blocks(block, lines):
    if not block:
        return
    if isinstance(block, dict) and 'items' in block:
        wiring = tell(block['aggregator'])
        is_chain = wiring.startswith('chain')
        if not is_chain:
            lines.append(wiring)
        for item in block['items']:
            tell_blocks(item, lines)
        if not is_chain:
            lines.append('end')
    elif isinstance(block, dict) and 'join' in block:
        for name, path in block['of'].items():
            lines.append(f'path {name}')
            tell_blocks(path, lines)
        lines.append(block['join'])
    else:
        name = next(iter(block)) if isinstance(block, dict) else block
        lines.append(tell_layer(name, block[name]) if name in ('conv', 'dense') else tell(block))


def tell_stage(stage):
    return (f'{tell(stage["loss"])} {tell(stage["optimizer"])} batch {stage["batch"]:g} '
            f'epochs {stage["epochs"]} shuffle {str(stage["shuffle"]).lower()} '
            f'regularizers {tell(stage["regularizers"])}')


def make_data():
    write_cifar('data/cifar-10')
    for name in 'train', 't10k':
        write_idx(f'data/mnist/{name}-images-idx3-ubyte', [4, 2, 2], bytes(16))
        write_idx(f'data/mnist/{name}-labels-idx1-ubyte', [4], bytes(4))


def listing(file, words):
    make_data()
    done = subprocess.run([LIST_BLOCKS, f'{PIPELINES}/{file}.yaml', 'data', *words.split()],
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    lines = []
    for section in 'stem', 'trunk', 'head':
        lines.append(f'{section}:')
        tell_blocks(found[section], lines)
    for place in found['exits']:
        lines.append(f'exit at {place["at"]}:')
        tell_blocks(place['head'], lines)
    (_, data), = found['data'].items()
    return {'blocks': lines, 'initializer': tell(found['initializer']),
            'stages': [tell_stage(stage) for stage in found['stages']],
            **{key: tell(data[key]) for key in ('augment', 'transform', 'standardize') if key in data}}


# ---- by hand ----

KERAS = 'batch-norm(momentum 0.99, epsilon 0.001)'
TORCH = 'batch-norm(momentum 0.9, epsilon 1e-05)'
UNIFORM = 'kaiming-uniform(slope 2.23606797749979)'
TORCH_BIAS = f'bias bias-initializer {UNIFORM}'
TORCH_LAYER = f'bias initializer {UNIFORM} bias-initializer {UNIFORM}'


def steps(every):
    return f'step(from 0.1, factor 0.1, every {every})'


def sgd(every, momentum=0, decay=0):
    return f'sgd(lr {steps(every)}, momentum {momentum}, nesterov false, decay {decay})'


def adam(rate, epsilon='1e-08'):
    return f'adam(lr {rate}, beta1 0.9, beta2 0.999, epsilon {epsilon})'


def stage(loss, optimizer, batch, epochs, shuffle='true'):
    return f'{loss} {optimizer} batch {batch} epochs {epochs} shuffle {shuffle} regularizers []'


def global_pool(kind='average'):
    return f'global-pool(type {kind})'


CROP_AND_FLIP = '[random-crop(padding 4), flip(probability 0.5)]'
CIFAR = 'normalize(mean [0.4914, 0.4822, 0.4465], std [0.2023, 0.1994, 0.201])'
# the multi-path paper's training
MULTIPATH = {'augment': CROP_AND_FLIP, 'transform': CIFAR,
             'stages': [stage('cross-entropy', sgd(10), 64, 30)]}
IMAGENET_STEM = ['stem:', f'conv 64 7 /2 {TORCH} relu',
                 'pool(type max, size 3, stride 2, padding 1)']


def mpnet(blocks, n1, k1, n2, k2, d2, resize):
    """Conv, BN, ReLU; the last layers of a stage's last block halve; nothing behind the sum."""
    lines = ['stem:', f'conv 64 3 {TORCH} relu', 'trunk:']
    for filters in 64, 128, 256, 512:
        for block in range(blocks):
            for name, layers, kernel, far in ('short', n1, k1, 1), ('long', n2, k2, d2):
                lines.append(f'path {name}')
                for layer in range(layers):
                    halves = layer == layers - 1 and block == blocks - 1
                    lines.append(f'conv {filters} {kernel}' + ' /2' * halves
                                 + f' d{far}' * (far > 1) + f' {TORCH} relu')
            lines.append('sum')
    lines += ['head:', global_pool(), f'dense 10 {TORCH_BIAS}']
    return {**MULTIPATH, 'blocks': lines, 'initializer': UNIFORM,
            'transform': f'[resize(size {resize}, method bilinear), {CIFAR}]'}


def resnet34():
    """Two conv-BN and a bypass, of 1x1 where the stage begins; the rectifier stands behind the sum."""
    lines = IMAGENET_STEM + ['trunk:']
    for filters, blocks in (64, 3), (128, 4), (256, 6), (512, 3):
        for block in range(blocks):
            begins = block == 0 and filters > 64
            lines += ['path long', f'conv {filters} 3' + ' /2' * begins + f' {TORCH} relu',
                      f'conv {filters} 3 {TORCH}', 'path short']
            lines += [f'conv {filters} 1 /2 {TORCH}'] * begins
            lines += ['sum', 'relu']
    lines += ['head:', global_pool(), f'dense 10 {TORCH_LAYER}']
    return {**MULTIPATH, 'blocks': lines, 'initializer': 'he-normal'}


def densenet18(growth):
    """Four blocks of four: BN-ReLU-conv 1x1 to 4 growths, BN-ReLU-conv 3x3; halved in between."""
    lines = IMAGENET_STEM + ['trunk:']
    layer = [f'{TORCH} relu conv {4 * growth} 1', f'{TORCH} relu conv {growth} 3']
    for block in range(4):
        lines += [CONCAT, *layer * 4, 'end']
        if block < 3:
            lines += [f'{TORCH} relu conv 50% 1', 'pool(type average)']
    lines += ['head:', TORCH, 'relu', global_pool(), f'dense 10 bias initializer {UNIFORM}']
    return {**MULTIPATH, 'blocks': lines, 'initializer': 'he-normal'}


def vgg16(width):
    """Configuration D with biases and BN; BN and dropout before both matrices of the classifier."""
    lines = ['stem:', 'trunk:']
    for filters, layers in (1, 2), (2, 2), (4, 3), (8, 3), (8, 3):
        lines += [f'conv {filters * width} 3 bias {TORCH} relu'] * layers + ['pool(type max)']
    drawn = 'bias initializer normal(mean 0, std 0.01)'
    lines += ['head:', global_pool(), TORCH, 'dropout(rate 0.25)', f'dense 50% {drawn} relu',
              TORCH, 'dropout(rate 0.25)', f'dense 10 {drawn}']
    return {**MULTIPATH, 'blocks': lines, 'initializer': 'he-normal'}


WIRED = 'input {}, adapt {}, adapt-space {}, adapt-to last'
CONCAT = f'concat({WIRED.format("true", "none", "none")})'


def resnet20(wiring, norm=KERAS):
    """18 of BN-ReLU-conv; where a stage begins the first of them has stride 2."""
    lines = ['stem:', 'conv 16 3', 'trunk:', wiring]
    for filters in 16, 32, 64:
        for layer in range(6):
            halves = layer == 0 and filters > 16
            around = f'{norm} relu ' if norm else 'relu '
            lines.append(around + f'conv {filters} 3' + ' /2' * halves)
    lines += ['end', 'head:', KERAS, 'relu', global_pool(), 'dense 10 bias']
    return {'blocks': lines, 'initializer': 'he-normal', 'augment': CROP_AND_FLIP,
            'transform': CIFAR,
            'stages': [stage('cross-entropy', sgd(50, 0.9, 0.0001), 128, 200)]}


def vit(arch, encoders):
    """Attention with 4 heads, a network of 2048; PyTorch's stock layer has its dropout four times,
    in the attention too. Norms stand before what they are for."""
    norm, drop = 'layer-norm(epsilon 1e-05)', 'dropout(rate 0.1)'
    attention = [norm, 'attention(heads 4, bias true, dropout 0.1)', drop]
    network = [norm, f'dense 2048 {TORCH_BIAS} relu', drop, f'dense 128 {TORCH_BIAS}', drop]
    if arch == 'vit':
        residual = f'residual({WIRED.format("true", "none", "none")})'
        trunk = [residual, *attention, *network, 'end'] * encoders
    else:
        glonet = f'glonet({WIRED.format("false", "none", "none")}, weights one)'
        trunk = [glonet, *(attention + network) * encoders, 'end']
    stem = ['stem:', f'patch-embed(patch 4, width 128, bias true, bias-initializer {UNIFORM})',
            'class-token', 'positions(initializer normal(mean 0, std 1))']
    return {'blocks': [*stem, 'trunk:', *trunk, 'head:', 'token(index 1)', f'dense 10 {TORCH_BIAS}'],
            'initializer': UNIFORM, 'augment': CROP_AND_FLIP,
            'stages': [stage('cross-entropy', adam(0.0001), 128, 500)]}


def b_lenet():
    """Pooled, then rectified; no activation before the last two matrices."""
    shrink = ['pool(type max, padding same)', 'relu']
    return {'blocks': ['stem:', 'conv 5 5 +3 bias', 'trunk:', *shrink, 'conv 10 5 +3 bias', *shrink,
                       'conv 20 5 +3 bias', *shrink, 'flatten', 'dense 84 bias',
                       'head:', 'dense 10 bias',
                       'exit at stem:collect:', *shrink, 'conv 10 3 bias', *shrink, 'flatten',
                       'dense 10 bias'],
            'initializer': 'lecun-normal', 'stages': [stage('cross-entropy', adam(0.001), 512, epochs)
                                                      for epochs in (50, 100)]}


def b_alexnet():
    """Chainer's normalisation adds 2 to the sum."""
    pool = 'pool(type max, size 3, stride 2, padding end)'
    shrink = ['relu', pool, 'lrn(size 3, alpha 5e-05, beta 0.75, k 2)']
    drop = 'dropout(rate 0.5)'
    return {'blocks': ['stem:', 'conv 32 5 bias', 'trunk:', *shrink, 'conv 64 5 bias', *shrink,
                       'conv 96 3 bias', 'relu', 'conv 96 3 bias relu', 'conv 64 3 bias relu', pool,
                       'flatten', 'dense 256 bias relu', drop, 'dense 128 bias relu', drop,
                       'head:', 'dense 10 bias'],
            'initializer': 'lecun-normal', 'standardize': 'channels',
            'stages': [stage('cross-entropy', adam(0.001), 512, 50)]}


def jumpstart(blocks, head, initializer, loss, optimizer, batch, epochs, shuffle, regularizer):
    terms = ', '.join(f'{name} true' for name in ('dead-units', 'linear-units', 'dead-points',
                                                  'linear-points'))
    at, weight, aggregation, scope = regularizer
    penalty = (f'jumpstart({at}weight {weight}, margin 1, balance 0.5, aggregation {aggregation}, '
               f'scope {scope}, gradient first, {terms})')
    trained = stage(loss, optimizer, batch, epochs, shuffle)
    return {'blocks': ['stem:', 'trunk:', *blocks, 'head:', *head], 'initializer': initializer,
            'stages': [trained.replace('regularizers []', f'regularizers {penalty}')]}


def bypass(depth):
    layer = f'dense 128 {TORCH_BIAS} relu'
    return {'blocks': ['stem:', 'flatten', layer, 'trunk:', 'path through', *[layer] * depth,
                       'path skip', 'sum', *[layer] * 8, 'head:', f'dense 10 {TORCH_BIAS}'],
            'initializer': UNIFORM, 'stages': [stage('cross-entropy', adam(0.001), 2000, 30)]}


# file, parameters of the file, what it comes to
LISTINGS = [
    ('glonet/resnet20', 'arch=resnet20', resnet20(f'residual({WIRED.format("true", "pad", "stride")})')),
    ('glonet/resnet20', 'arch=glonet',
     resnet20(f'glonet({WIRED.format("false", "pad", "none")}, weights one)')),
    ('glonet/resnet20', 'arch=glonet-stages',
     resnet20(f'glonet({WIRED.format("true", "random", "crop")}, weights one)')),
    ('glonet/resnet20', 'arch=glonet norm=identity',
     resnet20(f'glonet({WIRED.format("false", "pad", "none")}, weights one)', None)),
    ('multipath/mpnet', '', mpnet(2, 1, 3, 4, 7, 1, 32)),
    ('multipath/mpnet', 'blocks=1', mpnet(1, 1, 3, 4, 7, 1, 32)),
    ('multipath/mpnet', 'n1=2 n2=2', mpnet(2, 2, 3, 2, 7, 1, 32)),
    ('multipath/mpnet', 'n1=8 n2=1 k2=11 d2=2 size=250', mpnet(2, 8, 3, 1, 11, 2, 250)),
    ('multipath/resnet34', '', resnet34()),
    ('multipath/densenet18', '', densenet18(32)),
    ('multipath/densenet18', 'growth=12', densenet18(12)),
    ('multipath/vgg16', '', vgg16(64)),
    ('multipath/vgg16', 'width=32', vgg16(32)),
    ('multipath/bypass', '', bypass(128)),
    ('glonet/vit', 'arch=vit', vit('vit', 6)),
    ('glonet/vit', 'arch=glonet encoders=4', vit('glonet', 4)),
    ('exits/b-lenet', '', b_lenet()),
    ('exits/b-alexnet', '', b_alexnet()),
    ('jumpstart/mnist', 'width=4 depth=68',
     jumpstart(['conv 4 3 bias relu'] * 68, ['flatten', 'dense 10 bias'], 'glorot-uniform',
               'cross-entropy', adam(0.001, '1e-07'), 1024, 50, 'false',
               ('', '1e-08', 'sum-of-squares', 'position'))),
    ('jumpstart/cifar', 'width=192 depth=30',
     jumpstart([f'conv 192 3 {TORCH_BIAS} relu'] * 30, [global_pool('both'), f'dense 10 {TORCH_BIAS}'],
               UNIFORM, 'cross-entropy', adam(0.001), 128, 400, 'true',
               ('at [**:pre, head], ', '0.001', 'l2', 'space')) | {'standardize': 'channels'}),
    ('jumpstart/moons-net', '',
     jumpstart(['reshape(shape [1, 2, 1])', *['conv 3 2x1 bias relu'] * 10, 'flatten'],
               ['dense 1 bias'], 'glorot-uniform', 'binary-cross-entropy', adam(0.01, '1e-07'), 1,
               5000, 'false', ('', '0.0001', 'sum-of-squares', 'position'))),
]


def check(file, words, expected):
    got = listing(file, words)
    expect('\n'.join(got.pop('blocks')), '\n'.join(expected['blocks']))
    expect(got, {'standardize': 'none',
                 **{key: value for key, value in expected.items() if key != 'blocks'}})


tap.run([('/'.join(['', 'listings', file, *words.split()]),
          in_folder(lambda file=file, words=words, expected=expected: check(file, words, expected)))
         for file, words, expected in LISTINGS])
