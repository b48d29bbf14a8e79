#!/usr/bin/env python3
# tests/pipelines/test-sweep.py - SPDX-License-Identifier: MIT
"""A study: its points, what is skipped, what a kill and a stop leave, shards, and what it refuses."""

import csv
import ctypes
import functools
import json
import os
import resource
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PATIENCE, adit, differing, expect, in_folder, make_table, metrics,  # noqa: E402
                     newest_step, read, record, start, succeed, write)

NET = '''adit: 1
params: {depth: 3, width: 4, rate: 0.01, noise: 0.1}
data: {moons: {samples: 80, noise: $noise, test: 25%}}
model:
  stem: {dense: {units: $width}}
  trunk: {aggregator: glonet, blocks: [{repeat: {times: $depth, blocks: [{dense: {units: $width, activation: relu}}]}}]}
  head: {dense: {units: 2}}
train: {loss: cross-entropy, optimizer: {adam: {lr: $rate}}, batch: 16, epochs: 3}
'''
STUDY = '''adit: 1
study:
  vary: {pipeline: net.yaml, seed: 1..2, cases: {thin: {depth: [2, 4]}, deep: {depth: 9, rate: 0.1}}}
'''
# A step takes about as long as a checkpoint, and there is one for each of the 120 steps.
SLOW = '''adit: 1
data: {moons: {samples: 400, noise: 0.1, test: 25%}}
model:
  trunk: [{repeat: {times: 8, blocks: [{dense: {units: 128, activation: relu}}]}}]
  head: {dense: {units: 2}}
train:
  {loss: cross-entropy, optimizer: {adam: {lr: 0.001}}, batch: 50, epochs: 20, checkpoint: {every: 1 steps}}
'''
SLOW_STUDY = '''adit: 1
study: {vary: {pipeline: slow.yaml, seed: 1..3}}
'''
PR_SET_CHILD_SUBREAPER = 36
CLOCK = ('seconds', 'seconds-per-epoch')


def prepare():
    write('net.yaml', NET)
    write('study.yaml', STUDY)


def table(folder='studies/study', name='sweep.csv'):
    """A dict for each row."""
    with open(f'{folder}/{name}', encoding='utf-8', newline='') as stream:
        return list(csv.DictReader(stream))


def figures(rows):
    """Rows without what a clock says."""
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in rows]


def statuses(rows):
    return [row['status'] for row in rows]


def wait_for(process, reached):
    """Returns when reached(), which must come before the process has ended."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert process.poll() is None, f'it ended too early\n{process.communicate()[1]}'
        assert time.monotonic() < end, 'it hangs'
        time.sleep(0.001)


def finish(process):
    """Exit code, standard output, standard error."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, out, err


def runs(folder):
    path = f'{folder}/runs'
    return [f'{path}/{name}' for name in sorted(os.listdir(path))] if os.path.isdir(path) else []


def has_checkpoint(folder, number=5):
    return any(newest_step(run) >= number for run in runs(folder))


# ---- points ----

def points():
    """One row a point, whose figures are those of `adit run` with the same values."""
    write('net.yaml', NET + 'probes: [{block-norm: {name: first, at: trunk.1}}, {block-norm: {at: trunk.*}}]\n')
    write('study.yaml', STUDY)
    out = succeed('sweep', 'study.yaml')
    expect(out.splitlines()[1:], ['studies/study/sweep.csv'])
    rows = table()
    expect([[row[name] for name in ('pipeline', 'seed', 'cases', 'depth', 'rate', 'status', 'epochs')]
            for row in rows],
           [['net.yaml', seed, case, depth, rate, 'done', '3']
            for case, depths, rate in (('thin', '24', ''), ('deep', '9', '0.1'))
            for seed in '12' for depth in depths])
    expect(list(rows[0])[:11], ['pipeline', 'seed', 'cases', 'depth', 'rate', 'status', 'run', 'epochs',
                                'seconds', 'seconds-per-epoch', 'parameters'])
    succeed('run', 'net.yaml', 'depth=9', 'rate=0.1', '-o', 'seed=2', '--run-dir', 'alone')
    expect(differing('alone', f'studies/study/{rows[5]["run"]}'), [])
    history = metrics('alone')
    for name, best in (('test.loss', min), ('train.loss', min), ('test.accuracy', max)):
        values = [float(row[name]) for row in history]
        expect(rows[5][f'best.{name}'], f'{best(values):.9g}')
        expect(rows[5][f'last.{name}'], f'{values[-1]:.9g}')
    expect(float(rows[5]['seconds']) > 0, True)
    # of a probe what is one number
    head, *lines = [line.split(',') for line in read('alone/probes/first.csv').splitlines()]
    expect((len(lines), rows[5]['probes.first.l1']), (1, lines[0][head.index('l1')]))
    expect([name for name in rows[5] if name.startswith('probes.') and 'first' not in name], [])
    expect(read('studies/study/study.yaml'), STUDY)


