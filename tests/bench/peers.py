#!/usr/bin/env python3
# tests/bench/peers.py - SPDX-License-Identifier: MIT
"""A training step beside those of PyTorch and JAX, on one thread of one core.

Both sides do the same work: forward, loss, backward, update. The sets depth, width and resnetv2
are networks of work.yaml, 1024 rows; the set images is networks of pipelines/ on the data sets in
ADIT_DATA, of which the peers know one batch of noise of the same shape. The peers begin with equal
weights and must agree about the first losses, of which that of thin networks must be what NumPy
gives in float64; networks must have as many parameters on both sides. The peers are made ready
first, then all take turns on the core that has least to do, the peers stopped while Adit has it;
the shortest of the rounds counts. Prints Markdown.

PyTorch and JAX come from the package index into an environment of their own below the build folder
(about 6 GB, some minutes the first time); what is installed there is used when the index is out of
reach.
"""

import argparse
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time
import venv

sys.dont_write_bytecode = True
import data  # noqa: E402
import quiet  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PIPELINES = HERE.parents[1] / 'pipelines'
BATCH = 1024
CIFAR = ['set=image-folder', 'folder=$data/cifar10-jpeg/cifar10-jpeg.tar.xz']
# networks of images: pipeline, what it is given, batch
IMAGES = {
    'resnet20': ('glonet/resnet20.yaml', CIFAR, 128),
    'vgg16': ('multipath/vgg16.yaml', CIFAR, 64),
    'densenet18': ('multipath/densenet18.yaml', CIFAR, 64),
    'mpnet': ('multipath/mpnet.yaml', ['n1=2', 'n2=2', *CIFAR], 64),
    'vit': ('glonet/vit.yaml', CIFAR, 128),
    'b-lenet': ('exits/b-lenet.yaml', [], 512),
}
# with dropout, which every peer draws in its own way
RANDOM = ('vgg16', 'vit')
# by the name that --peers takes: program, its further words, module, head of the table's column
PEERS = {
    'eager': ('peer-torch.py', ['eager'], 'torch', 'PyTorch eager'),
    'compile': ('peer-torch.py', ['compile'], 'torch', 'torch.compile'),
    'graph': ('peer-torch.py', ['graph'], 'torch', 'CUDA graph'),
    'jax': ('peer-jax.py', [], 'jax', 'JAX jit, scan'),
}
# of the first loss, which is of equal weights, and of what the first step takes off it: that is the
# gradient's and Adam's work, which makes much of the rounding in a deep network
TOLERANCE, FALL_TOLERANCE = 1e-5, 0.1
ONE_THREAD = {'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1',
              'XLA_FLAGS': '--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1',
              'PYTHONDONTWRITEBYTECODE': '1'}


class Late(Exception):
    """What was waited for did not come in time."""


class Failed(Exception):
    """A program ended, or told what it should not have."""


# ---- works ----

def make_thin_work(name, arch, depth, width):
    return {**quiet.make_work(arch, depth, width), 'set': name,
            'name': f'{arch} {depth} x {width}', 'batch': BATCH, 'features': data.FEATURES}


def make_image_work(name):
    file, words, batch = IMAGES[name]
    return {'set': 'images', 'name': name, 'arch': name, 'batch': batch,
            'file': str(PIPELINES / file), 'words': words}


def list_works():
    works = [make_thin_work('depth', 'glonet', depth, 16)
             for depth in (24, 50, 100, 200, 600, 1000)]
    works += [make_thin_work('width', 'glonet', 100, width) for width in (3, 8, 16, 25, 32, 64)]
    works += [make_thin_work('resnetv2', 'resnetv2', depth, 16) for depth in (24, 100, 200, 600)]
    return works + [make_image_work(name) for name in IMAGES]


