#!/usr/bin/env python3
# tests/pipelines/test-paths.py - SPDX-License-Identifier: MIT
"""Networks of parallel paths: as loops and written out, on one thread and three, with fused kernels
and without, the same bits; the same network on every device. ADIT_TEST_DEVICE is the device; else
the CPU."""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PIPELINES, differing, expect, figures, in_folder, make_images, make_table, read,  # noqa: E402
                     results, succeed, tensors, write)

DEVICE = os.environ.get('ADIT_TEST_DEVICE', 'cpu')
BYPASS = f'{PIPELINES}/multipath/bypass.yaml'
SMALL = ('-o', 'data.idx.test=30%', '-o', 'model.head.dense.units=3', '-o', 'train.batch=8')

# Every join, paths in a loop and in one another, a path that is one block; no layer so thin that its
# values lie otherwise in fused kernels.
NETWORK = '''adit: 1
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%}}
parts:
  unit: {blocks: {dense: {units: 16, activation: tanh}}}
  cell:
    params: {join: mean}
    blocks: {paths: {join: $join, of: {short: unit, long: [CELL], skip: []}}}
model:
  stem: unit
  trunk:
    - TRUNK
    - paths: {join: product, of: {gate: {dense: {units: 16, activation: sigmoid}}, value: unit}}
    - paths: {name: u, of: {down: [unit, {paths: {join: max, of: {down: unit, across: []}}}, unit], across: []}}
    - paths: {join: concat, name: wide, of: {a: {dense: {units: 13, norm: batch-norm}}, b: []}}
  head: {dense: {units: 1}}
train: {loss: mse, optimizer: {adam: {lr: 0.01}}, regularizers: [{l2: {at: trunk.*.long, weight: 1e-4}}], batch: 48, epochs: 3}
probes: [{block-norm: {at: [trunk.cell.*, trunk.cell.long.*, trunk.u.**, trunk.wide.a:linear]}}]
'''
LOOPS = {'CELL': '{repeat: {times: 3, blocks: [unit]}}', 'TRUNK': 'repeat: {times: 4, blocks: [cell]}'}
WRITTEN = {'CELL': 'unit, unit, unit', 'TRUNK': 'cell\n' + '    - cell\n' * 2 + '    - cell'}


def network(pieces):
    text = NETWORK
    for name, piece in pieces.items():
        text = text.replace(name, piece)
    return text


def train(pieces, run, *arguments, **more):
    make_table('table.csv')
    write('paths.yaml', network(pieces))
    succeed('run', 'paths.yaml', '--run-dir', run, '-q', '--device', DEVICE, *arguments, **more)


def written_out():
    """Instances of a repeat are the items that they stand for."""
    train(LOOPS, 'loops')
    train(WRITTEN, 'written')
    expect(differing('loops', 'written'), [])
    addresses = [line.split(',')[3] for line in read('loops/probes/block-norm.csv').splitlines()]
    expect(addresses[1:6], ['trunk.1.short', 'trunk.1.long', 'trunk.1.skip', 'trunk.2.short', 'trunk.2.long'])
    expect(addresses[-5:], ['trunk.6.down.2.down', 'trunk.6.down.2', 'trunk.6.down', 'trunk.6.across',
                            'trunk.7.a:linear'])


def threads():
    for count in (1, 2, 3):
        train(LOOPS, str(count), '--threads', count)
    expect((differing('1', '2'), differing('1', '3')), ([], []))


def plain():
    train(LOOPS, 'fused')
    train(LOOPS, 'plain', env={'ADIT_FUSE': '0'})
    expect(differing('fused', 'plain'), [])


def resolved():
    """What the run keeps runs alone and gives the same numbers."""
    train(LOOPS, 'run')
    succeed('run', 'run/config.resolved.yaml', '--run-dir', 'again', '-q', '--device', DEVICE)
    expect(differing('run', 'again'), [])
    expect(read('again/config.resolved.yaml'), read('run/config.resolved.yaml'))


def frozen():
    """A path is frozen by its name; of the weights, its own stay."""
    train(LOOPS, 'run', '-o', 'train.freeze=[trunk.2.long, trunk.u.down.2, trunk.wide.a]', '-o',
          'train.checkpoint.keep-last=5', '-o', 'train.regularizers=[]')
    steps = sorted(os.listdir('run/checkpoints'))
    first, last = (tensors(f'run/checkpoints/{step}/model.safetensors')
                   for step in (steps[-3], 'last'))
    stay = ('trunk.2.long.', 'trunk.6.down.2.', 'trunk.7.a.weight', 'trunk.7.a.bias',
            'trunk.7.a.scale', 'trunk.7.a.shift')
    same = {name for name in first if first[name] == last[name]}
    expect(same, {name for name in first if name.startswith(stay)})


def addresses():
    """What --layers prints, each path with its items."""
    make_table('table.csv')
    write('paths.yaml', network(WRITTEN))
    table = json.loads(succeed('inspect', 'paths.yaml', '--layers', '--json'))['layers']
    rows = {row['address']: row for row in table}
    expect([row['address'] for row in table[:7]],
           ['input', 'stem', 'trunk.1.short', 'trunk.1.long.1', 'trunk.1.long.2', 'trunk.1.long',
            'trunk.1'])
    expect((rows['trunk.1']['parameters'], rows['trunk.1.long']['parameters']), (4 * 272, 3 * 272))
    expect(rows['trunk']['shape'], '29')


def bypass():
    """The multipath paper's 128 layers with a bypass, its repeats and written out layer by layer."""
    make_images('data/mnist')
    depth, width = (128, 128) if DEVICE == 'cpu' else (5, 16)
    text = read(BYPASS).replace('depth: 128', f'depth: {depth}')
    written = text.replace('[{repeat: {times: $depth, blocks: [layer]}}]', f"[{', '.join(['layer'] * depth)}]")
    assert written != text
    for run, file in (('loops', text), ('written', written)):
        write('bypass.yaml', file)
        succeed('run', 'bypass.yaml', f'width={width}', *SMALL, '-o', 'train.epochs=2', '--data',
                'data', '--run-dir', run, '-q', '--device', DEVICE)
    expect(differing('loops', 'written'), [])
    names = list(tensors('loops/checkpoints/last/model.safetensors'))
    expect(len(names), 2 * (1 + depth + 8 + 1))
    assert f'trunk.1.through.{depth}.weight' in names and 'trunk.9.bias' in names, names


def on_cpu():
    """The first step does the same on the device and on the CPU."""
    once = ('-o', 'train.batch=100%', '-o', 'train.epochs=1', '-o', 'train.optimizer={sgd: {lr: 0.1}}')
    train(LOOPS, 'device', *once)
    train(LOOPS, 'cpu', *once, '--device', 'cpu')
    expect(json.loads(read('device/run.json'))['device']['name'], DEVICE)
    for mine, cpus in zip(figures('device')[1], figures('cpu')[1]):
        assert mine == cpus or abs(float(mine) - float(cpus)) < 1e-5, (mine, cpus)
    expect(sorted(results('device')), sorted(results('cpu')))


CASES = {'written-out': written_out, 'threads': threads, 'plain': plain, 'resolved': resolved,
         'frozen': frozen, 'addresses': addresses, 'bypass': bypass}
if DEVICE != 'cpu':
    CASES = {'bypass': bypass, 'on-cpu': on_cpu}
tap.run([(f'/pipelines/paths/{name}', in_folder(case)) for name, case in CASES.items()])
