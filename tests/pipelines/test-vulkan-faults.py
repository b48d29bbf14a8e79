#!/usr/bin/env python3
# tests/pipelines/test-vulkan-faults.py - SPDX-License-Identifier: MIT
"""What becomes of the command's work when a Vulkan device is lost, full or small, when a barrier is
missing and when caches are damaged.

ADIT_VULKAN_SHIM is a stand-in for the Vulkan loader (tests/support/vulkan-shim) that makes this up;
without it, or without a software device, cases are skipped. ADIT_EXHAUSTIVE=1: at every call that
can fail and with every limit alone, instead of a few of them: some minutes.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (ENVIRONMENT, PATIENCE, adit, checkpoints, differing, expect, in_folder,  # noqa: E402
                     make_table, newest_step, read, record, results, start, succeed, write)

SHIM = os.environ.get('ADIT_VULKAN_SHIM')
EXHAUSTIVE = os.environ.get('ADIT_EXHAUSTIVE') == '1'
COMPLETED = ('COMPLETED', 0)

PIPELINE = '''adit: 1
params: {epochs: 3}
data: {moons: {samples: 150, noise: 0.1, test: 40, validation: 20}}
model:
  stem: [{dense: {units: 8}}]
  trunk:
    aggregator: residual
    blocks: [{repeat: {times: 2, blocks: [{dense: {units: 8, activation: relu}}]}}]
  head: [{dense: {units: 2}}]
train: {loss: cross-entropy, optimizer: adam, batch: 32, epochs: $epochs}
probes: [{block-norm: {at: trunk.*, when: [start, end], every: 2}}]
'''

# Shapes with odd tails, normalisation, dropout, and two stages.
TABLE = '''adit: 1
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%}}
model:
  stem: [{dense: {units: 20, activation: tanh}}]
  trunk:
    aggregator: glonet
    blocks:
      - repeat:
          times: 2
          blocks:
            - sequence:
                - {dense: {units: 20, norm: batch-norm, activation: gelu}}
                - {dropout: {rate: 0.1}}
  head: [{dense: {units: 1}}]
train:
  - {name: first, loss: mse, optimizer: {adam: {lr: 0.01}}, batch: 50, epochs: 2, clip: 5}
  - {name: second, optimizer: {sgd: {lr: 1e-3, momentum: 0.9}}, epochs: 1, micro-batch: 20}
'''

# 1.5 MiB of inputs; values of a batch take 1.1 MiB and more.
# Nothing repeats: a walk would not be cut into windows.
LARGE = '''adit: 1
params: {samples: 200000}
data: {moons: {samples: $samples, noise: 0.1, test: 100}}
model:
  stem: [{dense: {units: 32}}]
  trunk:
    aggregator: residual
    blocks:
      - dense: {units: 32, norm: batch-norm, activation: relu}
      - dense: {units: 32, norm: batch-norm, activation: relu}
  head: [{dense: {units: 2}}]
train: {loss: cross-entropy, optimizer: adam, batch: 9000, epochs: 1}
'''

# A step of it is more than what is submitted at once.
SLOW = '''adit: 1
params: {units: 256}
data: {moons: {samples: 3200, noise: 0.1, test: 100}}
model:
  stem: [{dense: {units: $units}}]
  trunk:
    aggregator: residual
    blocks: [{repeat: {times: 2, blocks: [{dense: {units: $units, activation: relu}}]}}]
  head: [{dense: {units: 2}}]
train: {loss: cross-entropy, optimizer: adam, batch: 1000, epochs: 1}
'''

LIMITS = ['shared:16384', 'invocations:128', 'buffers:8', 'range:1048576', 'groups:65535',
          'alignment:256', 'push:128', 'subgroups:none']

ONE_EPOCH = ['run', 'moons.yaml', 'epochs=1', '--limit-batches', '2', '--run-dir']
# what is found is looked for in the text
VALIDATION = {'ADIT_VULKAN_VALIDATION': '1', 'G_DEBUG': ''}

DEVICE = r"device '[^']+' \(.+ .+\)"
LOST = DEVICE + (r" was lost (submitting|waiting), at or behind (kernel '[^']+'( for [^,]+)?"
                 r'|a transfer|filling with zeros) (of step \d+|behind step \d+|before its first '
                 r'step), submitted \d+\.\d{3} s before')
SIZE = r'[\d.]+\s(bytes|[KMG]iB)'
FULL = (rf'(a batch of \d+ rows, the largest values .*: )?no memory for {SIZE} of [^:]+ on [^:]+: '
        rf'it has {SIZE}, of which this program holds {SIZE}')


@functools.lru_cache(maxsize=None)
def software():
    """The name of a software device that can be used."""
    if SHIM is None:
        raise tap.Skip('built without Vulkan')
    for device in json.loads(succeed('devices', '--json'))['devices'][1:]:
        if device['software'] and device['usable']:
            return device['name']
    raise tap.Skip('no software Vulkan device')


def shim(text, **more):
    """The environment of a program whose device is made up by this text."""
    return {'ADIT_DEVICE': software(), 'ADIT_VULKAN_LIBRARY': SHIM, 'ADIT_SHIM': text, **more}


def true_device():
    return {'ADIT_DEVICE': software()}


def prepare():
    shutil.rmtree('run', ignore_errors=True)
    write('moons.yaml', PIPELINE)
    write('large.yaml', LARGE)
    write('slow.yaml', SLOW)
    write('table.yaml', TABLE)
    make_table('table.csv', rows=150)


def count_calls(*words):
    """How often the command calls each function of Vulkan when nothing happens."""
    succeed(*words, env=shim(f'count:{os.getcwd()}/calls'))
    lines = [line.split() for line in read('calls').splitlines()]
    return {name: int(calls) for name, calls in lines}


def count_losses(*words):
    """How many calls there are at which the device may be lost."""
    calls = count_calls(*words)
    return calls['vkQueueSubmit'] + calls['vkWaitSemaphores']


@functools.lru_cache(maxsize=None)
def undisturbed(*words, **more):
    """What a run leaves to which nothing happens."""
    prepare()
    shutil.rmtree('undisturbed', ignore_errors=True)
    succeed('run', *words, '--run-dir', 'undisturbed', env={**true_device(), **more})
    return results('undisturbed')


def spread(last, n=8):
    """Numbers of the calls to fail: all, or some of them, the first and the last among these."""
    if EXHAUSTIVE:
        return range(1, last + 1)
    return sorted({1 + (last - 1) * i // (n - 1) for i in range(n)})


def warnings(err):
    return [line for line in err.splitlines() if line.startswith('warning: ')]


def expect_match(pattern, text):
    assert re.fullmatch(pattern, text), f'expected {pattern}\ngot      {text}'


def expect_error(verb, pattern, err):
    """One clear error."""
    lines = [line for line in err.splitlines() if ' error: ' in line]
    expect((len(lines), warnings(err)), (1, []))
    expect_match(f'adit {verb}: error: {pattern}', lines[0])


def skip_without_layer(err):
    if 'ADIT_VULKAN_VALIDATION is set, but the layer ' in err:
        raise tap.Skip('no validation layer')


def find_complaints(err):
    """The names of what the validation layer tells."""
    return set(re.findall(r'-CRITICAL \*\*: [\d:.]+: ([\w-]+): ', err))


def wait_for(process, reached):
    """Returns when reached(), which must come before the process has ended."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert process.poll() is None, f'it ended too early\n{process.communicate()[1]}'
        assert time.monotonic() < end, 'it hangs'
        time.sleep(0.001)


