#!/usr/bin/env python3
# tests/pipelines/test-vulkan.py - SPDX-License-Identifier: MIT
"""Training on a Vulkan device: the same bits run after run, cut or not, resident or streamed, with
kernels joined or alone, and nothing made anew after the first epoch; data of bytes as bytes.

The device is vulkan:0, here a software one; without it the cases fail. ADIT_VULKAN_SHIM is a
stand-in for the Vulkan loader (tests/support/vulkan-shim) that counts calls.
"""

import functools
import json
import os
import random
import re
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PATIENCE, adit, checkpoints, differing, expect, in_folder, metrics,  # noqa: E402
                     newest_step, read, record, start, succeed, write, write_idx)

DEVICE = 'vulkan:0'
SHIM = os.environ['ADIT_VULKAN_SHIM']
STEPS_OF_EPOCH = 5

# 260 rows: four batches of 64 an epoch and one of 4. What keeps state of its own is here: dropout,
# running statistics, a schedule, moments; and clipping and a probe.
PIPELINE = '''adit: 1
params: {epochs: 3, every: ~, keep: 1000, times: 2}
data: {moons: {samples: 350, noise: 0.1, test: 70, validation: 20}}
model:
  stem: [{dense: {units: 8}}]
  trunk:
    aggregator: residual
    blocks:
      - repeat:
          times: $times
          blocks: [{sequence: [{dense: {units: 8, norm: batch-norm, activation: relu}}, {dropout: {rate: 0.1}}]}]
  head: [{dense: {units: 2}}]
train:
  loss: cross-entropy
  optimizer: {adam: {lr: {cosine: {from: 0.01, to: 1e-3}}}}
  batch: 64
  epochs: $epochs
  clip: 1
  checkpoint: {every: $every, keep-last: $keep}
probes: [{block-norm: {at: trunk.*, when: [start, end]}}]
'''


def train(run, *words, every='1', device=DEVICE, env=None):
    write('moons.yaml', PIPELINE)
    succeed('run', 'moons.yaml', f'every={every}', *words, '--run-dir', run, '--device', device, '-q', env=env)
    expect(record(run)['device']['name'], device)


def figures_of(run):
    """metrics.jsonl without what a clock says. A run that was cut may tell some epochs twice: the
    same."""
    found = {}
    for text in read(f'{run}/metrics.jsonl').splitlines():
        line = json.loads(text)
        if line.get('event') == 'resume':
            continue
        values = {name: value for name, value in line['values'].items() if name != 'seconds'}
        key = (line['step'], line['epoch'], line['split'])
        expect((key, values), (key, found.setdefault(key, values)))
    assert found, f'{run} has no figures'
    return found


def every_byte(run):
    """The tensors of all checkpoints that are there, and the figures."""
    found = {f'{step}/{name}': read(f'{run}/checkpoints/{step}/{name}', 'rb')
             for step in checkpoints(run) for name in ('model.safetensors', 'optimizer.safetensors')}
    assert found, f'{run} has no checkpoint'
    return {**found, 'metrics.jsonl': figures_of(run)}


def expect_same(run, other, n_checkpoints):
    expect(len(checkpoints(run)), n_checkpoints)
    expect(differing(every_byte(run), every_byte(other)), [])
    expect(differing(run, other), [])


def repeated():
    for run in 'abc':
        train(run)
    expect_same('a', 'b', 3)
    expect_same('a', 'c', 3)
    # other bits would be seen
    train('d', '-o', 'seed=1')
    assert 'last/model.safetensors' in differing('a', 'd')


def evaluated():
    """The batch changes no digit of an evaluation."""
    train('run')
    for split in ('test', 'train'):
        answers, tables = set(), set()
        for batch in (1, 7, 64, 1000):
            more = ['--split', split, '--batch', batch, '--device', DEVICE]
            answers.add(succeed('eval', 'run', '--json', *more))
            tables.add(succeed('predict', 'run', *more))
        expect((split, len(answers), len(tables)), (split, 1, 1))
        answer = json.loads(answers.pop())
        expect(answer['rows'], {'test': 70, 'train': 260}[split])
        if split == 'test':
            expect(f"{answer['loss']:.9g}", metrics('run')[-1]['test.loss'])


# ---- runs that were cut ----