def skipped():
    """What is done is not run again; one more value is all that is trained."""
    prepare()
    succeed('sweep', 'study.yaml')
    before = {run: read(f'{run}/run.json') for run in runs('studies/study')}
    rows = table()
    out = succeed('sweep', 'study.yaml')
    expect(out.splitlines()[0], 'study: 6 points, 6 done')
    expect(table(), rows)
    write('study.yaml', STUDY.replace('seed: 1..2', 'seed: [1..2, 7]'))
    succeed('sweep', 'study.yaml')
    expect({run: read(f'{run}/run.json') for run in before}, before)
    expect((len(table()), len(runs('studies/study'))), (9, 9))


def narrowed():
    prepare()
    succeed('sweep', 'study.yaml', 'depth=4,9', 'seed=2', 'width=5', '-o', 'train.epochs=2')
    expect([(row['seed'], row['depth'], row['epochs']) for row in table()], [('2', '4', '2'), ('2', '9', '2')])
    expect(read(f'studies/study/{table()[0]["run"]}/overrides.txt'),
           '-o seed=2\ndepth=4\nwidth=5\n-o train.epochs=2\n')
    succeed('sweep', 'study.yaml', 'cases=deep', 'seed=1')
    expect([(row['cases'], row['epochs']) for row in table()], [('deep', '3')])


def paths():
    """A path that a study holds begins at the study, one of the command line where it is given."""
    net = NET.replace('{moons: {samples: 80, noise: $noise, test: 25%}}',
                      '{csv: {path: none.csv, target: y, test: 25%}}')
    write('below/nets/net.yaml', net.replace('units: 2', 'units: 1').replace('cross-entropy', 'mse'))
    for name, rows in (('below/one.csv', 60), ('below/more/two.csv', 90), ('three.csv', 120)):
        make_table(name, rows)
    write('below/study.yaml', 'adit: 1\nstudy: {vary: {pipeline: nets/net.yaml, '
                              'data.csv.path: [one.csv, more/two.csv]}}\n')
    succeed('sweep', 'below/study.yaml', '--study-dir', 'here')
    expect([(row['data.csv.path'], record(f'here/{row["run"]}')['data'][0]['train']) for row in table('here')],
           [('one.csv', 45), ('more/two.csv', 67)])
    write('below/study.yaml', 'adit: 1\nstudy: {vary: {pipeline: nets/net.yaml, seed: 1}}\n')
    succeed('sweep', 'below/study.yaml', '--study-dir', 'here', '-o', 'data.csv.path=three.csv')
    expect(record(f'here/{table("here")[0]["run"]}')['data'][0]['train'], 90)


def structures():
    """Values may be lists, mappings and nothing."""
    prepare()
    write('study.yaml', 'adit: 1\nstudy: {vary: {pipeline: net.yaml, train.clip: [~, 1], '
                        'train.regularizers: [[], [{l2: {weight: 1e-3}}]], '
                        'train.optimizer: [{sgd: {lr: 0.1, momentum: 0.5}}, adam]}}\n')
    succeed('sweep', 'study.yaml')
    expect([(row['train.clip'], row['train.regularizers'], row['train.optimizer']) for row in table()],
           [(clip, regularizers, optimizer) for clip in ('~', '1')
            for regularizers in ('[]', '[{l2: {weight: 1e-3}}]')
            for optimizer in ('{sgd: {lr: 0.1, momentum: 0.5}}', 'adam')])
    expect(len({row['last.train.loss'] for row in table()}), 8)


