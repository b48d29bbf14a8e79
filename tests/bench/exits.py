#!/usr/bin/env python3
# tests/bench/exits.py - SPDX-License-Identifier: MIT
"""The bars of rows that leave, on one thread of the CPU: how much faster a network is with them than
its trunk alone, heads, decisions and copies included.

    tests/bench/exits.py [BUILD]

B-LeNet on images that are made up, where as many leave at its exit as the published network lets go
on MNIST. Ends with 1 if a bar is missed.
"""

import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import quiet  # noqa: E402

ROWS = 4096
LEAVE = 0.93
# by the batch's rows: times as fast as the trunk alone
BARS = {4096: 2.5, 1: 1.5}
ROUNDS = 5
PIPELINE = pathlib.Path(__file__).resolve().parents[2] / 'pipelines' / 'exits' / 'b-lenet.yaml'


def write_idx(path, shape, numbers):
    head = bytes([0, 0, 8, len(shape)]) + b''.join(size.to_bytes(4, 'big') for size in shape)
    path.write_bytes(head + bytes(numbers))


def make_images(folder):
    """A bright bar on noise, whose place is the class."""
    draw = random.Random(1)
    for name, rows in (('train', 1024), ('t10k', ROWS)):
        labels = [draw.randrange(10) for _ in range(rows)]
        pixels = bytearray(draw.randbytes(rows * 784))
        for row, label in enumerate(labels):
            at = 784 * row + 28 * (2 * label + draw.randrange(10))
            pixels[at:at + 28] = bytes([255] * 28)
        write_idx(folder / f'{name}-images-idx3-ubyte', [rows, 28, 28], pixels)
        write_idx(folder / f'{name}-labels-idx1-ubyte', [rows], labels)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'build').resolve()
    command = build / 'core' / 'tool' / 'adit'
    core = quiet.find_quiet_core()

    def adit(*words):
        words = [command, *map(str, words), '-q', '--device', 'cpu', '--threads', '1']
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, {core})).stdout

    missed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        make_images(folder)
        small = [word for stage in (1, 2)
                 for word in ('-o', f'train.{stage}.epochs=1', '-o', f'train.{stage}.batch=64')]
        adit('run', PIPELINE, '--run-dir', folder / 'run', '-o',
             f'data={{idx: {{folder: {folder}}}}}', *small)
        threshold = 'inference.policy.entropy.threshold='
        rows = csv.DictReader(adit('predict', folder / 'run', '-o', f'{threshold}100').splitlines())
        sure = sorted(float(row['confidence']) for row in rows)[int(LEAVE * ROWS)]
        for batch, bar in BARS.items():
            words = ('eval', folder / 'run', '--json', '--batch', batch, '-o', f'{threshold}{sure}')
            times = [json.loads(adit(*words))['time'] for _ in range(ROUNDS)]
            trunk, left = (min(time[key] for time in times) for key in ('trunk', 'left'))
            missed += trunk / left < bar
            print(f'batch {batch}: trunk {1e6 * trunk / ROWS:.1f} us a row, as left '
                  f'{1e6 * left / ROWS:.1f}: {trunk / left:.2f} times as fast, bar {bar}: '
                  f'{"ok" if trunk / left >= bar else "MISSED"}', flush=True)
    print(f'{missed} missed; load {os.getloadavg()[0]:.1f}')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