def wait_for(process, reached):
    """Returns when reached() or when the process has ended."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and not reached():
        assert time.monotonic() < end, 'it hangs'
        time.sleep(0.0005)


def finish(process):
    """What it said on standard error."""
    try:
        return process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()


def killed():
    """Three moments, known by the checkpoints so that a busy machine does not matter."""
    epochs = 60
    words = [f'epochs={epochs}', 'keep=2']
    train('uncut', *words, every='3 steps')
    draw = random.Random(6)
    moments = sorted(draw.randrange(1, STEPS_OF_EPOCH * epochs // 2) for _ in range(3))
    process = start('run', 'moons.yaml', 'every=3 steps', *words, '--run-dir', 'run', '--device',
                    DEVICE)
    for moment in moments:
        step = max(moment, newest_step('run') + 1)
        wait_for(process, lambda step=step: newest_step('run') >= step)
        time.sleep(draw.uniform(0, 0.005))
        process.kill()
        err = finish(process)
        expect((err, process.returncode), (err, -signal.SIGKILL))
        process = start('resume', 'run', '--device', DEVICE)
    err = finish(process)
    expect((err, process.returncode, record('run')['status']), (err, 0, 'COMPLETED'))
    assert 'going on from run/checkpoints/step-' in err, err
    expect_same('uncut', 'run', len(checkpoints('uncut')))


def expect_close(run, other, epoch):
    """The losses of an epoch, which the devices compute in other orders."""
    for name in ('train.loss', 'test.loss'):
        mine, others = (float(metrics(which)[epoch][name]) for which in (run, other))
        assert abs(mine - others) <= 1e-3 * abs(others), (name, mine, others)


def moved(before, after):
    """A checkpoint written on one device is gone on from on the other."""
    train('uncut', device='cpu')
    train('run', device=before)
    first, *later = checkpoints('run')
    expect((first, len(later)), (f'step-{STEPS_OF_EPOCH:08d}', 2))
    for step in later:
        shutil.rmtree(f'run/checkpoints/{step}')
    write('run/run.json', read('run/run.json').replace('"COMPLETED"', '"RUNNING"'))
    code, _, err = adit('resume', 'run', '--device', after)
    assert code == 0, f'{code}\n{err}'
    assert f'going on from run/checkpoints/{first}\n' in err, err
    told = f'^warning: the run began on {before} .* this goes on on {after} '
    assert re.search(told, err, re.M), err
    expect(len(metrics('run')), 3)
    expect_close('run', 'uncut', 1)
    # the loss of another epoch is not that close
    first, second = (float(row['train.loss']) for row in metrics('uncut')[:2])
    assert abs(first - second) > 1e-2 * first, (first, second)


# ---- other ways to the same bits ----

def streamed():
    train('resident', '-o', 'data.moons.resident=yes')
    train('streamed', '-o', 'data.moons.resident=no')
    expect_same('resident', 'streamed', 3)


# Convolutions and data that is augmented, of bytes: an image begins in the middle of a word.
CONVOLUTIONS = '''adit: 1
params: {resident: yes, epochs: 2}
data: {idx: {folder: images, test: 20, resident: $resident, augment: [{random-crop: {padding: 1}}, flip]}}
model:
  stem: {conv: {filters: 4, norm: batch-norm, activation: relu}}
  trunk: [pool]
  head: [global-pool, {dense: {units: 3}}]
train: {loss: cross-entropy, optimizer: adam, batch: 20, epochs: $epochs}
'''


def images_streamed():
    prepare_images(333)
    write('images.yaml', CONVOLUTIONS)
    for resident in ('yes', 'no'):
        learn(resident, f'resident={resident}')
    expect(differing('yes', 'no'), [])
    learn('other', 'resident=no', '-o', 'seed=1')
    assert 'last/model.safetensors' in differing('no', 'other')


def gathered_ahead():
    """While the device has something to do the host gathers what is next: whenever it waits for room
    more is under way."""
    batches = 200
    prepare_images(10 * batches + 20)
    write('images.yaml', CONVOLUTIONS)
    learn('run', 'resident=no', 'epochs=1', '--limit-batches', '1')
    succeed('eval', 'run', '--split', 'train', '--batch', '10', '--device', DEVICE,
            env={'ADIT_VULKAN_LIBRARY': SHIM, 'ADIT_SHIM': f'count:{os.getcwd()}/calls'})
    calls = {name: int(n) for name, n in (line.split() for line in read('calls').splitlines())}
    # eight batches have room, of which four are waited for
    assert batches / 4 - 4 <= calls['ahead'] <= calls['vkWaitSemaphores'], calls


def count_calls(run, *words, **env):
    """How often a run calls each function of Vulkan."""
    path = f'{os.getcwd()}/calls'
    train(run, *words, env={'ADIT_VULKAN_LIBRARY': SHIM, 'ADIT_SHIM': f'count:{path}', **env})
    return {name: int(n) for name, n in (line.split() for line in read(path).splitlines())}


def recorded_once(resident):
    """Nothing is recorded, compiled or allocated after the first epoch."""
    # a first use of the device would test its kernels
    train('before')
    where = ['-o', f'data.moons.resident={resident}']
    short, long = (count_calls(f'run{epochs}', f'epochs={epochs}', *where) for epochs in (2, 6))
    for name in ('vkBeginCommandBuffer', 'vkAllocateDescriptorSets', 'vkCreateComputePipelines',
                 'vkAllocateMemory'):
        assert short[name] > 0, name
        expect((name, long[name]), (name, short[name]))
    # the epochs were computed there
    assert long['vkQueueSubmit'] >= short['vkQueueSubmit'] + 4 * STEPS_OF_EPOCH, (short, long)


def joined():
    """Kernels that are joined at run time compute what they do alone. Without a loop: else it is a
    walk, which sums in another order."""
    for fuse in '01':
        train(f'before{fuse}', 'times=1', env={'ADIT_FUSE': fuse})
    alone = count_calls('alone', 'times=1', ADIT_FUSE='0')
    together = count_calls('together', 'times=1', ADIT_FUSE='1')
    expect_same('alone', 'together', 3)
    if alone['vkCmdDispatch'] == together['vkCmdDispatch']:
        raise tap.Skip('built without a compiler of shaders')
    assert alone['vkCmdDispatch'] > together['vkCmdDispatch'], (alone, together)


# ---- bytes ----

# Rows of 15 bytes begin anywhere in a word. Four layers alike are a walk, one is none.
IMAGES = '''adit: 1
params: {times: 4, resident: auto}
data: {idx: {folder: images, test: 100, resident: $resident}}
model:
  stem: [flatten, {dense: {units: 6}}]
  trunk:
    aggregator: residual
    blocks: [{repeat: {times: $times, blocks: [{dense: {units: 6, activation: relu}}]}}]
  head: [{dense: {units: 3}}]
train: {loss: cross-entropy, optimizer: adam, batch: 500, epochs: 2}
'''
PIXELS = 15


def prepare_images(rows):
    write('images.yaml', IMAGES)
    draw = random.Random(2)
    write_idx('images/train-images-idx3-ubyte', [rows, 3, 5], draw.randbytes(rows * PIXELS))
    write_idx('images/train-labels-idx1-ubyte', [rows], [row % 3 for row in range(rows)])


def learn(run, *words, **env):
    succeed('run', 'images.yaml', *words, '--run-dir', run, '--device', DEVICE, '-q', env=env)


def bytes_streamed():
    """In two kernels and each operation by itself."""
    prepare_images(1303)
    for fuse in '10':
        for resident in ('yes', 'no'):
            learn(resident + fuse, f'resident={resident}', ADIT_FUSE=fuse)
        expect(differing(f'yes{fuse}', f'no{fuse}'), [])
    learn('whole', 'resident=yes', '-o', 'seed=1')
    assert 'last/model.safetensors' in differing('yes1', 'whole')


def bytes_in_windows():
    """The second window begins in the middle of a word."""
    most = 1 << 18
    prepare_images(30000)
    for name, limit in (('small', f'range:{most}'), ('whole', '')):
        learn(name, 'times=1', ADIT_VULKAN_LIBRARY=SHIM, ADIT_SHIM=limit)
    assert 30000 * PIXELS > most
    expect(differing('small', 'whole'), [])


def bytes_bound_whole():
    """A walk takes as many bytes as can be bound; as float32 they would be too many, and with each
    operation by itself sums have other bits."""
    most = 1 << 20
    prepare_images(60000)
    assert 60000 * PIXELS < most < 60000 * PIXELS * 4
    for name, limit in (('small', f'range:{most}'), ('whole', '')):
        learn(name, ADIT_VULKAN_LIBRARY=SHIM, ADIT_SHIM=limit)
    expect(differing('small', 'whole'), [])


def bytes_in_memory():
    """Data may take half of the memory: so many bytes."""
    rows = 700000
    prepare_images(rows)
    words = ['times=1', '--limit-batches', '1', '-o', 'train.epochs=1']

    def count(resident, heap):
        run = f'{resident}{heap}'
        learn(run, f'resident={resident}', *words, ADIT_VULKAN_LIBRARY=SHIM,
              ADIT_SHIM=f'heap:{heap},count:{os.getcwd()}/calls')
        lines = [line.split() for line in read('calls').splitlines()]
        return {name: int(n) for name, n in lines}['vkCmdCopyBuffer']

    # what lives there is copied, what is streamed is not
    everything = count('yes', 1 << 28)
    assert rows * PIXELS < 1 << 25 < rows * PIXELS * 4
    expect(count('auto', 1 << 26), everything)
    assert 10_000_000 < rows * PIXELS
    assert count('auto', 20_000_000) < everything
    expect(differing(f'auto{1 << 26}', 'auto20000000'), [])


cases = {
    'repeated': repeated,
    'evaluated': evaluated,
    'resume/killed': killed,
    'resume/from-cpu': lambda: moved('cpu', DEVICE),
    'resume/on-cpu': lambda: moved(DEVICE, 'cpu'),
    'streamed': streamed,
    'recorded-once/resident': lambda: recorded_once('yes'),
    'recorded-once/streamed': lambda: recorded_once('no'),
    'joined': joined,
    'streamed/images': images_streamed,
    'streamed/ahead': gathered_ahead,
    'bytes/streamed': bytes_streamed,
    'bytes/windows': bytes_in_windows,
    'bytes/bound-whole': bytes_bound_whole,
    'bytes/memory': bytes_in_memory,
}
only = sys.argv[1:]
tap.run([(f'/pipelines/vulkan/{name}', in_folder(case)) for name, case in cases.items()
         if not only or name in only])