def evaluated():
    """Evaluations train nothing and have rows of their own."""
    prepare()
    write('study.yaml', 'adit: 1\nstudy:\n  vary: {pipeline: net.yaml, seed: 1..2}\n'
                        '  evaluate: {noise: [0.1, 0.4], inference.batch: 7}\n')
    succeed('sweep', 'study.yaml')
    rows = table()
    expect([(row['seed'], row['noise'], row['inference.batch'], row['status']) for row in rows],
           [(seed, noise, '7', 'done') for seed in '12' for noise in ('0.1', '0.4')])
    expect(len(runs('studies/study')), 2)
    for row in rows:
        folder = f'studies/study/{row["run"]}'
        out = succeed('eval', folder, '-o', f'data.moons.noise={row["noise"]}', '--json')
        expect(row['evaluate.test.loss'], f'{json.loads(out)["loss"]:.9g}')
    expect(rows[0]['evaluate.test.loss'], rows[0]['last.test.loss'])
    figures_kept = json.loads(read('studies/study/study.json'))['evaluations']
    succeed('sweep', 'study.yaml')
    expect((table(), json.loads(read('studies/study/study.json'))['evaluations']), (rows, figures_kept))
    # nor does a call that leaves points out throw their figures away
    succeed('sweep', 'study.yaml', 'seed=1')
    expect(json.loads(read('studies/study/study.json'))['evaluations'], figures_kept)
    _, _, err = adit('sweep', 'study.yaml')
    expect((table(), 'to do' in err), (rows, False))


# ---- what goes wrong ----

def diverging():
    """A loss that is not finite is a result: told, kept, and not come to again, unless that is asked for."""
    prepare()
    write('study.yaml', 'adit: 1\nstudy:\n  vary: {pipeline: net.yaml, rate: [0.01, 1e6], seed: 1..2}\n'
                        '  report: [{table: {rows: rate, value: best.test.loss}}]\n')
    reason = 'the loss is not finite at step '
    for words, trained in (((), 4), ((), 0), (('--retry',), 2), (('--report-only',), 0)):
        out = succeed('sweep', 'study.yaml', *words)
        lines = out.splitlines()
        first = 'study: 4 points, 2 done, 2 diverged' + (f'; {trained} trained here' if trained else '')
        expect(lines[0].split(' in ')[0], first)
        expect([line.split()[:3] for line in lines[2:5]],
               [['diverged', 'exit', 'why'], ['rate=1e6', 'seed=1', '9'], ['rate=1e6', 'seed=2', '9']])
        assert reason in lines[3], lines[3]
        rows = table()
        expect(statuses(rows), ['done', 'done', 'diverged', 'diverged'])
        expect([row['last.test.loss'] == '' for row in rows], [False, False, True, True])
        expect([row['reason'].startswith(reason) for row in rows], [False, False, True, True])
        assert ' diverged |' in read('studies/study/report/table-best.test.loss.md')
        assert rows[2]['reason'] in read('studies/study/report/index.md')
    _, _, err = adit('sweep', 'study.yaml', '--study-dir', 'again')
    assert f'warning: rate=1e6 seed=2 diverged: {reason}' in err, err
    summary = json.loads(succeed('sweep', 'study.yaml', '--json', '-q'))
    expect((summary['done'], summary['diverged'], summary['failed'], summary['failures']), (2, 2, 0, []))