def status(run='run'):
    found = record(run)
    return found['status'], found['exit-code']


def expect_no_rest():
    """No file is there under a temporary name."""
    for folder, _, names in os.walk('.'):
        assert not [name for name in names if 'tmp' in name.lower()], (folder, names)


def expect_whole(expected, *words):
    """Goes on from what a failed run left, on a device that has no faults, to the same bytes."""
    code, _, err = adit('resume', 'run', env=true_device())
    assert code == 0, f'{code}\n{err}'
    expect(warnings(err), [])
    expect((differing(expected, 'run'), status()), ([], COMPLETED))


# ---- a lost device ----

def recover(n, expected):
    """Loses the device at this call. Returns: when that was."""
    prepare()
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=shim(f'lost:{n}'))
    if code != 0:
        # nothing was begun
        expect((n, code, os.path.exists('run')), (n, 7, False))
        expect_error('run', LOST, err)
        return 'before'
    expect((n, differing(expected, 'run'), status()), (n, [], COMPLETED))
    found = warnings(err)
    if not found:
        return 'never'
    expect((n, len(found)), (n, 1))
    expect_match('warning: ' + LOST, found[0])
    assert 'the device is open again: going on from the last checkpoint\n' in err, err
    return 'within'


def recovers():
    expected = undisturbed('moons.yaml')
    prepare()
    last = count_losses('run', 'moons.yaml', '--run-dir', 'run')
    expect(recover(1, expected), 'before')
    if EXHAUSTIVE:
        n = 2
        while (when := recover(n, expected)) != 'never':
            n += 1
            assert when == 'within' or n < last // 4, n
        assert n > last // 2, (n, last)
        return
    # a few more or less, as a busy machine waits for the device more often
    found = [recover(n, expected) for n in spread(last)[1:]]
    assert found.count('within') >= len(found) - 1, found
    expect(recover(2 * last, expected), 'never')


