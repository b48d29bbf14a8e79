#!/usr/bin/env python3
# tests/pipelines/test-bits.py - SPDX-License-Identifier: MIT
"""The same file, seed and data give the same bits: run after run, for every number of threads, and
in evaluation for every batch size."""

import json
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (differing, expect, figures, in_folder, make_images, make_table,  # noqa: E402
                     metrics, read, results, succeed, tensors, write)

# Last batches are ragged in training (132 = 8 * 16 + 4) and in evaluation, and all that keeps state
# of its own is here: dropout, running statistics, schedules, momenta, clipping, two stages.
STAGES = '''adit: 1
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%, validation: 15%}}
model:
  stem: [{dense: {units: 8}}]
  trunk:
    aggregator: residual
    blocks:
      - repeat:
          times: 4
          blocks: [{sequence: [{dense: {units: 8, norm: batch-norm, activation: relu}}, {dropout: {rate: 0.1}}]}]
  head: [{dense: {units: 1}}]
train:
  - name: first
    loss: mse
    optimizer: {adam: {lr: {cosine: {from: 0.01, to: 1e-4}}}}
    regularizers: [{l2: {weight: 1e-4}}]
    batch: 16
    epochs: 4
    clip: 1
  - name: second
    optimizer: {sgd: {lr: {warm-up: {over: 5 steps, then: 0.005}}, momentum: 0.9, nesterov: true}}
    epochs: 3
    micro-batch: 5
    freeze: [stem]
    rates: [{at: head, factor: 0.5}]
probes: [{block-norm: {at: trunk.*, every: 2}}]
'''

CLASSES = '''adit: 1
data: {moons: {samples: 601, noise: 0.2, test: 30%}}
model:
  stem: [{dense: {units: 24}}]
  trunk:
    aggregator: {glonet: {weights: softmax}}
    blocks: [{repeat: {times: 6, blocks: [{dense: {units: 24, norm: layer-norm, activation: gelu, order: pre}}]}}]
  head: [{dense: {units: 2}}]
train:
  {loss: cross-entropy, optimizer: {adamw: {lr: 0.005}}, regularizers: [{l1: {weight: 1e-5}}], batch: 48, epochs: 4}
'''
# Kernels that do the work of several take a normalisation before a layer and its way back, and the
# sum along the skips.
SKIPS = '''adit: 1
params: {width: 17}
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%, validation: 15%}}
model:
  stem: [{dense: {units: $width}}]
  trunk:
    aggregator: residual
    blocks: [{repeat: {times: 4, blocks: [{sequence: [{dense: {units: $width, norm: batch-norm, activation: relu, order: pre}},
                                                      {dense: {units: $width, norm: batch-norm, activation: relu, order: pre}}]}]}}]
  head: [{dense: {units: 1}}]
train: {loss: mse, optimizer: {adam: {lr: 0.01}}, batch: 48, epochs: 4}
'''
# Every row of a batch draws for itself where it is cut, and whether it is mirrored.
IMAGES = '''adit: 1
data:
  idx:
    folder: images
    test: 20%
    augment: [{random-crop: {padding: 1}}, flip, {random-resized-crop: {min-area: 0.5}}, {cutout: {size: 1}}]
    transform: {normalize: {mean: 0.5, std: 0.25}}
model: {stem: [flatten, {dense: {units: 24, activation: relu}}], head: [{dense: {units: 3}}]}
train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 48, micro-batch: 20, epochs: 4}
'''
PIPELINES = {'stages': STAGES, 'classes': CLASSES, 'skips': SKIPS, 'images': IMAGES}


def prepare(name):
    write(f'{name}.yaml', PIPELINES[name])
    make_table('table.csv')
    make_images('images', 203)


def train(name, run, *arguments, env=None):
    prepare(name)
    succeed('run', f'{name}.yaml', '--run-dir', run, '-q', *arguments, env=env)


def repeated(name):
    for run in 'abc':
        train(name, run)
    expect((differing('a', 'b'), differing('a', 'c')), ([], []))
    expect(len(metrics('a')), 7 if name == 'stages' else 4)