def choose_works(options):
    sets = options.only.split(',') if options.only else ['depth', 'width', 'resnetv2', 'images']
    depths = [int(depth) for depth in options.depth.split(',')] if options.depth else None
    works = {work['name']: work for work in list_works()
             if (work['set'] in sets or work['name'] in sets)
             and (depths is None or work.get('depth') in depths)}
    if not works:
        sys.exit('--only and --depth leave no work: sets are depth, width, resnetv2 and images; '
                 f'of images also {", ".join(IMAGES)}')
    return list(works.values())


# ---- the environment ----

def can_import(python, module):
    return subprocess.run([python, '-c', f'import numpy, {module}'],
                          capture_output=True).returncode == 0


def make_environment(build, modules):
    """Installs what is missing of @modules. Returns the interpreters of those there are: of an
    environment of their own, else the one that runs this."""
    folder = build / 'bench-venv'
    own = folder / 'bin' / 'python3'
    if not own.exists():
        venv.create(folder, with_pip=True)
    missing = [module for module in modules if not can_import(own, module)]
    # one by one: what cannot be had must not keep the others away
    for module in missing:
        print(f'installing {module} into {folder}', file=sys.stderr)
        subprocess.run([own, '-m', 'pip', 'install', '--quiet', '--retries', '2', 'numpy', module],
                       check=False, stdout=sys.stderr)
    pythons = {}
    for module in modules:
        for python in (own, sys.executable):
            if module not in pythons and can_import(python, module):
                pythons[module] = python
    return pythons


def has_gpu(python):
    program = 'import sys, torch; sys.exit(not torch.cuda.is_available())'
    return subprocess.run([python, '-c', program], capture_output=True).returncode == 0


def choose_peers(options, build):
    """Name -> interpreter, of those that can be measured."""
    names = options.peers.split(',')
    for name in names:
        if name not in PEERS:
            sys.exit(f"unknown peer '{name}': there are {', '.join(PEERS)}")
    pythons = make_environment(build, sorted({PEERS[name][2] for name in names}))
    chosen = {name: pythons[PEERS[name][2]] for name in names if PEERS[name][2] in pythons}
    if 'graph' in chosen and not (options.device and has_gpu(chosen['graph'])):
        del chosen['graph']
    if not chosen:
        sys.exit('no peer: the package index is out of reach and none is installed')
    return chosen


# ---- the two sides ----

class Peer:
    """A peer's program, made ready; stopped but for its turns."""

    def __init__(self, name, python, work, options):
        program, words, _, _ = PEERS[name]
        device = ['cuda'] if options.device else []
        self.name = name
        self.process = subprocess.Popen(
            [python, HERE / program, json.dumps(work), *words, *device], text=True, bufsize=1,
            env={**os.environ, **ONE_THREAD}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if not options.verbose else None, start_new_session=True)
        begin = time.monotonic()
        try:
            ready = self.read(options.compile_limit)
        except BaseException:
            self.end()
            raise
        self.seconds_to_ready = time.monotonic() - begin
        self.version = ready['version']
        self.losses = ready['losses']
        self.expected = ready['expected']
        self.parameters = ready['parameters']
        self.times = {}
        self.peak_bytes = None
        self.stop()

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def stop(self):
        self.signal(signal.SIGSTOP)

    def read(self, limit):
        """The program's next line."""
        if not select.select([self.process.stdout], [], [], limit)[0]:
            raise Late
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read() if self.process.stderr is not None else ''
            raise Failed((said.strip().splitlines() or ['it ended and said nothing'])[-1])
        return json.loads(line)

    def take_turn(self, core, seconds):
        tasks = [int(task) for task in os.listdir(f'/proc/{self.process.pid}/task')]
        for task in tasks:
            os.sched_setaffinity(task, {core})
        quiet.raise_priority(self.process.pid, tasks)
        self.signal(signal.SIGCONT)
        self.process.stdin.write(f'{seconds}\n')
        answer = self.read(600)
        self.peak_bytes = answer['peak-bytes']
        for variant, value in answer['times'].items():
            self.times.setdefault(variant, []).append(value)
        self.stop()

    def get_best(self):
        return min((min(times), variant) for variant, times in self.times.items())

    def end(self):
        for number in (signal.SIGKILL, signal.SIGCONT):
            try:
                self.signal(number)
            except ProcessLookupError:
                pass
        self.process.communicate()