def names_kernel():
    """One dispatch a submission: the kernel that it was is named."""
    # a step that is a walk has two
    plain = {'ADIT_FUSE': '0'}
    expected = undisturbed('moons.yaml', **plain)
    prepare()
    words = ['run', 'moons.yaml', '--run-dir', 'run']
    one = {'ADIT_VULKAN_SERIAL': '1', **plain}
    succeed(*words, env=shim(f'count:{os.getcwd()}/calls', **one))
    expect(differing(expected, 'run'), [])
    calls = int(re.search(r'^vkQueueSubmit (\d+)$', read('calls'), re.M)[1])
    named = set()
    for n in range(calls // 2, calls // 2 + 6):
        prepare()
        code, _, err = adit(*words, env=shim(f'lost-submit:{n}', **one))
        expect((code, differing(expected, 'run')), (0, []))
        named.update(re.findall(r"at or behind kernel '([^']+)' for [^,]+ of step \d+", err))
    assert len(named) > 2, named


def thrice():
    """A device that does not come back ends the run; what it saved is whole."""
    words = ['moons.yaml', 'epochs=9']
    expected = undisturbed(*words)
    short, long = (count_losses('run', 'moons.yaml', f'epochs={n}', '--run-dir', f'count{n}')
                   for n in (3, 9))
    epoch = (long - short) // 6
    prepare()
    code, _, err = adit('run', *words, '--run-dir', 'run',
                        env=shim(f'lost:{short - epoch // 2}:3'))
    expect((code, status()), (7, ('FAILED', 7)))
    expect(len(warnings(err)), 2)
    for line in warnings(err):
        expect_match('warning: ' + LOST, line)
    failed = [line for line in err.splitlines() if ' error: ' in line]
    expect(len(failed), 1)
    expect_match('adit run: error: ' + LOST, failed[0])
    expect(err.count('the device is open again'), 2)
    assert checkpoints('run') and checkpoints('run') != expected['checkpoints'], checkpoints('run')
    expect_no_rest()
    expect_whole(expected)


def twice():
    expected = undisturbed('moons.yaml')
    prepare()
    last = count_losses('run', 'moons.yaml', '--run-dir', 'count')
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=shim(f'lost:{last // 3}:2'))
    expect((code, len(warnings(err)), differing(expected, 'run')), (0, 2, []))


SEEDS = (1, 2, 3)


def one_run():
    """A heap that one run fits into, and not two."""
    if os.environ.get('ADIT_FUSE') == '0':
        raise tap.Skip('of plain kernels all runs fit where one does: their memory is next to nothing')
    return f'heap:{18 << 20}'