def threads(name):
    for count in (1, 2, 3):
        train(name, str(count), '--threads', count)
    expect((differing('1', '2'), differing('1', '3')), ([], []))


def other_seed(name):
    train(name, 'a')
    train(name, 'b', '-o', 'seed=1')
    weights = [tensors(f'{run}/checkpoints/last/model.safetensors') for run in 'ab']
    expect(list(weights[0]), list(weights[1]))
    same = [tensor for tensor in weights[0] if weights[0][tensor] == weights[1][tensor]]
    expect(same, [])
    assert figures('a') != figures('b')


def kernels(name):
    """Other instruction sets may differ in the last bits; each is the same as itself."""
    for run in 'ab':
        prepare(name)
        succeed('run', f'{name}.yaml', '--run-dir', run, '--threads', 1 if run == 'a' else 2,
                env={'ADIT_ISA': 'portable'})
    expect(differing('a', 'b'), [])
    expect(json.loads(read('a/run.json'))['device']['instruction-set'], 'portable')


def plain():
    """Kernels for several operations, or one by one: of lines that are more than a vector, one, and
    less."""
    for width, isa in ((17, ''), (16, ''), (13, ''), (4, 'portable'), (3, 'portable')):
        train('skips', f'a{width}', f'width={width}', env={'ADIT_ISA': isa})
        train('skips', f'b{width}', f'width={width}', env={'ADIT_ISA': isa, 'ADIT_FUSE': '0'})
        expect(differing(f'a{width}', f'b{width}'), [])


def evaluation(name):
    train(name, 'run')
    for split in ('test', 'train'):
        answers, tables = set(), set()
        for batch in (1, 7, 64, 1000):
            for count in (1, 2):
                answers.add(succeed('eval', 'run', '--json', '--split', split, '--batch', batch,
                                    '--threads', count))
            succeed('predict', 'run', '--split', split, '--batch', batch, '--output', 'answers.csv')
            tables.add(read('answers.csv'))
            tables.add(succeed('predict', 'run', '--split', split, '--batch', batch))
        expect((len(answers), len(tables)), (1, 1))
        rows = tables.pop().splitlines()
        answer = json.loads(answers.pop())
        expect(len(rows) - 1, answer['rows'])
        if split == 'test':
            expect(f"{answer['loss']:.9g}", metrics('run')[-1]['test.loss'])


def loss_again():
    """What predict writes is what eval measured: the mean of the squares, taken here."""
    train('stages', 'run')
    rows = [line.split(',') for line in succeed('predict', 'run').splitlines()]
    expect(rows[0], ['row', 'target', 'value'])
    squares = [(float(target) - float(value)) ** 2 for _, target, value in rows[1:]]
    answer = json.loads(succeed('eval', 'run', '--json'))
    assert abs(sum(squares) / len(squares) - answer['value']) < 1e-6 * answer['value'], answer


def best_checkpoint():
    """The checkpoint called best is the one whose figure was the best of its stage."""
    train('classes', 'run')
    losses = [float(row['test.loss']) for row in metrics('run')]
    best = metrics('run')[losses.index(min(losses))]
    expect(results('run')['best'], f'step-{int(best["step"]):08d}')
    answer = json.loads(succeed('eval', 'run', '--checkpoint', 'best', '--json'))
    expect(f"{answer['loss']:.9g}", best['test.loss'])


def probes_of_stages():
    """Epochs are counted in each stage: the second's figures do not replace the first's."""
    train('stages', 'run')
    rows = [line.split(',') for line in read('run/probes/block-norm.csv').splitlines()]
    times = [rows[i][2] for i in range(1, len(rows)) if rows[i][3] == 'trunk.1']
    expect(times, ['first.0', 'first.2', 'first.4', 'second.0', 'second.2', 'end'])


SETS = '''adit: 1
data: [{moons: {name: clean, samples: 200}}, {moons: {name: noisy, samples: 200, noise: 0.3}}]
model: {trunk: [{dense: {units: 8, activation: relu}}], head: {dense: {units: 2}}}
train:
  - {loss: cross-entropy, optimizer: adam, batch: 50, epochs: 2}
  - {data: noisy, epochs: 1}
'''


