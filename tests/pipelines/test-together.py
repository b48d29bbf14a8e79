#!/usr/bin/env python3
# tests/pipelines/test-together.py - SPDX-License-Identifier: MIT
"""A study whose runs train side by side: each leaves what it leaves alone, whatever becomes of the
others. ADIT_TEST_DEVICE is the device; else it is the CPU."""

import csv
import functools
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
from command import (PATIENCE, adit, expect, in_folder, make_table, newest_step, read, record,  # noqa: E402
                     start, write)

DEVICE = os.environ.get('ADIT_TEST_DEVICE', 'cpu')
# 1e6 ends in a loss that is not finite; patience ends some before the others
NET = '''adit: 1
params: {rate: 0.01, epochs: 5}
data: {moons: {samples: 90, noise: 0.1, test: 25%}}
model:
  stem: {dense: {units: 5}}
  trunk: {aggregator: glonet, blocks: [{repeat: {times: 4, blocks: [{dense: {units: 5, activation: silu}}]}}]}
  head: {dense: {units: 2}}
train:
  {loss: cross-entropy, optimizer: {adam: {lr: $rate}}, batch: 16, epochs: $epochs, patience: 1,
   regularizers: [{l2: {weight: 1e-4}}]}
probes: [{block-norm: {at: trunk.*}}]
'''
# No walk: a device does each step's programs in turn.
PLAIN = '''adit: 1
params: {rate: 0.01, epochs: 3}
data: {csv: {path: table.csv, target: y, test: 25%}}
model:
  stem: {dense: {units: 6}}
  trunk: [{repeat: {times: 2, blocks: [{dense: {units: 6, norm: batch-norm}}, relu, {dropout: {rate: 0.1}}]}}]
  head: {dense: {units: 1}}
train: {loss: mse, optimizer: {adam: {lr: $rate}}, batch: 32, epochs: $epochs, clip: 1}
'''
STUDY = '''adit: 1
study: {vary: {pipeline: net.yaml, rate: [0.01, 0.3, 1e6], seed: 1..2}}
'''
# A step takes about as long as a checkpoint, and there is one for each of the 120 steps.
SLOW = '''adit: 1
data: {moons: {samples: 400, noise: 0.1, test: 25%}}
model:
  trunk: [{repeat: {times: 4, blocks: [{dense: {units: 64, activation: relu}}]}}]
  head: {dense: {units: 2}}
train:
  {loss: cross-entropy, optimizer: {adam: {lr: 0.001}}, batch: 50, epochs: 20, checkpoint: {every: 1 steps}}
'''
CLOCK = ('seconds', 'seconds-per-epoch')
# What tells the time, or of a process.
TIMES = (r'"(t|seconds|stage-began|created|heartbeat|started|stopped|pid|start-ticks|together)" ?: '
         r'?("[^"]*"|[\d.e+-]+)',
         r'(?<=  )[\d.]+ s$', r'[\d.]+$')


def sweep(*words, code=0, folder='study'):
    found = adit('sweep', 'study.yaml', '--study-dir', folder, '--device', DEVICE, '--threads', '1', '--jobs', '1',
                 *words)
    expect(found[0], code)
    return found


def table(folder='study'):
    with open(f'{folder}/sweep.csv', encoding='utf-8', newline='') as stream:
        return [{name: value for name, value in row.items() if name not in CLOCK}
                for row in csv.DictReader(stream)]


def expect_times(are_there):
    """What a clock says of several runs at once is none's."""
    with open('study/sweep.csv', encoding='utf-8', newline='') as stream:
        for row in csv.DictReader(stream):
            expect([row[name] != '' for name in CLOCK], [are_there and row['status'] == 'done'] * 2)


def runs(folder='study'):
    path = f'{folder}/runs'
    return [f'{path}/{name}' for name in sorted(os.listdir(path))] if os.path.isdir(path) else []


def manifest(text):
    """Without the state's file, which tells a time."""
    found = json.loads(text)
    found['files'] = [file for file in found['files'] if file['name'] != 'state.json']
    return found


def whole(folder):
    """All files of all runs, without the time."""
    found = {}
    for path, _, names in os.walk(f'{folder}/runs'):
        for name in names:
            data = read(f'{path}/{name}', 'rb')
            if name == 'MANIFEST.json':
                data = manifest(data)
            elif not name.endswith('.safetensors'):
                text = data.decode()
                for times in TIMES[:2] if name != 'metrics.csv' else TIMES[2:]:
                    text = re.sub(times, 'TIME', text, flags=re.M)
                data = text
            found[f'{os.path.relpath(path, folder)}/{name}'] = data
    return found


def compare(pipeline, statuses):
    """One after the other and side by side, in the same place."""
    write('net.yaml', pipeline)
    write('study.yaml', STUDY)
    make_table('table.csv', rows=150)
    left = []
    for name, words in (('alone', ()), ('together', ('--together', '6'))):
        sweep(*words, code=11 if 'failed' in statuses else 0)
        expect([row['status'] for row in table()], statuses)
        expect_times(name == 'alone')
        expect({record(run)['together'] for run in runs()}, {1 if name == 'alone' else 6})
        left.append((table(), whole('study')))
        os.rename('study', name)
    (rows, files), (other_rows, other_files) = left
    expect(other_rows, rows)
    expect(sorted(other_files), sorted(files))
    assert len(files) > 40, files.keys()
    for name, data in files.items():
        expect(other_files[name], data)
    return rows


