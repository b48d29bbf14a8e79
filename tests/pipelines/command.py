# tests/pipelines/command.py - SPDX-License-Identifier: MIT
"""The built `adit` command for tests of the whole program: runs it, reads what it leaves, and makes
small data sets for it. ADIT_COMMAND is the program."""

import csv
import difflib
import json
import os
import random
import struct
import subprocess
import tempfile
import zlib

COMMAND = os.environ['ADIT_COMMAND']
PIPELINES = os.environ['ADIT_PIPELINES_DIR']
# seconds; what hangs longer is reported by its arguments. Sanitizers are slow.
PATIENCE = 250 if 'LSAN_OPTIONS' in os.environ else 50

# What a person may have set must not reach the program under test; what is expected of it here are
# the CPU's bits.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ('ADIT_CONVOLUTIONS', 'ADIT_DATA', 'ADIT_ISA', 'ADIT_PLUGIN_PATH')}
ENVIRONMENT['ADIT_DEVICE'] = 'cpu'


def in_folder(case):
    """Runs a case in an empty folder of its own, in memory where that can be had: on a busy disk
    the syncs of the checkpoints take longer than everything else together."""
    def run():
        here = os.getcwd()
        memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        with tempfile.TemporaryDirectory(dir=os.environ.get('TMPDIR', memory)) as folder:
            os.chdir(folder)
            try:
                case()
            finally:
                os.chdir(here)
    return run


def environment(changes):
    """What the program is given: None takes a variable away."""
    merged = {**ENVIRONMENT, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def start(*arguments, env=None, **more):
    return subprocess.Popen([COMMAND, *map(str, arguments)], env=environment(env),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **more)


def adit(*arguments, env=None, **more):
    """Exit code, standard output, standard error."""
    streams = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'stdin': subprocess.DEVNULL}
    done = subprocess.run([COMMAND, *map(str, arguments)], env=environment(env), text=True,
                          timeout=PATIENCE, check=False, **{**streams, **more})
    return done.returncode, done.stdout, done.stderr


def succeed(*arguments, **more):
    """Standard output of a call that must end with 0."""
    code, out, err = adit(*arguments, **more)
    assert code == 0, f'adit {" ".join(map(str, arguments))} ended with {code}\n{err}'
    return out


def expect(got, expected):
    if isinstance(got, str) and '\n' in got:
        assert got == expected, '\n'.join(difflib.unified_diff(
            expected.splitlines(), got.splitlines(), 'expected', 'got', lineterm=''))
    assert got == expected, f'expected {expected!r}\ngot      {got!r}'


def read(path, mode='r'):
    with open(path, mode, encoding=None if 'b' in mode else 'utf-8') as stream:
        return stream.read()


def write(path, text):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(text)


def record(run):
    return json.loads(read(f'{run}/run.json'))


def metrics(run):
    """metrics.csv: a dict for each row."""
    with open(f'{run}/metrics.csv', encoding='utf-8', newline='') as stream:
        return list(csv.DictReader(stream))


def figures(run):
    """metrics.csv without what a clock says."""
    rows = [line.split(',') for line in read(f'{run}/metrics.csv').splitlines()]
    clock = rows[0].index('seconds')
    return [row[:clock] + row[clock + 1:] for row in rows]


def checkpoints(run):
    folder = f'{run}/checkpoints'
    if not os.path.isdir(folder):
        return []
    return sorted(name for name in os.listdir(folder) if name.startswith('step-'))


def newest_step(run):
    steps = checkpoints(run)
    return int(steps[-1][len('step-'):]) if steps else 0


def results(run):
    """All that a run of the same file, seed and data must leave bit for bit."""
    folder = f'{run}/checkpoints'
    found = {'metrics.csv': figures(run), 'checkpoints': checkpoints(run)}
    for link in ('last', 'best'):
        found[link] = os.readlink(f'{folder}/{link}') if os.path.islink(f'{folder}/{link}') else None
        for name in ('model.safetensors', 'optimizer.safetensors'):
            if found[link] is not None:
                found[f'{link}/{name}'] = read(f'{folder}/{link}/{name}', 'rb')
    if os.path.isdir(f'{run}/probes'):
        # not by what pipeline it was measured
        for name in sorted(name for name in os.listdir(f'{run}/probes') if not name.startswith('.')):
            found[f'probes/{name}'] = read(f'{run}/probes/{name}')
    return found


