#!/usr/bin/env python3
# tests/pipelines/test-resume.py - SPDX-License-Identifier: MIT
"""A run that was cut and taken up again ends with the same bytes as one that was not."""

import functools
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
from command import (PATIENCE, adit, checkpoints, differing, expect, in_folder, make_table,  # noqa: E402
                     metrics, newest_step, read, record, results, start, succeed, write)

CUTS = 10
STEPS = 17 * 13  # of the whole run

# 132 training rows: 17 batches of 8 an epoch, the last of 4. Wide enough that a step takes its time.
PIPELINE = '''adit: 1
params: {every: ~}
data: {csv: {path: table.csv, target: y, augment: [{dropout: {rate: 0.1}}], standardize: features, test: 20%, validation: 15%}}
model:
  stem: [{dense: {units: 192}}]
  trunk:
    aggregator: residual
    blocks:
      - repeat:
          times: 6
          blocks: [{sequence: [{dense: {units: 192, norm: batch-norm, activation: relu}}, {dropout: {rate: 0.1}}]}]
  head: [{dense: {units: 1}}]
train:
  - name: first
    loss: mse
    optimizer: {adam: {lr: {cosine: {from: 0.002, to: 1e-4}}}}
    regularizers: [{l2: {weight: 1e-5}}]
    batch: 8
    epochs: 8
    clip: 5
    checkpoint: {every: $every}
  - {name: second, optimizer: {sgd: {lr: 1e-3, momentum: 0.9}}, epochs: 5, micro-batch: 5, freeze: [stem]}
probes: [{block-norm: {at: trunk.*, when: [start, end], every: 3}}]
'''
EVERY = {'epochs': '1', 'steps': '7 steps', 'boundaries': '17 steps', 'parts': '0.4'}

# One step of it takes about a second: a signal falls within a step.
SLOW = '''adit: 1
data: {moons: {samples: 6000, noise: 0.1, test: 1000}}
model:
  trunk: [{repeat: {times: 10, blocks: [{dense: {units: 512, activation: relu}}]}}]
  head: [{dense: {units: 2}}]
train: {loss: cross-entropy, optimizer: adam, batch: 100%, epochs: 50}
'''

# Two steps, and hundreds of batches of evaluation.
SLOW_EVALUATION = '''adit: 1
data: {moons: {samples: 2532, noise: 0.1, test: 2500}}
model:
  trunk: [{repeat: {times: 10, blocks: [{dense: {units: 512, activation: relu}}]}}]
  head: [{dense: {units: 2}}]
train: {loss: cross-entropy, optimizer: adam, batch: 16, epochs: 2}
inference: {batch: 8}
'''


def prepare():
    make_table('table.csv')
    write('cut.yaml', PIPELINE)


@functools.lru_cache(maxsize=None)
def uncut(every):
    """The results of a run nobody disturbed."""
    prepare()
    succeed('run', 'cut.yaml', f'every={EVERY[every]}', '--run-dir', 'uncut')
    return results('uncut')


def is_running(run):
    return os.path.exists(f'{run}/run.json') and record(run)['status'] == 'RUNNING'


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


def cut(process, run, step, delay):
    """Kills it a moment after a new checkpoint, of this step or later; whether it was still there.
    """
    step = max(step, newest_step(run) + 1) if step > 0 else 0
    wait_for(process, lambda: is_running(run) if step == 0 else newest_step(run) >= step)
    time.sleep(delay)
    process.kill()
    err = finish(process)
    assert process.returncode in (0, -signal.SIGKILL), f'{process.returncode}\n{err}'
    return process.returncode != 0