def together(*more):
    """The words for runs of three seeds side by side."""
    words = ['together']
    for seed in SEEDS:
        words += ['moons.yaml', *more, '-o', f'seed={seed}', '--run-dir', f'run{seed}', '+']
    return words[:-1]


def run_together(text):
    """What each says on such a device, whose fault is told of once, and mended."""
    prepare()
    for seed in SEEDS:
        shutil.rmtree(f'run{seed}', ignore_errors=True)
    code, out, err = adit(*together(), env=shim(text))
    expect((code, err), (0, ''))
    return [point['errors'] for point in json.loads(out)['points']]


def expect_undisturbed(*more):
    for seed in SEEDS:
        expected = undisturbed('moons.yaml', *more, '-o', f'seed={seed}')
        expect((seed, differing(expected, f'run{seed}'), status(f'run{seed}')), (seed, [], COMPLETED))


def lost_together():
    """All go on from their last checkpoints."""
    prepare()
    last = count_losses(*together())
    expect_undisturbed()
    for err in run_together(f'lost:{last * 2 // 3}'):
        expect(len(warnings(err)), 1)
        expect_match('warning: ' + LOST, warnings(err)[0])
        assert 'the device is open again: going on from the last checkpoint\n' in err, err
    expect_undisturbed()


def full_together():
    """There is room for one: they go one after the other, to the bits that they have alone."""
    for err in run_together(one_run()):
        expect(len(warnings(err)), 1)
        expect_match('warning: ' + FULL, warnings(err)[0])
        assert 'beside others there is no memory: going on with fewer of them\n' in err, err
    expect_undisturbed()


def beats_together():
    """Who waits until there is memory for it lives, as is seen from elsewhere."""
    prepare()
    process = start(*together('epochs=100000'), env=shim(one_run()))
    try:
        wait_for(process, lambda: newest_step('run1') > 0)
        before = [record(f'run{seed}')['heartbeat'] for seed in SEEDS]
        process.send_signal(signal.SIGSTOP)
        time.sleep(11)  # a heartbeat is due every ten
        process.send_signal(signal.SIGCONT)
        wait_for(process, lambda: record('run1')['heartbeat'] != before[0])
        wait_for(process, lambda: record('run3')['heartbeat'] != before[2])
        expect(([record(f'run{seed}')['status'] for seed in SEEDS], newest_step('run3')), (['RUNNING'] * 3, 0))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    expect([record(f'run{seed}')['status'] for seed in SEEDS], ['STOPPED'] * 3)


def thrice_together():
    """Those that wait until there is memory for them fail with the one that lost the device: nobody
    takes them for done. They go on where they are."""
    prepare()
    short, long = (count_losses('run', 'moons.yaml', f'epochs={n}', '--run-dir', f'count{n}')
                   for n in (3, 9))
    for seed in SEEDS:
        shutil.rmtree(f'run{seed}', ignore_errors=True)
    code, out, err = adit(*together('epochs=9'),
                          env=shim(f'heap:{18 << 20},lost:{short - (long - short) // 12}:3'))
    expect((code, err), (11, ''))
    for seed, point in zip(SEEDS, json.loads(out)['points']):
        failed = [line for line in point['errors'].splitlines() if ' error: ' in line]
        expect((seed, point['code'], status(f'run{seed}'), len(failed)), (seed, 7, ('FAILED', 7), 1))
        expect_match('adit run: error: ' + LOST, failed[0])
        succeed('resume', f'run{seed}', env=true_device())
    expect_undisturbed('epochs=9')