def other_results():
    """A report alone does not put other points in the place of what was trained."""
    prepare()
    text = 'adit: 1\nstudy:\n  vary: {pipeline: net.yaml, seed: 1..2}\n' \
           '  report: [{table: {rows: seed, value: best.test.loss}}]\n'
    write('study.yaml', text)
    succeed('sweep', 'study.yaml')
    kept = [read(f'studies/study/{name}') for name in ('sweep.csv', 'report/table-best.test.loss.md')]
    write('net.yaml', NET.replace('epochs: 3', 'epochs: 4'))
    code, out, err = adit('sweep', 'study.yaml', '--report-only')
    expect((code, out), (2, ''))
    expect(err, 'adit sweep: error: studies/study holds results of 2 points that study.yaml and its pipelines, changed '
                'since, do not have (seed=1): nothing was written; put them back, take another --study-dir, or '
                'sweep without --report-only\n')
    expect([read(f'studies/study/{name}') for name in ('sweep.csv', 'report/table-best.test.loss.md')], kept)
    # another report of the same points is fine, and nothing of the former one stays
    write('net.yaml', NET)
    write('study.yaml', text.replace('best.test.loss', 'last.test.loss'))
    succeed('sweep', 'study.yaml', '--report-only')
    expect(read('studies/study/sweep.csv'), kept[0])
    expect(sorted(os.listdir('studies/study/report')),
           ['index.md', 'table-last.test.loss.csv', 'table-last.test.loss.md'])
    # more points, of which some are there
    write('study.yaml', text.replace('1..2', '1..3'))
    succeed('sweep', 'study.yaml', '--report-only')
    expect(statuses(table()), ['done', 'done', 'pending'])
    write('study.yaml', text.replace('1..2', '2..3'))
    expect(adit('sweep', 'study.yaml', '--report-only')[0], 2)


def damaged():
    """A run that cannot be read fails alone, a folder that is none yet is begun anew."""
    prepare()
    succeed('sweep', 'study.yaml')
    rows = table()
    folders = [f'studies/study/{row["run"]}' for row in rows]
    write(f'{folders[0]}/run.json', '{')
    for folder in folders[1:4]:
        os.remove(f'{folder}/run.json')
    shutil.rmtree(f'{folders[1]}/checkpoints')
    # a link to itself stands for a file system that does not answer
    os.symlink('run.json', f'{folders[3]}/run.json')
    kept = [read(f'{folder}/metrics.csv') for folder in folders[2:4]]
    for words in ((), ('--together', '6')):
        code, out, _ = adit('sweep', 'study.yaml', *words)
        expect((code, statuses(table())), (11, ['failed', 'done', 'failed', 'failed', 'done', 'done']))
        reasons = [line.split('  ')[-1] for line in out.splitlines()[3:]]
        assert 'run.json' in reasons[0], reasons
        expect(reasons[1:], [f'{folders[2]} has checkpoints, but no run.json: put that back to go on, or remove '
                             'the folder to begin anew',
                             f'cannot look at {folders[3]}/run.json: Too many levels of symbolic links'])
        expect([read(f'{folder}/metrics.csv') for folder in folders[2:4]], kept)
        expect(figures([table()[i] for i in (1, 4, 5)]), figures([rows[i] for i in (1, 4, 5)]))