def columns_of_stages():
    """A stage on another set brings columns of its own; test.loss is that of the stage's set."""
    write('sets.yaml', SETS)
    succeed('run', 'sets.yaml', '--run-dir', 'run')
    rows = metrics('run')
    expect([(row['stage'], row['epoch']) for row in rows], [('1', '1'), ('1', '2'), ('2', '1')])
    for name, filled in (('test.loss', [True, True, True]),
                         ('noisy.test.loss', [True, True, False]),
                         ('clean.test.loss', [False, False, True])):
        expect([row[name] != '' for row in rows], filled)


FROZEN = '''adit: 1
data: {moons: {samples: 200, test: 50}}
model:
  stem: {dense: {units: 6}}
  trunk: [{repeat: {times: 4, blocks: [{dense: {units: 6, activation: tanh}}]}}]
  head: {dense: {units: 2}}
train:
  - {loss: cross-entropy, optimizer: {sgd: {lr: 0}}, batch: 100%, epochs: 1}
  - {optimizer: {sgd: {lr: 1}}, clip: 1e-3, freeze: [stem, trunk.2, trunk.4]}
'''


def frozen_and_clipped():
    """The gradient whose norm is clipped is that of what is trained, so one step of plain descent
    moves the weights by the clip's norm, however many instances of a loop stay."""
    write('frozen.yaml', FROZEN)
    succeed('run', 'frozen.yaml', '--run-dir', 'run')
    before, after = (tensors(f'run/checkpoints/step-0000000{step}/model.safetensors')
                     for step in (1, 2))
    moved = {name: sum((x - y) ** 2 for x, y in zip(numbers(before[name]), numbers(after[name])))
             for name in before}
    expect(sorted({name.rsplit('.', 1)[0] for name in moved if moved[name] > 0}),
           ['head', 'trunk.1', 'trunk.3'])
    norm = sum(moved.values()) ** 0.5
    assert abs(norm / 1e-3 - 1) < 1e-3, norm


def numbers(tensor):
    kind, _, data = tensor
    expect(kind, 'F32')
    return struct.unpack(f'<{len(data) // 4}f', data)


def probes_of_patience():
    """The end is the end, also when patience brings it about."""
    write('classes.yaml', CLASSES.replace('epochs: 4}', 'epochs: 40, patience: 2}')
          + 'probes: [{block-norm: {when: [1, end]}}]\n')
    succeed('run', 'classes.yaml', '--run-dir', 'run', '-o', 'train.optimizer.adamw.lr=0',
            '-o', 'train.optimizer.adamw.decay=0')
    expect(len(metrics('run')), 3)
    times = [line.split(',')[2] for line in read('run/probes/block-norm.csv').splitlines()[1:]]
    expect(times, ['1'] * 6 + ['end'] * 6)


def probes_every():
    """Spans between two measurements may be steps, and parts of epochs: the epoch's end counts."""
    for span, expected in (('2', ['0', '2', 'end']), ('20 steps', ['0', '3', 'end']),
                           ('1.5', ['0', '2', '3', 'end'])):
        write('classes.yaml', CLASSES + 'probes: [{block-norm: {at: trunk.1}}]\n')
        succeed('run', 'classes.yaml', '--run-dir', span, '-o', f'probes.1.block-norm.every={span}')
        rows = read(f'{span}/probes/block-norm.csv').splitlines()[1:]
        expect([row.split(',')[2] for row in rows], expected)


cases = [(f'/pipelines/bits/{case.__name__.replace("_", "-")}/{name}',
          in_folder(lambda case=case, name=name: case(name)))
         for case in (repeated, threads, other_seed, kernels, evaluation) for name in PIPELINES]
cases += [(f'/pipelines/bits/{case.__name__.replace("_", "-")}', in_folder(case))
          for case in (plain, loss_again, best_checkpoint, columns_of_stages, frozen_and_clipped,
                       probes_of_stages, probes_of_patience, probes_every)]
tap.run(cases)