def lost_answering(verb):
    """adit eval and adit predict end with one clear error and leave nothing half-written."""
    prepare()
    succeed('run', 'moons.yaml', '--run-dir', 'run', env=true_device())
    kept = results('run')
    words = [verb, 'run', '--split', 'train', '--batch', '20']
    words += ['--output', 'out.csv'] if verb == 'predict' else []
    last = count_losses(*words)
    expected = read('out.csv') if verb == 'predict' else ''
    losses = 0
    for n in spread(last, 6):
        write('out.csv', 'before\n')
        code, out, err = adit(*words, env=shim(f'lost:{n}'))
        if code == 0 and n > last // 2:
            continue
        losses += 1
        expect((n, code, out, read('out.csv')), (n, 7, '', 'before\n'))
        expect_error(verb, LOST, err)
        expect_no_rest()
    expect(differing(kept, 'run'), [])
    assert losses >= 4, losses
    code, _, err = adit(*words, env=shim(f'lost:{2 * last}'))
    said = "evaluating the train split of 'moons': 90 of its 150 rows\n" if verb == 'eval' else ''
    expect((code, err), (0, said))
    assert verb == 'eval' or read('out.csv') == expected


def first_use(text, reason):
    """The first self-test on a device with this fault: the CPU, and no verdict is kept of it."""
    prepare()
    env = shim(text, XDG_CACHE_HOME=os.path.realpath('empty'))
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=env)
    expect((code, record('run')['device']['name'], len(warnings(err))), (0, 'cpu', 1))
    expect_match(rf"warning: {software()} \(.+\): '[^']+': {reason}; computing on the CPU",
                 warnings(err)[0])
    listed = json.loads(succeed('devices', '--json', env=env))['devices']
    expect([device['selftest'] for device in listed if device['name'] == software()], ['not run'])


# ---- a full memory ----

def falls_back():
    """Where one allocation fails, another type of memory is taken."""
    expected = undisturbed('moons.yaml')
    prepare()
    last = count_calls('run', 'moons.yaml', '--run-dir', 'run')['vkAllocateMemory']
    for n in spread(last, 5):
        prepare()
        code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=shim(f'memory:{n}'))
        expect((n, code, warnings(err), differing(expected, 'run')), (n, 0, [], []))


def fill(text, expected):
    """Runs into a full memory. Returns: whether a checkpoint was there before."""
    prepare()
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=shim(text))
    expect((text, code), (text, 8))
    expect_error('run', FULL, err)
    expect_no_rest()
    if not os.path.exists('run'):
        return False
    expect((text, status()), (text, ('FAILED', 8)))
    found = len(checkpoints('run')) > 0
    expect_whole(expected)
    return found


def full():
    expected = undisturbed('moons.yaml')
    prepare()
    last = count_calls('run', 'moons.yaml', '--run-dir', 'run')['vkAllocateMemory']
    found = [fill(f'memory:{n}+', expected) for n in spread(last)]
    # the first allocations are made before anything is trained
    expect((found[0], any(found)), (False, True))
    prepare()
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=shim(f'memory:{last + 1}+'))
    expect((code, differing(expected, 'run')), (0, []))


def heap():
    """The device says itself how small it is; data may be streamed then, which changes no bit."""
    expected = undisturbed('moons.yaml')
    mebi = 1 << 20
    for size in (1000, mebi, 16 * mebi, 16 * mebi + 120000):
        fill(f'heap:{size}', expected)
    prepare()
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=shim(f'heap:{32 * mebi}'))
    expect((code, warnings(err), differing(expected, 'run')), (0, [], []))


def largest():
    """Who has to make a batch smaller is told what takes most."""
    prepare()
    sizes = ['-o', 'data.moons.samples=6000', '-o', 'train.batch=100%']
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', *sizes,
                        env=shim(f'heap:{(16 << 20) + 400000}'))
    expect((code, status()), (8, ('FAILED', 8)))
    assert re.search(rf'error: a batch of 5940 rows, the largest values {SIZE} of [^:]+: no memory '
                     rf'for {SIZE} of activations on ', err), err


def under_way():
    """The memory is full when the epoch's last, smaller batch is made ready: nothing is freed that
    the steps before are still working with."""
    prepare()
    last = count_calls('run', 'slow.yaml', 'units=8', '--run-dir', 'count')['vkAllocateMemory']
    # those behind it belong to the evaluation
    code, _, err = adit('run', 'slow.yaml', '--run-dir', 'run',
                        env=shim(f'memory:{last - 7}+', **VALIDATION))
    skip_without_layer(err)
    expect((code, find_complaints(err)), (8, set()))
    assert "of kernels' words on " in err, err