def refused():
    """Everything is looked at before anything is started."""
    prepare()
    cases = (
        ('depth=3', "3 is not among the values of 'depth' in study.yaml; there are 2, 4, 9"),
        ('dept=4', "'dept' is neither an axis of study.yaml nor a parameter of net.yaml; did you mean 'depth'?"),
        ('cases=wide', "no case 'wide' in study.yaml; there are thin, deep"),
        ('noise=loud', "'noise' is a number (default 0.1 in net.yaml:2), got \"loud\""),
    )
    for word, message in cases:
        code, out, err = adit('sweep', 'study.yaml', word)
        column = word.index('=') + 3 if 'neither' not in message else 1
        expect((code, out, err.splitlines()[0]), (2, '', f'command-line:3:{column}: error: {message}'))
    for old, new, message in (
            ('depth: 9', 'depth: nine', "study.yaml:3:87: error: 'depth' is an integer (default 3 in net.yaml:2), "
                                        'got "nine"'),
            ('seed: 1..2', 'noise: 1..2, width: [4, 4]', "study.yaml:3:54: error: axis 'width' has the value 4 twice"),
            ('seed: 1..2', 'noise: [0.1, 0.10]', "study.yaml:3:43: error: axis 'noise' has the value 0.10 twice")):
        write('study.yaml', STUDY.replace(old, new))
        code, out, err = adit('sweep', 'study.yaml')
        expect((code, out, err.splitlines()[0]), (2, '', message))
    write('study.yaml', 'adit: 1\nstudy: {vary: {pipeline: net.yaml, cases: {a: {depth: 3}, b: {width: 4}}}}\n')
    code, out, err = adit('sweep', 'study.yaml')
    expect((code, out, err.splitlines()[0]),
           (2, '', "study.yaml:1:1: error: points 'cases=a depth=3' and 'cases=b width=4' are equal; what they "
                   'differ in changes nothing in net.yaml'))
    code, _, err = adit('sweep', 'net.yaml')
    expect((code, err.splitlines()[0]), (2, 'net.yaml:1:1: error: this is a pipeline; adit run trains it'))
    code, _, err = adit('run', 'study.yaml')
    expect((code, err.splitlines()[0]), (2, 'study.yaml:1:1: error: this is a study; adit sweep runs it'))
    for shard in ('0/2', '3/2', '1', 'a/b'):
        code, _, err = adit('sweep', 'study.yaml', '--shard', shard)
        expect((code, err), (2, "adit sweep: error: '--shard' must be I/N with I from 1 to N, got "
                                f'"{shard}"\n'))


def late():
    """`evaluate` reaches what training does not."""
    prepare()
    for name, values, good in (('seed', '1..2', False), ('rate', '[0.1, 0.2]', False),
                               ('depth', '3..4', False), ('train.epochs', '5', False), ('model.head', 'relu', False),
                               ('noise', '[0.1, 0.2]', True), ('data.moons.samples', '100', True),
                               ('inference.batch', '5', True)):
        write('study.yaml', 'adit: 1\nstudy:\n  vary: {pipeline: net.yaml}\n'
                            f'  evaluate: {{{name}: {values}}}\n')
        code, out, err = adit('check', 'study.yaml')
        if good:
            expect((code, out.split('; ')[0].split(', ')[0]), (0, 'study.yaml: ok: 1 point'))
        else:
            expect((code, err.splitlines()[0]),
                   (2, f"study.yaml:4:14: error: '{name}' cannot be turned after training; put it under 'vary'"))


    write('net.yaml', NET + 'probes: [{block-norm: {at: trunk.*}}]\n')
    write('study.yaml', 'adit: 1\nstudy:\n  vary: {pipeline: net.yaml}\n'
                        '  evaluate: {probes.1.block-norm.samples: 50%}\n')
    code, _, err = adit('check', 'study.yaml')
    expect((code, err.splitlines()[0]),
           (2, "study.yaml:4:14: error: 'probes' cannot be evaluated after training in this build; 'data' and "
               "'inference' can"))


def checked():
    prepare()
    expect(succeed('check', 'study.yaml'), 'study.yaml: ok: 6 points, 3 graphs; nothing was started\n')
    expect(succeed('check', 'study.yaml', 'depth=4'), 'study.yaml: ok: 2 points, 1 graph; nothing was started\n')
    expect(sorted(os.listdir('.')), ['net.yaml', 'study.yaml'])
    # what a file that is not there lacks is not known
    write('study.yaml', STUDY.replace('net.yaml', 'nett.yaml'))
    code, _, err = adit('check', 'study.yaml')
    expect((code, [line for line in err.splitlines() if ': error: ' in line]),
           (3, ["study.yaml:3:20: error: no file 'nett.yaml'"]))
    prepare()
    # errors of many points are told once, with one of the points
    write('net.yaml', NET.replace('relu', 'rellu'))
    code, _, err = adit('check', 'study.yaml')
    lines = err.splitlines()
    expect((code, lines[0].split(': ', 1)[1]), (2, "error: unknown block 'rellu'; did you mean 'relu'?"))
    expect(lines[-2:], ['note: at the point seed=1 cases=thin depth=2 of study.yaml', '1 error. Nothing was started.'])