def killed(every):
    """Ten moments over the run, known by the checkpoints so that a busy machine does not matter."""
    expected = uncut(every)
    prepare()
    draw = random.Random(every)
    moments = [0] + sorted(draw.randrange(1, STEPS * 8 // 10) for _ in range(CUTS - 1))
    landed = 0
    process = start('run', 'cut.yaml', f'every={EVERY[every]}', '--run-dir', 'run')
    for step in moments:
        landed += cut(process, 'run', step, draw.uniform(0, 0.01))
        process = start('resume', 'run')
    err = finish(process)
    expect((process.returncode, record('run')['status']), (0, 'COMPLETED'))
    expect(differing(expected, 'run'), [])
    # the last ones may find the run complete
    assert landed >= CUTS - 3, f'{landed} of {CUTS} cuts found the run going on\n{err}'


def killed_at_start():
    """Cut while it starts and while it is taken up, before there is anything to go on from."""
    expected = uncut('epochs')
    prepare()
    draw = random.Random(0)
    process = start('run', 'cut.yaml', 'every=1', '--run-dir', 'run')
    wait_for(process, lambda: os.path.exists('run/run.json'))
    for _ in range(CUTS):
        time.sleep(draw.uniform(0, 0.04))
        process.kill()
        finish(process)
        process = start('resume', 'run')
    finish(process)
    expect((process.returncode, differing(expected, 'run')), (0, []))


def every_checkpoint():
    """From each checkpoint that a run makes, the ends of epochs and of a stage among them."""
    prepare()
    keep = ['-o', 'train.1.checkpoint.keep-last=1000']
    succeed('run', 'cut.yaml', 'every=7 steps', '--run-dir', 'whole', *keep)
    steps = checkpoints('whole')
    chosen = [name for name in steps if int(name[5:]) in (7, 35, 119, 133, 136, 143, 217, 220)]
    assert 'step-00000136' in chosen and len(chosen) > 5, steps
    for name in chosen:
        shutil.rmtree('run', ignore_errors=True)
        shutil.copytree('whole', 'run', symlinks=True)
        for later in steps[steps.index(name) + 1:]:
            shutil.rmtree(f'run/checkpoints/{later}')
        write('run/run.json', read('run/run.json').replace('"COMPLETED"', '"RUNNING"'))
        succeed('resume', 'run')
        expect((name, differing('whole', 'run')), (name, []))


def checkpoint_steps(every, expected):
    prepare()
    succeed('run', 'cut.yaml', f'every={EVERY[every]}', '--run-dir', 'run', '-o',
            'train.first.checkpoint.keep-last=1000', '-o', 'train.first.checkpoint.keep-best=0')
    steps = [int(name[5:]) for name in checkpoints('run')]
    expect([step for step in steps if step <= 51], expected)


def interrupted():
    """Ctrl-C: the step is finished, the state saved, and the run goes on where it stopped."""
    prepare()
    process = start('run', 'cut.yaml', 'every=1', '--run-dir', 'run')
    for step, number in ((20, signal.SIGINT), (70, signal.SIGTERM), (140, signal.SIGUSR1)):
        wait_for(process, lambda step=step: newest_step('run') >= step)
        process.send_signal(number)
        err = finish(process)
        expect(process.returncode, 75)
        expect((record('run')['status'], record('run')['exit-code']), ('STOPPED', 75))
        expect([line for line in err.splitlines() if line.startswith('stopping behind ')
                and line.endswith('; a second signal ends it at once')], err.splitlines()[-2:-1])
        expect(err.splitlines()[-1], 'stopped, state saved; adit resume run goes on')
        process = start('resume', 'run')
    err = finish(process)
    expect(process.returncode, 0)
    steps = [line for line in err.splitlines() if line.startswith('going on from ')]
    expect(len(steps), 1)
    expect(differing(uncut('epochs'), 'run'), [])


def hear(process, text):
    """Returns when it has said so on standard error; what it has said."""
    said = ''
    while text not in said:
        letter = process.stderr.read(1)
        assert letter, f'it ended without {text!r}\n{said}'
        said += letter
    return said


def interrupted_evaluation():
    """It ends between two batches, and is begun anew to the same numbers."""
    write('slow.yaml', SLOW_EVALUATION)
    succeed('run', 'slow.yaml', '--run-dir', 'uncut')
    process = start('run', 'slow.yaml', '--run-dir', 'run', '--progress', 'always')
    hear(process, ' evaluating test ')
    process.send_signal(signal.SIGINT)
    err = finish(process)
    expect((process.returncode, record('run')['status']), (75, 'STOPPED'))
    assert '\x1b[Kstopping behind this batch of the evaluation; a second signal ends it at once\n' \
        in err, err
    expect((len(metrics('run')), checkpoints('run')), (0, ['step-00000002']))
    # out of time it would never come to an end if each call began the evaluation and left it
    code = adit('resume', 'run', '--max-time', '1 ms')[0]
    expect((code, len(metrics('run'))), (75, 1))
    succeed('resume', 'run')
    expect(differing('uncut', 'run'), [])


def reading():
    """What may take long before training begins is shown, as are evaluations and probes."""
    prepare()
    code, _, err = adit('run', 'cut.yaml', 'every=1', '--run-dir', 'run', '--progress', 'always')
    expect(code, 0)
    for text in ('checking the pipeline against its data', 'reading data'):
        assert f'\x1b[K{text}' in err, err
    expect(re.search('evaluating (?!(test 0/41|validation 0/30))[^\r\n\x1b]*', err), None)


def edited():
    """What a run began with is what it goes on with, whatever the file it is compared with says."""
    prepare()
    call = ['run', 'cut.yaml', 'every=1', '--run-dir', 'run']
    expect(adit(*call, '--max-time', '20 ms')[0], 75)
    path, before = 'run/config.resolved.yaml', read('run/metrics.jsonl')
    config = read(path)
    for file in (path, 'cut.yaml'):
        text = read(file)
        assert 'clip: 5' in text, text
        write(file, text.replace('clip: 5', 'clip: 6'))
    for words in (['resume', 'run'], [*call, '--resume', 'must'], [*call, '--resume', 'auto']):
        code, out, err = adit(*words)
        expect((code, out), (4, ''))
        assert re.fullmatch(f'adit {words[0]}: error: {path} is not what the run began with, it was '
                            'edited since: got sha256:[0-9a-f]{64}, expected sha256:[0-9a-f]{64}; '
                            r'put it back \(config.yaml and overrides.txt tell what it was\), or '
                            f'begin another run with it: adit run {path} --run-dir DIR\n', err), err
    expect((read('run/metrics.jsonl'), record('run')['status']), (before, 'STOPPED'))
    assert f'warning: {os.path.realpath(path)} is not what the run began with, it was edited ' \
        in adit('eval', 'run')[2]
    write(path, config)
    succeed('resume', 'run')
    expect(differing(uncut('epochs'), 'run'), [])


def out_of_time():
    prepare()
    code, _, err = adit('run', 'cut.yaml', 'every=1', '--run-dir', 'run', '--max-time', '20 ms')
    expect((code, record('run')['status']), (75, 'STOPPED'))
    assert err.endswith('stopped, state saved; adit resume run goes on\n'), err
    succeed('resume', 'run')
    expect(differing(uncut('epochs'), 'run'), [])


def resumed_by_run():
    """What a batch system calls again and again: begins, goes on, and finds nothing left to do."""
    prepare()
    call = ['run', 'cut.yaml', 'every=1', '--run-dir', 'run', '--resume', 'auto']
    expect(adit(*call, '--max-time', '20 ms')[0], 75)
    succeed(*call)
    expect(differing(uncut('epochs'), 'run'), [])
    code, out, err = adit(*call)
    expect((code, out, err), (0, '', 'run is complete: nothing to go on with\n'))
    code, out, err = adit(*call, '-o', 'seed=1')
    expect((code, out), (2, ''))
    expect(err, 'adit run: error: run was made from another pipeline than cut.yaml with these '
                "parameters; 'adit resume' needs no file, and -o 'model={from: run}' with another --run-dir "
                'begins a run with its weights\n')


def in_pieces():
    """What a queue with a limit does: every piece gets the same time, and the last one ends it."""
    prepare()
    succeed('run', 'cut.yaml', 'every=7 steps', '--run-dir', 'whole')
    limit = float(metrics('whole')[-1]['seconds']) / 4
    call = ['run', 'cut.yaml', 'every=7 steps', '--run-dir', 'run', '--resume', 'auto',
            '--max-time', f'{1000 * limit:.0f} ms']
    pieces, code = 0, 75
    while code == 75 and pieces < 250:  # a piece is a step at least, of which there are 220
        code = adit(*call)[0]
        pieces += 1
    expect((code, differing('whole', 'run')), (0, []))


def one_at_a_time():
    """A run that is going on is not taken up by a second process."""
    write('slow.yaml', SLOW)
    process = start('run', 'slow.yaml', '--run-dir', 'run')
    wait_for(process, lambda: is_running('run'))
    code, out, err = adit('resume', 'run')
    process.kill()
    finish(process)
    expect((code, out), (1, ''))
    assert re.fullmatch(f'adit resume: error: run is being run by process {process.pid} on .*, '
                        'heartbeat [0-9]+ s ago\n', err), err


def second_signal():
    write('slow.yaml', SLOW)
    process = start('run', 'slow.yaml', '--run-dir', 'run')
    wait_for(process, lambda: is_running('run'))
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    err = finish(process)
    expect(process.returncode, 128 + signal.SIGINT)
    assert 'state saved' not in err, err
    expect((checkpoints('run'), record('run')['status']), ([], 'RUNNING'))


def damage(path, how):
    data = read(path, 'rb')
    with open(path, 'wb') as stream:
        stream.write(data[:-1] if how == 'shorter' else
                     data[:-1] + bytes([data[-1] ^ 1]))


def damaged(name, how, reason):
    expected = uncut('steps')
    prepare()
    process = start('run', 'cut.yaml', f'every={EVERY["steps"]}', '--run-dir', 'run')
    wait_for(process, lambda: newest_step('run') >= 100)
    process.send_signal(signal.SIGINT)
    finish(process)
    expect(process.returncode, 75)
    newest, older = sorted(checkpoints('run'))[:-3:-1]
    path = f'run/checkpoints/{newest}/{name}'
    damage(path, how)
    code, _, err = adit('resume', 'run')
    expect(code, 0)
    said = err.splitlines()
    assert said[0].startswith(f'warning: passed over: {path}: ') and reason in said[0], said[0]
    expect(said[1], f'going on from run/checkpoints/{older}')
    expect(differing(expected, 'run'), [])


def all_damaged():
    """Without a whole checkpoint it begins anew, and says so."""
    prepare()
    expect(adit('run', 'cut.yaml', 'every=1', '--run-dir', 'run', '--max-time', '20 ms')[0], 75)
    for name in checkpoints('run'):
        os.unlink(f'run/checkpoints/{name}/MANIFEST.json')
    code, _, err = adit('resume', 'run')
    expect(code, 0)
    assert 'no checkpoint yet: starting from the beginning\n' in err, err
    expect(differing(uncut('epochs'), 'run'), [])


def other_data():
    prepare()
    expect(adit('run', 'cut.yaml', 'every=1', '--run-dir', 'run', '--max-time', '20 ms')[0], 75)
    before = read('run/metrics.jsonl')
    make_table('table.csv', change=lambda rows: rows[5].__setitem__(1, '0.5'))
    code, out, err = adit('resume', 'run')
    expect((code, out), (4, ''))
    assert err.startswith("adit resume: error: data 'csv' is not what the run began with: got "
                          'sha256:'), err
    expect((read('run/metrics.jsonl'), record('run')['status']), (before, 'STOPPED'))
    make_table('table.csv')
    succeed('resume', 'run')
    expect(differing(uncut('epochs'), 'run'), [])


def rows_once():
    """metrics.csv has each epoch once."""
    rows = uncut('epochs')['metrics.csv'][1:]
    expect([row[:2] for row in rows],
           [[str(17 * (epoch + 1)), str(epoch % 8 + 1)] for epoch in range(13)])


cases = [(f'/pipelines/resume/killed/{every}', in_folder(lambda every=every: killed(every)))
         for every in ('epochs', 'steps')]
cases += [
    ('/pipelines/resume/killed/at-start', in_folder(killed_at_start)),
    ('/pipelines/resume/every-checkpoint', in_folder(every_checkpoint)),
    ('/pipelines/resume/steps/7', in_folder(lambda: checkpoint_steps('steps', [*range(7, 50, 7)]))),
    ('/pipelines/resume/steps/boundaries',
     in_folder(lambda: checkpoint_steps('boundaries', [17, 34, 51]))),
    ('/pipelines/resume/steps/parts',
     in_folder(lambda: checkpoint_steps('parts', [7, 14, 21, 28, 34, 41, 48]))),
    ('/pipelines/resume/interrupted', in_folder(interrupted)),
    ('/pipelines/resume/interrupted-evaluation', in_folder(interrupted_evaluation)),
    ('/pipelines/resume/reading', in_folder(reading)),
    ('/pipelines/resume/edited', in_folder(edited)),
    ('/pipelines/resume/out-of-time', in_folder(out_of_time)),
    ('/pipelines/resume/resumed-by-run', in_folder(resumed_by_run)),
    ('/pipelines/resume/in-pieces', in_folder(in_pieces)),
    ('/pipelines/resume/one-at-a-time', in_folder(one_at_a_time)),
    ('/pipelines/resume/second-signal', in_folder(second_signal)),
    ('/pipelines/resume/damaged/model', in_folder(
        lambda: damaged('model.safetensors', 'flipped', 'SHA-256'))),
    ('/pipelines/resume/damaged/shorter', in_folder(
        lambda: damaged('optimizer.safetensors', 'shorter', 'bytes'))),
    ('/pipelines/resume/damaged/state', in_folder(
        lambda: damaged('state.json', 'flipped', 'SHA-256'))),
    ('/pipelines/resume/damaged/all', in_folder(all_damaged)),
    ('/pipelines/resume/other-data', in_folder(other_data)),
    ('/pipelines/resume/rows-once', in_folder(rows_once)),
]
tap.run(cases)