def full_answering():
    prepare()
    succeed('run', 'moons.yaml', '--run-dir', 'run', env=true_device())
    words = ['predict', 'run', '--output', 'out.csv']
    last = count_calls(*words)['vkAllocateMemory']
    for n in spread(last, 4):
        write('out.csv', 'before\n')
        code, out, err = adit(*words, env=shim(f'memory:{n}+'))
        expect((n, code, out, read('out.csv')), (n, 8, '', 'before\n'))
        expect_error('predict', FULL, err)
        expect_no_rest()


# ---- small devices ----

def tested():
    env = shim('small', XDG_CACHE_HOME=os.path.realpath('empty'))
    code, out, err = adit('selftest', '--device', software(), env=env)
    assert code == 0, f'{code}\n{out}\n{err}'


def train_small(file, text):
    """The same bits: a limit changes what a workgroup does, never the order of a sum."""
    expected = undisturbed(file)
    prepare()
    code, _, err = adit('run', file, '--run-dir', 'run', env=shim(text))
    assert code == 0, f'{text}: {code}\n{err}'
    expect((text, warnings(err), differing(expected, 'run')), (text, [], []))


def trains_small():
    for file in ('moons.yaml', 'table.yaml'):
        for text in [*(LIMITS if EXHAUSTIVE else LIMITS[-1:]), 'small']:
            train_small(file, text)


def windows(samples):
    """Data and values that are larger than what a kernel can be given at once."""
    words = ['run', 'large.yaml', f'samples={samples}', '--limit-batches', '2', '--run-dir']
    prepare()
    succeed(*words, 'whole', env=true_device())
    for text in ('range:1048576', 'small') if EXHAUSTIVE else ('range:1048576',):
        prepare()
        code, _, err = adit(*words, 'run', env=shim(text))
        assert code == 0, f'{text}: {code}\n{err}'
        expect((text, differing('whole', 'run')), (text, []))


# ---- barriers ----

def find_hazards(n):
    """What the validation layer tells when the nth barrier is missing."""
    prepare()
    _, _, err = adit(*ONE_EPOCH, 'run', env=shim(f'nobarrier:{n}', **VALIDATION))
    skip_without_layer(err)
    return find_complaints(err)


def barriers():
    """A missing barrier between the kernels of a step is seen."""
    expect(find_hazards(1 << 20), set())
    last = count_calls(*ONE_EPOCH, 'count')['vkCmdPipelineBarrier']
    found = {}
    # without joined kernels there are more, and of many the layer does not know
    end = last if ENVIRONMENT.get('ADIT_FUSE') == '0' else last // 2 + 8
    for n in range(1, last + 1) if EXHAUSTIVE else range(last // 4, end):
        kinds = find_hazards(n)
        assert all(kind.startswith('SYNC-HAZARD-') for kind in kinds), (n, kinds)
        if kinds:
            found[n] = kinds
            if not EXHAUSTIVE:
                break
    if EXHAUSTIVE:
        print(f'{len(found)} of {last} barriers are missed: {sorted(found)}')
    assert found, 'no barrier was missed'


# ---- caches ----

def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1:]


def damaged_cache():
    """Files of the caches that are not what was saved are passed over: truncated, empty, with a bit
    that is another one."""
    changes = [lambda data: data[:len(data) // 3], lambda data: b'', flip]
    expected = undisturbed('moons.yaml')
    prepare()
    home = ENVIRONMENT.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))
    shutil.copytree(f'{home}/adit', 'cache/adit')
    env = {**true_device(), 'XDG_CACHE_HOME': os.path.realpath('cache')}
    succeed('run', 'moons.yaml', '--run-dir', 'before', env=env)
    damaged = 0
    for folder, _, names in os.walk('cache/adit'):
        if os.path.basename(folder) == 'selftest':
            continue
        for name in names:
            data = read(f'{folder}/{name}', 'rb')
            with open(f'{folder}/{name}', 'wb') as stream:
                stream.write(changes[damaged % len(changes)](data))
            damaged += 1
    assert damaged >= len(changes), damaged
    code, _, err = adit('run', 'moons.yaml', '--run-dir', 'run', env=env)
    expect((code, warnings(err), differing(expected, 'run')), (0, [], []))


