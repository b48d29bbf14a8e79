#!/usr/bin/env python3
# tests/bench/report.py - SPDX-License-Identifier: MIT
"""How long `adit report` takes: of a run with 200 blocks and of a study with 500 runs, both made up
here. The bars are those of share/doc/measuring.md.

    tests/bench/report.py build [--keep FOLDER]
"""

import argparse
import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time

BLOCKS = 200
RUNS = 500
EPOCHS = 200
BARS = {'run': 5.0, 'study': 20.0}
CONFIG = 'adit: 1\ntitle: {title}\nseed: {seed}\ntrain:\n- {{batch: 64, epochs: {epochs}}}\n'


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(text)


def write_table(path, head, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8', newline='') as stream:
        csv.writer(stream, lineterminator='\n').writerows([head, *rows])


def make_metrics(folder, draw, epochs):
    rows, lines = [], []
    for epoch in range(1, epochs + 1):
        values = {}
        for split, floor in (('train', 0.01), ('validation', 0.1), ('test', 0.12)):
            loss = floor + math.exp(-epoch / 20) * draw.uniform(0.9, 1.1)
            values[f'{split}.loss'] = round(loss, 9)
            values[f'{split}.accuracy'] = round(1 - loss / 3, 9)
            lines.append(json.dumps({'v': 1, 't': 1.5 * epoch, 'run': 'x', 'step': 10 * epoch, 'epoch': epoch,
                                     'split': split, 'values': {'loss': loss, 'accuracy': 1 - loss / 3}}))
        rows.append([10 * epoch, epoch, *values.values(), 0.001, 1.5 * epoch])
    write_table(f'{folder}/metrics.csv',
                ['step', 'epoch', *values, 'learning-rate', 'seconds'], rows)
    write(f'{folder}/metrics.jsonl', '\n'.join(lines) + '\n')


def make_run(folder, seed=0, epochs=EPOCHS):
    draw = random.Random(seed)
    record = {'v': 1, 'status': 'COMPLETED', 'name': 'made-up', 'created': '2026-11-21T05:00:00.000Z',
              'heartbeat': '2026-11-21T05:10:00.000Z', 'seed': seed, 'resumed': [], 'parameters': 12345,
              'device': {'name': 'cpu', 'threads': 2}, 'data': [{'name': 'moons', 'train': 750}],
              'started': '2026-11-21T05:00:00.000Z', 'stopped': '2026-11-21T05:10:00.000Z', 'exit-code': 0}
    write(f'{folder}/run.json', json.dumps(record))
    write(f'{folder}/config.resolved.yaml', CONFIG.format(title='made up', seed=seed, epochs=epochs))
    make_metrics(folder, draw, epochs)


def make_probes(folder, blocks):
    """One table of numbers along the blocks, measured five times, and one of all pairs of blocks."""
    draw = random.Random(1)
    norms = [['moons', 'test', when, f'trunk.{block}', block, block ** -0.7 * draw.uniform(0.9, 1.1), 0.1 / block]
             for when in (1, 50, 100, 150, 'end') for block in range(1, blocks + 1)]
    pairs = [['moons', 'test', 'end', f'trunk.{a}', a, f'trunk.{b}', math.exp(-abs(a - b) / 30)]
             for a in range(1, blocks + 1) for b in range(a, blocks + 1)]
    head = ['data', 'split', 'when', 'address', 'block']
    write_table(f'{folder}/probes/block-norm.csv', [*head, 'l1', 'l1-std'], norms)
    write_table(f'{folder}/probes/cka.csv', [*head, 'against', 'cka'], pairs)


def make_study(folder, runs):
    rows = []
    depths = range(10, 10 * runs // 10 + 1, 10)
    for i in range(runs):
        arch, depth, seed = ('glonet', 'resnet')[i % 2], depths[i // 10], i // 2 % 5
        run = f'runs/made-up-{i:03}'
        make_run(f'{folder}/{run}', seed, epochs=50)
        rows.append([arch, depth, seed, 'done', run, 50, 75, 1.5, 12345, '', 0.1 + 1 / depth + 0.01 * seed, 0.9])
    write_table(f'{folder}/sweep.csv',
                ['arch', 'depth', 'seed', 'status', 'run', 'epochs', 'seconds', 'seconds-per-epoch', 'parameters',
                 'reason', 'best.test.loss', 'best.test.accuracy'], rows)
    common = {'values': ['best.test.loss'], 'pages': [], 'over': ['seed']}
    report = [{**common, 'kind': 'table', 'name': 'table-best.test.loss', 'rows': 'depth', 'columns': 'arch'},
              {**common, 'kind': 'curves', 'name': 'curves-best.test.loss', 'x': 'depth', 'lines': 'arch'},
              {**common, 'kind': 'curves', 'name': 'curves-test.loss', 'x': 'epoch', 'lines': 'arch',
               'values': ['test.loss'], 'over': ['seed', 'depth']},
              {**common, 'kind': 'heat-map', 'name': 'heat-map-best.test.loss', 'x': 'depth', 'y': 'arch'}]
    write(f'{folder}/study.json', json.dumps({'v': 1, 'title': 'made up', 'report': report}))


def measure(command, folder):
    began = time.monotonic()
    subprocess.run([command, 'report', folder], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build')
    parser.add_argument('--keep', help='where what is made up is left')
    options = parser.parse_args()
    command = os.path.join(os.path.abspath(options.build), 'core', 'tool', 'adit')
    missed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        make_run(f'{folder}/run')
        make_probes(f'{folder}/run', BLOCKS)
        make_study(f'{folder}/study', RUNS)
        for what, bar in BARS.items():
            seconds = measure(command, f'{folder}/{what}')
            size = os.path.getsize(f'{folder}/{what}/report.html') / 1024
            missed += seconds >= bar
            print(f'{what}: {seconds:.2f} s, bar {bar:g} s, {size:.0f} KiB: {"ok" if seconds < bar else "MISSED"}')
    sys.exit(1 if missed else 0)


main()