def make_ready(peers, pythons, work, options):
    """Appends to @peers those that are ready; returns why the others are not."""
    reasons = {}
    for name, python in pythons.items():
        if work['set'] == 'images' and PEERS[name][2] != 'torch':
            continue
        print(f'{work["name"]}: {name}', file=sys.stderr)
        try:
            peers.append(Peer(name, python, work, options))
        except Late:
            reasons[name] = f'not ready in {options.compile_limit / 60:g} min'
        except Failed as failure:
            reasons[name] = f'failed: {failure}'
    return reasons


def is_near(loss, other):
    return abs(loss - other) <= TOLERANCE * abs(other)


def agree(losses, others):
    """The first two losses."""
    fall, other_fall = losses[0] - losses[1], others[0] - others[1]
    return (is_near(losses[0], others[0])
            and abs(fall - other_fall) <= FALL_TOLERANCE * abs(other_fall))


def check_agreement(peers, work):
    """A peer that is fast because it is wrong proves nothing."""
    if work['arch'] in RANDOM:
        return
    told = [(f'{peer.name}, {variant}', losses)
            for peer in peers for variant, losses in peer.losses.items()]
    for peer in peers:
        for variant, losses in peer.losses.items():
            if peer.expected is not None and not is_near(losses[0], peer.expected):
                sys.exit(f'{work["name"]}: the first loss of {peer.name}, {variant}, is '
                         f'{losses[0]}, expected {peer.expected}')
    for name, losses in told:
        if not agree(losses, told[0][1]):
            sys.exit(f'{work["name"]}: the first losses of {name} are {losses}, those of '
                     f'{told[0][0]} {told[0][1]}')


def check_size(peers, ours, work):
    for peer in peers:
        if peer.parameters != ours['parameters']:
            sys.exit(f'{work["name"]}: {ours["parameters"]} parameters here, {peer.parameters} '
                     f'of {peer.name}')


def compare(work, pythons, build, numbers, options):
    """A row of the table."""
    peers, ours = [], []
    try:
        reasons = make_ready(peers, pythons, work, options)
        check_agreement(peers, work)
        core = quiet.find_quiet_core()
        for _ in range(options.rounds):
            ours.append(quiet.measure(build, None if work['set'] == 'images' else numbers, work,
                                      {core}, options.seconds, options.device or 'cpu'))
            for peer in peers:
                peer.take_turn(core, options.seconds)
            check_size(peers, ours[-1], work)
    finally:
        for peer in peers:
            peer.end()
    best = min(ours, key=lambda each: each['step']['best'])
    row = {'work': work, 'core': core, 'adit': best, 'load': os.getloadavg()[0], 'peers': {}}
    for peer in peers:
        seconds, variant = peer.get_best()
        row['peers'][peer.name] = {
            'version': peer.version, 'seconds': seconds, 'variant': variant, 'rounds': peer.times,
            'losses': peer.losses, 'seconds-to-ready': peer.seconds_to_ready,
            'peak-bytes': peer.peak_bytes,
            'ratio': seconds / best['step']['best']}
    for name, reason in reasons.items():
        row['peers'][name] = {'reason': reason}
    return row


# ---- telling ----

def count_memory(ours):
    """Without the data set: a peer has one batch."""
    return ours['memory']['peak-bytes'] - ours['memory']['data-bytes']


def format_memory(row):
    peaks = [peer['peak-bytes'] for peer in row['peers'].values() if 'peak-bytes' in peer]
    own = count_memory(row['adit'])
    least = f' ({own / min(peaks):.2f} of {1e-6 * min(peaks):.0f})' if peaks else ''
    return f'{1e-6 * own:.0f}{least}'


def format_cell(row, name):
    peer = row['peers'].get(name)
    if peer is None:
        return ''
    if 'reason' in peer:
        return peer['reason']
    return f'{1e3 * peer["seconds"]:.3f} ({peer["ratio"]:.2f}x)'