def no_place():
    """A directory that cannot be made, and one that fills up."""
    prepare()
    write('file', '')
    code, out, err = adit('sweep', 'study.yaml', '--study-dir', 'file/study')
    expect((code, out), (5, ''))
    assert err.startswith('adit sweep: error: cannot create file'), err

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    code, _, err = adit('sweep', 'study.yaml', preexec_fn=fill)
    expect(code, 5)
    assert 'cannot write studies/study/study.json: File too large' in err, err
    succeed('sweep', 'study.yaml')
    expect(statuses(table()), ['done'] * 6)
    expect([name for name in os.listdir('studies/study') if name.startswith('.tmp')], [])


def broken_off():
    """What cannot go on is not taken for running, and says what there is."""
    prepare()
    succeed('sweep', 'study.yaml', 'depth=4')
    for words in ((), ('--json',)):
        code, out, err = adit('sweep', 'study.yaml', '--device', 'vulkan:99', *words)
        expect((code, err.startswith('adit sweep: error: ')), (6, True))
        expect(json.loads(read('studies/study/study.json'))['status'], 'FAILED')
        expect(statuses(table()), ['pending', 'done', 'pending', 'done', 'pending', 'pending'])
        if words:
            summary = json.loads(out)
            expect((summary['done'], summary['pending'], summary['trained']), (2, 4, 0))
        else:
            expect(out, 'study: 6 points, 4 pending, 2 done\nstudies/study/sweep.csv\n')


# ---- kills and stops ----

@functools.lru_cache(maxsize=None)
def uncut():
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    succeed('sweep', 'slow-study.yaml')
    return figures(table('studies/slow-study'))


def killed():
    """kill -9 of the sweep, again and again; the same command ends with the same table."""
    expected = uncut()
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    for moment in (1, 30, 80):
        process = start('sweep', 'slow-study.yaml', '--study-dir', 'cut', '--jobs', '2')
        wait_for(process, lambda: has_checkpoint('cut', moment))
        process.kill()
        finish(process)
    code, _, err = adit('sweep', 'slow-study.yaml', '--study-dir', 'cut')
    expect(code, 0)
    assert 'passed over' not in err, err
    expect(figures(table('cut')), expected)
    expect([record(run)['status'] for run in runs('cut')], ['COMPLETED'] * 3)


def stopped():
    """One signal: every point saves its state, nothing more is started. The same command goes on."""
    expected = uncut()
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start('sweep', 'slow-study.yaml', '--study-dir', 'cut', '--jobs', '1')
        wait_for(process, lambda: has_checkpoint('cut', 3 if number == signal.SIGTERM else 60))
        process.send_signal(number)
        code, _, err = finish(process)
        expect(code, 75)
        assert err.endswith('stopped, state saved; the same command goes on\n'), err
        expect('3 to do (1 from a checkpoint on), 1 at a time' in err, number == signal.SIGINT)
        expect(sorted(statuses(table('cut'))), ['pending', 'pending', 'stopped'])
        expect(record(runs('cut')[0])['status'], 'STOPPED')
    out = succeed('sweep', 'slow-study.yaml', '--study-dir', 'cut')
    expect(out.splitlines()[0].split('; ')[1].split(', ')[1], '1 from a checkpoint on')
    expect(figures(table('cut')), expected)


def stopped_at_once():
    """Two signals: nothing is waited for. The same command goes on all the same."""
    expected = uncut()
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    process = start('sweep', 'slow-study.yaml', '--study-dir', 'cut')
    wait_for(process, lambda: has_checkpoint('cut', 3))
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
    code = finish(process)[0]
    # whoever is fast enough has saved its state before the second one
    assert code in (75, 128 + signal.SIGTERM), code
    succeed('sweep', 'slow-study.yaml', '--study-dir', 'cut')
    expect(figures(table('cut')), expected)


