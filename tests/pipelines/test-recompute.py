#!/usr/bin/env python3
# tests/pipelines/test-recompute.py - SPDX-License-Identifier: MIT
"""`train: {recompute: true}`: the same weights to the last bit, with less memory."""

import json
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import in_folder, make_table, succeed, write, write_idx  # noqa: E402

HEAD = '''adit: 1
data: {csv: {path: table.csv, target: y, test: 20%}}
'''
TAIL = '''train: {loss: mse, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 2}
'''
MODELS = {
    # two layers a block, one of which none reads but the next
    'loop': '''parts: {block: {blocks: [{dense: {units: 8, activation: tanh}}, {dense: {units: 8, activation: relu}}]}}
model:
  stem: {dense: {units: 8}}
  trunk: {aggregator: glonet, blocks: [{repeat: {times: 9, blocks: [block]}}]}
  head: {dense: {units: 1}}
''',
    # what is drawn at random is drawn again
    'dropout': '''parts: {block: {blocks: [{dense: {units: 8, activation: silu}}, {dropout: {rate: 0.3}}, layer-norm]}}
model:
  stem: {dense: {units: 8}}
  trunk: {aggregator: residual, blocks: [{repeat: {times: 4, blocks: [block]}}, block, {dropout: {rate: 0.1}}]}
  head: {dense: {units: 1}}
''',
    # slices meet within the blocks
    'batch-norm': '''parts: {block: {params: {units: 8}, blocks: [{dense: {units: $units, norm: batch-norm, activation: relu}}, {dense: {units: $units, norm: batch-norm, activation: relu}}]}}
model:
  stem: {dense: {units: 8}}
  trunk: {blocks: [{repeat: {times: 3, blocks: [block]}}, {block: {units: 6}}, {block: {units: 4}}]}
  head: {dense: {units: 1}}
''',
    # blocks within blocks
    'nested': '''parts: {inner: {aggregator: residual, blocks: [{repeat: {times: 3, blocks: [{dense: {units: 8, activation: tanh}}]}}]}}
model:
  stem: {dense: {units: 8}}
  trunk: {blocks: [{sequence: [inner, {paths: {of: {a: inner, b: [{dense: {units: 8}}]}}}]}, inner]}
  head: {dense: {units: 1}}
''',
}
IMAGES = '''adit: 1
data: {idx: {folder: data}}
parts:
  layer: {blocks: {conv: {filters: 6, norm: batch-norm, activation: relu}}}
  pair: {blocks: [layer, layer]}
model:
  stem: {conv: {filters: 6}}
  trunk: {blocks: [pair, pair, pair, pair, {sequence: [pair, pool]}, pair, pair]}
  head: [global-pool, {dense: {units: 10}}]
train: {loss: cross-entropy, optimizer: {sgd: {lr: 0.1}}, batch: 32, epochs: 2}
'''
# an operation with inputs that draws what dropout needs by itself
TOKENS = '''adit: 1
data: {idx: {folder: data}}
parts: {block: {aggregator: residual, blocks: [{sequence: [layer-norm, {attention: {heads: 2, dropout: 0.2}}]}]}}
model:
  stem: {patch-embed: {patch: 3, width: 8}}
  trunk: {blocks: [{repeat: {times: 3, blocks: [block]}}, block]}
  head: [{token: {index: 1}}, {dense: {units: 10}}]
train: {loss: cross-entropy, optimizer: {sgd: {lr: 0.1}}, batch: 32, epochs: 2}
'''
OF_IMAGES = {'images': IMAGES, 'tokens': TOKENS}


def read(path):
    with open(path, 'rb') as stream:
        return stream.read()


def train(name, *arguments):
    succeed('run', 'small.yaml', '--run-dir', name, '-q', *arguments)
    return read(f'{name}/checkpoints/last/model.safetensors')


def make_images():
    draw = random.Random(1)
    for name, rows in ('train', 70), ('t10k', 10):
        write_idx(f'data/{name}-images-idx3-ubyte', [rows, 12, 12], draw.randbytes(rows * 144))
        write_idx(f'data/{name}-labels-idx1-ubyte', [rows], [draw.randrange(10) for _ in range(rows)])


def prepare(name):
    if name in OF_IMAGES:
        make_images()
        write('small.yaml', OF_IMAGES[name])
    else:
        make_table('table.csv')
        write('small.yaml', HEAD + MODELS[name] + TAIL)


def same_bits(name, *arguments):
    prepare(name)
    kept = train('kept', *arguments)
    assert train('again', '-o', 'train.recompute=true', *arguments) == kept


def less_memory():
    prepare('images')
    kept, again = (
        json.loads(succeed('bench', 'small.yaml', '--time', '1 ms', '--json', '-o',
                           f'train.recompute={value}'))['memory']['device-bytes']
        for value in ('false', 'true'))
    assert again < 0.75 * kept, (again, kept)


tap.run([(f'/recompute/{name}', in_folder(lambda name=name: same_bits(name)))
         for name in [*MODELS, *OF_IMAGES]]
        + [(f'/recompute/{name}/threads', in_folder(lambda name=name: same_bits(name, '--threads', '3')))
           for name in ('batch-norm', *OF_IMAGES)]
        + [('/recompute/memory', in_folder(less_memory))])