def differing(run, other):
    """What of results() two runs, or a run and results, differ in: [] if nothing."""
    mine, others = (which if isinstance(which, dict) else results(which) for which in (run, other))
    return sorted(name for name in {*mine, *others} if mine.get(name) != others.get(name))


def tensors(path):
    """A safetensors file: {name: (type, shape, bytes)}."""
    data = read(path, 'rb')
    length = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + length])
    body = data[8 + length:]
    return {name: (entry['dtype'], entry['shape'], body[slice(*entry['data_offsets'])])
            for name, entry in header.items() if name != '__metadata__'}


def make_table(path, rows=203, change=None, head='a,b,c,y'):
    """A table to regress on; change(rows) edits its rows of texts."""
    draw = random.Random(1)
    table = []
    for _ in range(rows):
        x = [draw.uniform(-2, 2) for _ in range(3)]
        y = x[0] * x[1] - x[2] + draw.gauss(0, 0.1)
        table.append([f'{value:.4f}' for value in (*x, y)])
    if change is not None:
        change(table)
    write(path, ''.join(','.join(row) + '\n' for row in [[head], *table]))


def write_idx(path, sizes, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as stream:
        stream.write(bytes([0, 0, 8, len(sizes)]) + struct.pack(f'>{len(sizes)}I', *sizes)
                     + bytes(data))


def make_images(folder, rows=30, cut=0, label=lambda row: row % 3):
    """Images of 4x4 in three classes, the last `cut` bytes missing."""
    draw = random.Random(1)
    pixels = [draw.randrange(256) for _ in range(rows * 16 - cut)]
    write_idx(f'{folder}/train-images-idx3-ubyte', [rows, 4, 4], pixels)
    write_idx(f'{folder}/train-labels-idx1-ubyte', [rows], [label(row) for row in range(rows)])


def draw_image(draw, label):
    """3x32x32: noise, and a bright bar whose place is the class, one of 10."""
    planes = bytearray(draw.randrange(128) for _ in range(3 * 1024))
    for plane in range(3):
        for i in range(96):
            planes[1024 * plane + 96 * label + i] += 120
    return bytes(planes)


def write_cifar(folder, rows=8):
    """CIFAR-10's binary version with so many images in each of its six files."""
    draw = random.Random(1)
    os.makedirs(folder, exist_ok=True)
    for name in [f'data_batch_{number}' for number in range(1, 6)] + ['test_batch']:
        labels = [draw.randrange(10) for _ in range(rows)]
        with open(f'{folder}/{name}.bin', 'wb') as stream:
            stream.write(b''.join(bytes([label]) + draw_image(draw, label) for label in labels))


def write_cifar_100(folder, rows=8):
    """CIFAR-100's: a coarse and a fine label before each image."""
    draw = random.Random(1)
    os.makedirs(folder, exist_ok=True)
    for name in 'train', 'test':
        labels = [draw.randrange(100) for _ in range(rows)]
        with open(f'{folder}/{name}.bin', 'wb') as stream:
            stream.write(b''.join(bytes([label // 5, label]) + draw_image(draw, label % 10)
                                  for label in labels))


def write_png(path, planes, size):
    """Red, green and blue planes of size x size as a PNG file."""
    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', check)

    n = size * size
    lines = b''.join(b'\0' + b''.join(bytes(planes[i::n]) for i in range(row * size, (row + 1) * size))
                     for row in range(size))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as stream:
        stream.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', size, size, 8, 2, 0, 0, 0))
                     + chunk(b'IDAT', zlib.compress(lines)) + chunk(b'IEND', b''))


def write_tree(folder, rows=2, test='test'):
    """A folder of PNG files for each of ten classes, for training and, called so, for testing."""
    draw = random.Random(1)
    for label in range(10):
        for row in range(rows):
            for part in 'train', test:
                write_png(f'{folder}/{part}/class-{label}/{row}.png', draw_image(draw, label), 32)