def alone():
    """Two sweeps in one directory at a time: the second is refused, the first does not notice."""
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    process = start('sweep', 'slow-study.yaml', 'seed=1')
    wait_for(process, lambda: has_checkpoint('studies/slow-study', 1))
    process.send_signal(signal.SIGSTOP)  # however fast its points are, it is still there
    for more in ((), ('--shard', '1/2')):
        code, out, err = adit('sweep', 'slow-study.yaml', *more)
        expect((code, out), (1, ''))
        assert err.startswith('adit sweep: error: studies/slow-study: another sweep is at work in this '
                              f'directory (process {process.pid} on '), err
    process.send_signal(signal.SIGCONT)
    expect(finish(process)[0], 0)


def named():
    """Who is told that shards are at work is told of one that is, not of one that was."""
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    process = start('sweep', 'slow-study.yaml', 'seed=1', '--shard', '1/2')
    wait_for(process, lambda: has_checkpoint('studies/slow-study', 1))
    process.send_signal(signal.SIGSTOP)
    succeed('sweep', 'slow-study.yaml', '--shard', '2/2', '--report-only')
    code, out, err = adit('sweep', 'slow-study.yaml')
    expect((code, out), (1, ''))
    assert f'(process {process.pid} on ' in err, err
    process.send_signal(signal.SIGCONT)
    expect(finish(process)[0], 0)


def orphans(*words):
    """Points whose sweep was killed are waited for."""
    # they become ours: a stopped group that nobody in its session has started is sent a SIGHUP
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    write('slow.yaml', SLOW)
    write('slow-study.yaml', SLOW_STUDY)
    words = ('sweep', 'slow-study.yaml', 'seed=1', '--study-dir', 'cut', *words)
    process = start(*words)
    wait_for(process, lambda: has_checkpoint('cut', 1))
    point = record(runs('cut')[0])['process']['pid']
    os.kill(point, signal.SIGSTOP)
    process.kill()
    finish(process)
    again = start(*words)
    line = again.stderr.readline()
    os.kill(point, signal.SIGCONT)
    os.waitpid(point, 0)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    expect((line, finish(again)[0]),
           ('waiting for the points of a sweep that was killed to save their state\n', 0))


def orphans_of_shard():
    orphans('--shard', '1/1')


def shards():
    """Each takes its part, side by side; the last one writes the table of all."""
    prepare()
    succeed('sweep', 'study.yaml', '--study-dir', 'whole')
    processes = [start('sweep', 'study.yaml', '--shard', f'{i}/3') for i in (1, 2)]
    expect([finish(process)[0] for process in processes], [0, 0])
    folder = 'studies/study'
    expect(os.path.exists(f'{folder}/sweep.csv'), False)
    succeed('sweep', 'study.yaml', '--shard', '3/3')
    whole = figures(table('whole'))
    for i in (1, 2, 3):
        expect(figures(table(folder, f'sweep.{i}-of-3.csv')), whole[i - 1::3])
    expect(figures(table(folder)), whole)
    expect(succeed('sweep', 'study.yaml').splitlines()[0], 'study: 6 points, 6 done')
    expect(figures(table(folder)), whole)


def merged():
    """A sweep without shard takes what shards have done, and does the rest."""
    prepare()
    succeed('sweep', 'study.yaml', '--shard', '2/2')
    out = succeed('sweep', 'study.yaml', '--report-only')
    expect(out.splitlines()[0], 'study: 6 points, 3 pending, 3 done')
    expect(statuses(table()), ['pending', 'done'] * 3)
    succeed('sweep', 'study.yaml')
    expect(statuses(table()), ['done'] * 6)


CASES = (points, skipped, narrowed, paths, structures, evaluated, diverging, other_results, damaged, refused, late, checked,
         no_place, broken_off, killed, stopped, stopped_at_once, alone, named, orphans,
         orphans_of_shard, shards, merged)

tap.run([(f'/pipelines/sweep/{case.__name__.replace("_", "-")}', in_folder(case)) for case in CASES])