def print_head(names):
    heads = [f'{PEERS[name][3]}, ms' for name in names]
    print('| network | Adit, ms | of FMA peak | ' + ' | '.join(heads) + ' | memory, MB |')
    print('| --- | ---: | ---: |' + ' ---: |' * (len(names) + 1), flush=True)


def print_row(row, names):
    ours = row['adit']
    cells = [format_cell(row, name) for name in names]
    share = ours['step'].get('share-of-peak')  # of a GPU it is not known
    print(f'| {row["work"]["name"]} | {1e3 * ours["step"]["best"]:.3f} '
          f'| {"" if share is None else f"{100 * share:.0f} %"} | ' + ' | '.join(cells)
          + f' | {format_memory(row)} |', flush=True)


def describe_machine(ours):
    if 'share-of-peak' not in ours['step']:
        return ours['device']['device']
    machine = ours['machine']
    return (f'one thread on one pinned core, {machine["processor"]}, '
            f'{machine["instruction-set"]}, FMA peak of one thread '
            f'{1e-9 * machine["fma"]["one"]:.0f} GFLOP/s')


def print_notes(rows, names):
    versions = sorted({f'{PEERS[name][2]} {peer["version"]}' for row in rows
                       for name, peer in row['peers'].items() if 'version' in peer})
    variants = sorted({f'{name}: {peer["variant"]}' for row in rows
                       for name, peer in row['peers'].items() if 'variant' in peer})
    loads = [row['load'] for row in rows]
    batches = ', '.join(map(str, sorted({row['work']['batch'] for row in rows})))
    print(f'\nBatch {batches}, {describe_machine(rows[0]["adit"])}, in turn, best of the rounds; '
          f'ratio: peer / Adit. Memory: the most each process had, the data set apart; in brackets '
          f'the share of the least that a peer had. {", ".join(versions)}. Best variants: '
          f'{"; ".join(variants)}. Load of the machine {min(loads):.1f} to {max(loads):.1f}.')
    for name in names:
        slowest = max((row['peers'][name] for row in rows
                       if 'version' in row['peers'].get(name, {})),
                      key=lambda peer: peer['seconds-to-ready'], default=None)
        if slowest is not None:
            print(f'{PEERS[name][3]} was ready after at most {slowest["seconds-to-ready"]:.0f} s.')


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build', nargs='?', default='build', type=pathlib.Path,
                        help='the build folder')
    parser.add_argument('--only', metavar='SETS',
                        help='of depth, width, resnetv2 and images, or networks of images')
    parser.add_argument('--depth', metavar='N,...', help='of these depths alone')
    parser.add_argument('--peers', metavar='NAMES', default=','.join(PEERS),
                        help='of eager, compile, graph (with a GPU) and jax')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=0.3, help='of a turn; else 0.3')
    parser.add_argument('--compile-limit', metavar='SECONDS', type=float, default=600,
                        help='how long a peer may take to be ready; else 600')
    parser.add_argument('--device', metavar='NAME',
                        help='a GPU as adit names it; the peers then take the one CUDA has')
    parser.add_argument('--json', metavar='FILE', type=pathlib.Path, help='everything measured')
    parser.add_argument('--verbose', action='store_true', help="the peers' own messages")
    return parser.parse_args()


def main():
    options = parse()
    build = options.build.resolve()
    works = choose_works(options)
    pythons = choose_peers(options, build)
    numbers = data.make_data(build)
    os.environ.setdefault('TORCHINDUCTOR_CACHE_DIR', str(build / 'cache' / 'inductor'))
    rows = []
    print_head(pythons)
    for work in works:
        rows.append(compare(work, pythons, build, numbers, options))
        if options.json is not None:
            options.json.write_text(json.dumps(rows, indent=1))
        print_row(rows[-1], pythons)
    print_notes(rows, pythons)


if __name__ == '__main__':
    main()