def alike():
    """Rates and seeds; some stop for want of patience, some for a loss that is not finite."""
    rows = compare(NET, ['done'] * 4 + ['diverged'] * 2)
    assert len({row['epochs'] for row in rows[:4]}) > 1, rows
    _, _, err = sweep('--together', '6', folder='again')
    assert 'study: 6 to do, 6 at a time' in err, err
    for seed in '12':
        assert f'warning: rate=1e6 seed={seed} diverged: the loss is not finite at step ' in err, err


def plain():
    compare(PLAIN, ['done'] * 6)


def parts():
    """A group goes to processes in equal parts."""
    write('net.yaml', NET)
    write('study.yaml', 'adit: 1\nstudy: {vary: {pipeline: net.yaml, seed: 1..5, data.moons.samples: [80, 90]}}\n')
    sweep('-v', '--together', '4')
    expect([row['status'] for row in table()], ['done'] * 10)
    pids = {}
    for run in runs():
        pids.setdefault(record(run)['process']['pid'], []).append(run)
    expect(sorted(len(of) for of in pids.values()), [2, 2, 3, 3])


def timed():
    """What ends by the clock does not share it with others."""
    write('net.yaml', NET.replace('patience: 1', 'patience: 1, max-time: 1 h'))
    write('study.yaml', 'adit: 1\nstudy: {vary: {pipeline: net.yaml, seed: 1..3}}\n')
    _, _, err = sweep('--together', '3')
    expect([row['status'] for row in table()], ['done'] * 3)
    expect(len({record(run)['process']['pid'] for run in runs()}), 3)
    assert 'study: 3 to do, 1 at a time' in err, err


def one_damaged():
    """What is wrong with one is told of it; the others go on."""
    write('net.yaml', NET)
    write('study.yaml', STUDY.replace(', 1e6', ''))
    sweep()
    rows = table()
    write(f'study/{rows[1]["run"]}/run.json', '{')
    for i in (0, 2):
        os.remove(f'study/{rows[i]["run"]}/run.json')
        shutil.rmtree(f'study/{rows[i]["run"]}/checkpoints')
    _, out, _ = sweep('--together', '4', code=11)
    expect([row['status'] for row in table()], ['done', 'failed', 'done', 'done'])
    assert 'run.json' in out, out
    for i in (0, 2, 3):
        expect(table()[i], rows[i])


# ---- kills and stops ----

def wait_for(process, reached):
    """Returns when reached(), which must come before the process has ended."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert process.poll() is None, f'it ended too early\n{process.communicate()[1]}'
        assert time.monotonic() < end, 'it hangs'
        time.sleep(0.001)


def begin():
    write('net.yaml', SLOW)
    write('study.yaml', 'adit: 1\nstudy: {vary: {pipeline: net.yaml, seed: 1..3}}\n')
    return start('sweep', 'study.yaml', '--study-dir', 'study', '--device', DEVICE, '--threads', '1', '--together',
                 '3')


@functools.lru_cache(maxsize=None)
def uncut():
    write('net.yaml', SLOW)
    write('study.yaml', 'adit: 1\nstudy: {vary: {pipeline: net.yaml, seed: 1..3}}\n')
    sweep(folder='uncut')
    return table('uncut'), [bytes_of(run) for run in runs('uncut')]


def bytes_of(run):
    return {name: read(f'{run}/checkpoints/last/{name}', 'rb')
            for name in ('model.safetensors', 'optimizer.safetensors')}


def expect_uncut():
    rows, weights = uncut()
    expect(table(), rows)
    expect([bytes_of(run) == expected for run, expected in zip(runs(), weights)], [True] * 3)


def killed():
    """kill -9 again and again; the same command, side by side or not, ends with the same bytes."""
    uncut()
    for moment in (1, 40, 80):
        process = begin()
        wait_for(process, lambda: any(newest_step(run) >= moment for run in runs()))
        process.kill()
        process.communicate(timeout=PATIENCE)
    sweep('--together', '2')
    expect_uncut()


def stopped():
    uncut()
    process = begin()
    wait_for(process, lambda: any(newest_step(run) >= 20 for run in runs()))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    expect(process.returncode, 75)
    assert err.endswith('stopped, state saved; the same command goes on\n'), err
    expect([row['status'] for row in table()], ['stopped'] * 3)
    expect([record(run)['status'] for run in runs()], ['STOPPED'] * 3)
    # one goes ahead, so that they meet at different steps
    adit('resume', runs()[1], '--device', DEVICE, '--max-time', '100 ms')
    expect(len({newest_step(run) for run in runs()}) > 1, True)
    sweep('--together', '3')
    expect_uncut()


cases = {'alike': alike, 'plain': plain, 'parts': parts, 'timed': timed, 'one-damaged': one_damaged, 'killed': killed,
         'stopped': stopped}
only = sys.argv[1:]
tap.run([(f'/pipelines/together/{name}', in_folder(case)) for name, case in cases.items()
         if not only or name in only])