def verdict():
    """What was found of a walk holds for its very kernels; that it is not taken is told each time."""
    if os.environ.get('ADIT_JOINS_KERNELS') != '1':
        raise tap.Skip('no kernels are joined')
    undisturbed('moons.yaml')
    prepare()
    home = ENVIRONMENT.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))
    for copy in ('cache', 'rows'):
        shutil.copytree(f'{home}/adit', f'{copy}/adit')
        shutil.rmtree(f'{copy}/adit/walks', ignore_errors=True)
    env = {**true_device(), 'XDG_CACHE_HOME': os.path.realpath('cache'), 'ADIT_FUSE': '1'}
    told = 'computes a training step otherwise when it is done in two kernels'
    _, _, err = adit(*ONE_EPOCH, 'run', env=env)
    expect(told in err, False)
    builds = [json.loads(read(f'cache/adit/selftest/{name}'))['build'] for name in os.listdir('cache/adit/selftest')]
    for name in os.listdir('cache/adit/walks'):
        # a head, which ends with a checksum, what was found, and what of
        data = read(f'cache/adit/walks/{name}', 'rb')
        head, found, key = data[:48], data[80:81], data[81:]
        expect(found, b'\1')
        assert key.split(b'\n')[0].decode() in builds, key[:200]
        for included in (b'walk-rows.glsl', b'walk-sums.glsl'):
            assert b'#include "%s"\n' % included in key, key[:200]
        with open(f'cache/adit/walks/{name}', 'wb') as stream:
            stream.write(head + hashlib.sha256(head + b'\0' + key).digest() + b'\0' + key)
    for run in ('second', 'third'):
        _, _, err = adit(*ONE_EPOCH, run, env=env)
        assert told in err, err
    # another number of rows a workgroup makes another kernel
    rows = {**env, 'XDG_CACHE_HOME': os.path.realpath('rows'), 'ADIT_WALK_ROWS': '1'}
    succeed(*ONE_EPOCH, 'fourth', env=rows)
    keys = [read(f'rows/adit/walks/{name}', 'rb')[81:] for name in os.listdir('rows/adit/walks')]
    tried = {re.search(rb'#define ROWS (\d+)u', key)[1] for key in keys if key.split(b'\n')[1] == b'agrees'}
    expect(len(tried) == 2 and b'1' in tried, True)


cases = {
    'lost/recovers': recovers,
    'lost/names-kernel': names_kernel,
    'lost/twice': twice,
    'lost/thrice': thrice,
    'lost/eval': lambda: lost_answering('eval'),
    'lost/predict': lambda: lost_answering('predict'),
    'lost/together': lost_together,
    'lost/thrice-together': thrice_together,
    'lost/first-use': lambda: first_use('lost:40', LOST),
    'memory/falls-back': falls_back,
    'memory/full': full,
    'memory/heap': heap,
    'memory/largest': largest,
    'memory/under-way': under_way,
    'memory/predict': full_answering,
    'memory/together': full_together,
    'memory/beats-together': beats_together,
    'memory/first-use': lambda: first_use('memory:30+', FULL),
    'small/selftest': tested,
    'small/trains': trains_small,
    'small/windows': lambda: windows(200000),
    # the numbers of the rows, too
    'small/row-numbers': lambda: windows(300000),
    'barriers': barriers,
    'cache': damaged_cache,
    'verdict': verdict,
}
only = sys.argv[1:]
tap.run([(f'/pipelines/vulkan-faults/{name}', in_folder(case)) for name, case in cases.items()
         if not only or name in only])
