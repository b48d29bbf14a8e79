#!/usr/bin/env python3
# tests/pipelines/test-probe.py - SPDX-License-Identifier: MIT
"""What a trained network is worth when it is cut short: the probe `truncation` beside networks that
are cut by hand, and `adit probe`. ADIT_TEST_DEVICE is the device; else the CPU."""

import csv
import io
import json
import math
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PATIENCE, PIPELINES, adit, checkpoints, differing, expect, in_folder, make_images, make_table,  # noqa: E402
                     metrics, read, results, start, succeed, write)

DEVICE = os.environ.get('ADIT_TEST_DEVICE', 'cpu')
DENSE = '{dense: {units: 6, activation: relu}}'
CELL = ('{sequence: [{dense: {units: 6, norm: batch-norm, activation: relu, order: pre}}, '
        '{dropout: {rate: 0.2}}, {dense: {units: 6, activation: tanh}}]}')
PLAIN_HEAD = '[{dense: {units: 2}}]'
NORM_HEAD = '[batch-norm, relu, {dense: {units: 2}}]'
PAIR_HEAD = '[{repeat: {times: 2, blocks: [{dense: {units: 6, activation: tanh}}]}}, {dense: {units: 2}}]'
DEEP_HEAD = '[{repeat: {times: 3, blocks: [{dense: {units: 6, activation: tanh}}]}}, {dense: {units: 2}}]'


def repeat(blocks, times, more=''):
    return f'[{{repeat: {{times: {times}, blocks: {blocks}{more}}}}}]'


def nested(blocks):
    """Three times one block and twice another: a loop in a loop, cut anywhere when written out."""
    if blocks == 9:
        inner = repeat('[{dense: {units: 6, activation: tanh}}]', 2)
        return repeat(f'[{DENSE}, {inner[1:-1]}]', 3)
    kinds = [DENSE, *['{dense: {units: 6, activation: tanh}}'] * 2] * 3
    return f'[{", ".join(kinds[:blocks])}]'


# aggregator, blocks, the trunk's list when it is cut to so many, head
NETWORKS = {
    'glonet': ('glonet', 7, lambda blocks: repeat(f'[{DENSE}]', blocks), PLAIN_HEAD),
    'glonet-input': ('{glonet: {input: true}}', 4, lambda blocks: repeat(f'[{DENSE}]', blocks), DEEP_HEAD),
    'residual': ('residual', 5, lambda blocks: repeat(f'[{CELL}]', blocks), NORM_HEAD),
    'chain': ('chain', 4, lambda blocks: repeat(f'[{DENSE}]', blocks), PAIR_HEAD),
    'nested': ('glonet', 9, nested, DEEP_HEAD),
    'tied': ('glonet', 5, lambda blocks: repeat(f'[{DENSE}]', blocks, ', tied: true'), PLAIN_HEAD),
    'written-out': ('glonet', 3, lambda blocks: f'[{", ".join([DENSE] * blocks)}]', PAIR_HEAD),
}
DATA = 'data: {moons: {samples: 400, noise: 0.2, test: 30%}}\n'
TRAIN = 'train: {loss: cross-entropy, optimizer: {adam: {lr: 0.02}}, batch: 40, epochs: 3}\n'


def network(name, probes='[truncation]', data=DATA, train=TRAIN):
    aggregator, blocks, trunk, head = NETWORKS[name]
    return ('adit: 1\n' + data + 'model:\n'
            + f'  stem: [{{dense: {{units: 6}}}}]\n'
            + f'  trunk: {{aggregator: {aggregator}, blocks: {trunk(blocks)}}}\n'
            + f'  head: {head}\n' + train + f'probes: {probes}\n')


def on_device(verb, *arguments, **more):
    return succeed(verb, *arguments, '--device', DEVICE, **more)


def train_network(name, **more):
    write(f'{name}.yaml', network(name, **more))
    on_device('run', f'{name}.yaml', '--run-dir', 'run', '-q')


def table_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def rows_of(*arguments, **more):
    """The rows of the one probe that `adit probe` runs."""
    probes = json.loads(on_device('probe', *arguments, '--json', **more))['probes']
    expect(len(probes), 1)
    return probes[0]['rows']


def answer_of(*arguments, **more):
    return json.loads(on_device('eval', *arguments, '--json', **more))


def whole(name):
    """All of the sum is the network: its evaluation to the last bit; a run writes the same table."""
    train_network(name)
    rows = rows_of('run')
    expect([row['block'] for row in rows], list(range(1, NETWORKS[name][1] + 1)))
    expect([row['address'] for row in rows], [f'trunk.{row["block"]}:collect' for row in rows])
    answer = answer_of('run')
    expect((rows[-1]['loss'], rows[-1]['accuracy']), (answer['loss'], answer['value']))
    assert len({row['loss'] for row in rows}) == len(rows), rows
    written = table_of(read('run/probes/truncation.csv'))
    expect(list(written[0]), ['data', 'split', 'when', 'address', 'block', 'loss', 'accuracy'])
    expect([(row['address'], row['loss'], row['accuracy']) for row in written],
           [(row['address'], f'{row["loss"]:.9g}', f'{row["accuracy"]:.9g}') for row in rows])
    expect(written[-1]['loss'], metrics('run')[-1]['test.loss'])


def cut(name):
    """A prefix of the sum is the network with so many blocks and the same weights."""
    aggregator, _, trunk, _ = NETWORKS[name]
    train_network(name)
    rows = rows_of('run')
    # elsewhere every program is prepared anew: the block that stands alone, and two of the loop
    for row in rows if DEVICE == 'cpu' else [*rows[:2], rows[-1]]:
        write('cut.yaml', 'adit: 1\n' + DATA + 'model:\n  from: run/checkpoints/last\n  load: [trunk]\n'
              + f'  trunk: {{aggregator: {aggregator}, blocks: {trunk(row["block"])}}}\n')
        answer = answer_of('cut.yaml')
        expect((row['block'], row['loss'], row['accuracy']),
               (row['block'], answer['loss'], answer['value']))


def values():
    """Of numbers it is the error; what is looked at, and in how many passes, is up to the probe."""
    make_table('table.csv', 700)
    write('values.yaml', network('residual', train=TRAIN.replace('cross-entropy', 'huber'),
                                 data='data: {csv: {path: table.csv, target: y, test: 50%}}\n'))
    on_device('run', 'values.yaml', '--run-dir', 'values', '-q', '-o', 'model.head.3.dense.units=1')
    rows = rows_of('values')
    answer = answer_of('values')
    expect((rows[-1]['loss'], rows[-1]['mse']), (answer['loss'], answer['value']))
    assert rows[-1]['loss'] != rows[-1]['mse']
    expect(rows_of('values', '-o', 'probes=[{truncation: {memory: 10 KiB}}]'), rows)
    expect(rows_of('values', '-o', 'probes=[{truncation: {at: trunk.2..5/3}}]'), [rows[1], rows[4]])
    few = rows_of('values', '-o', 'probes=[{truncation: {samples: 20%}}]')
    assert few[-1]['mse'] != rows[-1]['mse']
    train = rows_of('values', '-o', 'probes=[{truncation: {split: train}}]')
    expect(train[-1]['loss'], answer_of('values', '--split', 'train')['loss'])


def sections():
    """What leaves a section is an address as well; the stem's is a network without a trunk."""
    train_network('glonet')
    rows = rows_of('run', '-o', 'probes=[{truncation: {at: [stem, trunk]}}]')
    expect([row['address'] for row in rows], ['stem:collect', 'trunk:collect'])
    assert 'block' not in rows[0]
    expect(rows[1]['loss'], answer_of('run')['loss'])
    write('none.yaml', 'adit: 1\n' + DATA + 'model: {from: run/checkpoints/last, trunk: []}\n')
    expect(rows[0]['loss'], answer_of('none.yaml')['loss'])
    # a block's own output is an address too: its part of the sum alone
    alone = rows_of('run', '-o', 'probes=[{truncation: {at: "trunk.*:out"}}]')
    expect(alone[0]['address'], 'trunk.1')
    expect(alone[0]['loss'], rows_of('run')[0]['loss'])
    assert alone[-1]['loss'] != answer_of('run')['loss']


def observes():
    """Measured during the training or not: the same weights."""
    write('a.yaml', network('glonet', probes='[{truncation: {when: [start, end], every: 1}}]'))
    write('b.yaml', network('glonet', probes='[]'))
    for run in 'ab':
        on_device('run', f'{run}.yaml', '--run-dir', run, '-q')
    expect(differing('a', 'b'), ['probes/truncation.csv'])
    times = [row['when'] for row in table_of(results('a')['probes/truncation.csv'])]
    expect(times, [when for when in ('0', '1', '2', 'end') for _ in range(7)])


def tables():
    """A table for people, for scripts, and in files."""
    train_network('tied', probes='[truncation, {block-norm: {name: norms, at: [trunk.1, head]}}]')
    lines = on_device('probe', 'run').split('\n')
    expect(lines[0], 'truncation')
    expect(lines[1].split(), ['data', 'split', 'address', 'block', 'loss', 'accuracy'])
    expect(lines[6].split()[:4], ['moons', 'test', 'trunk.5:collect', '5'])
    expect(lines[7:9], ['', 'norms'])
    expect([line.split()[:4] for line in lines[10:12]],
           [['moons', 'test', 'trunk.1', '1'], ['moons', 'test', 'head', lines[11].split()[3]]])
    expect(on_device('probe', 'run', '--output', 'here'), '')
    expect(sorted(os.listdir('here')), ['.norms.json', '.truncation.json', 'norms.csv', 'truncation.csv'])
    for name in os.listdir('here'):
        expect(read(f'here/{name}'), read(f'run/probes/{name}'))
    expect(on_device('probe', 'run', '--output', '-'), '\n'.join(lines))


def again():
    """What was measured by the same parameters of the same weights is not measured again."""
    train_network('glonet', probes='[truncation, {logistic: {at: trunk.1..2}}]')

    def measured(*arguments):
        """The tables that were written anew."""
        before = {name: os.stat(f'here/{name}').st_ino for name in os.listdir('here')} if os.path.isdir('here') else {}
        on_device('probe', 'run', '--output', 'here', *arguments)
        return sorted(name for name in os.listdir('here')
                      if name.endswith('.csv') and before.get(name) != os.stat(f'here/{name}').st_ino)

    both = ['logistic-confusion.csv', 'logistic.csv', 'truncation.csv']
    expect(measured(), both)
    expect(measured(), [])
    code, _, err = adit('probe', 'run', '--output', 'here', '--device', DEVICE)
    assert code == 0 and 'here/logistic.csv is there already, of these weights' in err, err
    # where there is room for less, or at other times, it is the same
    expect(measured('-o', 'probes.1.truncation.memory=10 KiB', '-o', 'probes.1.truncation.when=start'), [])
    expect(measured('-o', 'probes.1.truncation.samples=50%'), both[2:])
    expect(measured(), both[2:])
    expect(measured('--checkpoint', int(checkpoints('run')[-2][len('step-'):])), both)
    expect(measured(), both)
    # a table that was changed, or lacks a part, is none
    write('here/truncation.csv', read('here/truncation.csv') + ' ')
    os.remove('here/logistic-confusion.csv')
    expect(measured(), both)
    expect(read('here/truncation.csv'), read('run/probes/truncation.csv'))
    # the run's own are the same
    expect(succeed('probe', 'run', '--output', 'run/probes', '--device', DEVICE), '')
    expect(measured('-o', 'data.moons.noise=0.3'), both)


def lost():
    """A table that is gone takes all its moments with it: one that is written anew has its own alone."""
    train_network('glonet', probes='[{truncation: {when: [1, end]}}]')

    def moments():
        return sorted(json.loads(read('run/probes/.truncation.json'))['moments'])
    expect(moments(), ['1', 'end'])
    os.remove('run/probes/truncation.csv')
    on_device('probe', 'run', '--output', 'run/probes')
    expect({row['when'] for row in table_of(read('run/probes/truncation.csv'))}, {'end'})
    expect(moments(), ['end'])


def killed():
    """A run that is killed while a probe runs does not measure those before it again."""
    slow = '{logistic: {at: trunk.*, split: train, solver: saga, tolerance: 0, passes: 20000}}'
    write('run.yaml', network('glonet', probes=f'[truncation, {{block-norm: {{when: [1, end]}}}}, {slow}]'))
    process = start('run', 'run.yaml', '--run-dir', 'run', '--device', DEVICE)
    try:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and '"end"' not in (read_if('run/probes/.block-norm.json') or ''):
            assert time.monotonic() < end
            time.sleep(0.0005)
    finally:
        process.kill()
        process.communicate()
    assert not os.path.exists('run/probes/logistic.csv')
    before = {name: os.stat(f'run/probes/{name}').st_ino for name in os.listdir('run/probes')}
    expect(sorted(before), ['.block-norm.json', '.truncation.json', 'block-norm.csv', 'truncation.csv'])
    on_device('resume', 'run')
    after = {name: os.stat(f'run/probes/{name}').st_ino for name in os.listdir('run/probes')}
    expect({name: after[name] for name in before}, before)
    assert 'logistic.csv' in after
    on_device('run', 'run.yaml', '--run-dir', 'uncut')
    expect(differing('run', 'uncut'), [])


def read_if(path):
    return read(path) if os.path.exists(path) else None


def told():
    """What a table comes to is told where it is printed, at the end of the run, and in the report."""
    write('told.yaml', network('glonet', probes='[{logistic: {name: known, at: [stem, trunk.*, head]}}, contribution, gradient]'))
    words = on_device('run', 'told.yaml', '--run-dir', 'run').splitlines()
    found = [line for line in words if line.startswith(('known: ', 'contribution: ', 'gradient: '))]
    expect(list(dict.fromkeys(line.split(': ')[0] for line in found)), ['known', 'contribution', 'gradient'])
    assert found[0].split()[1] in ('tail:', 'no') and 'effective depth' in found[-2], found
    probes = json.loads(on_device('probe', 'run', '--json'))['probes']
    expect([f'{probe["name"]}: {sentence}' for probe in probes for sentence in probe['sentences']], found)
    for name in 'known', 'contribution', 'gradient':
        expect([f'{name}: {line}' for line in read(f'run/probes/{name}.txt').splitlines()],
               [line for line in found if line.startswith(name)])
    printed = on_device('probe', 'run').splitlines()
    succeed('report', 'run')
    page = read('run/report.html')
    for line in found:
        sentence = line.split(': ', 1)[1]
        assert sentence in printed and f'<li>{sentence}</li>' in page, sentence
    two = ('data: [{moons: {name: clean, samples: 300, test: 30%}},'
           ' {moons: {name: noisy, samples: 200, noise: 0.4, test: 50%}}]\n')
    write('two.yaml', network('chain', data=two, probes='[gradient]'))
    expect([line.split(': ')[1] for line in on_device('run', 'two.yaml').splitlines() if line.startswith('gradient')],
           ['clean', 'noisy'])


def sets():
    """Every set that has the split; one without is passed over, and none at all is told."""
    two = ('data: [{moons: {name: clean, samples: 300, test: 30%}},'
           ' {moons: {name: noisy, samples: 200, noise: 0.4, test: 50%}}]\n')
    train_network('chain', data=two)
    rows = rows_of('run')
    expect([row['data'] for row in rows], ['clean'] * 4 + ['noisy'] * 4)
    assert rows[3]['loss'] != rows[7]['loss']
    expect(rows_of('run', '-o', 'probes.1.truncation.data=noisy'), rows[4:])
    code, out, err = adit('probe', 'run', '-o', 'probes.1.truncation.split=validation')
    expect((code, out.split()), (0, ['data', 'split', 'address', 'block', 'loss', 'accuracy']))
    assert "probe 'truncation': no data has a validation split" in err, err


def pairs():
    """All pairs at once, or some against some: the same rows."""
    train_network('glonet', probes='[{cka: {at: trunk.*}}]')
    written = table_of(read('run/probes/cka.csv'))
    expect(list(written[0]), ['data', 'split', 'when', 'address', 'block', 'against', 'cka', 'hsic', 'note'])
    rows = rows_of('run')
    names = [f'trunk.{i}' for i in range(1, 8)]
    expect([(row['address'], row['against']) for row in rows],
           [(a, b) for i, a in enumerate(names) for b in names[i:]])
    expect([(row['against'], f'{row["cka"]:.9g}') for row in rows],
           [(row['against'], row['cka']) for row in written])
    for row in rows:
        assert 0 <= row['cka'] <= 1 + 1e-9 and (row['address'] != row['against'] or row['cka'] > 1 - 1e-9), row
    for memory in '20 KiB', '30 KiB', '50 KiB':
        expect(rows_of('run', '-o', f'probes=[{{cka: {{memory: {memory}}}}}]'), rows)
    against = rows_of('run', '-o', 'probes=[{cka: {at: trunk.1..2, against: trunk.3..4, memory: 20 KiB}}]')
    expect(against, [row for row in rows
                     if row['address'] in names[:2] and row['against'] in names[2:4]])
    few = rows_of('run', '-o', 'probes=[{cka: {samples: 3, estimator: debiased, at: trunk.1, against: head}}]')
    expect((few[0]['cka'], few[0]['note']), ('NaN', 'an estimate without bias needs 4 samples'))


def classes():
    """A regression on the logits is at least as good as they are on what it was fitted to."""
    train_network('glonet')
    rows = rows_of('run', '-o', 'probes=[{logistic: {at: [trunk.*, head], c: 1e6}}]')
    expect([row['address'] for row in rows][-2:], ['trunk.7', 'head'])
    both = rows_of('run', '-o', 'probes=[{block-norm: {at: [trunk.5..6, trunk.4..7/2]}}]')
    expect([row['address'] for row in both], ['trunk.5', 'trunk.6', 'trunk.4'])
    assert rows[-1]['train-accuracy'] >= answer_of('run', '--split', 'train')['value'] - 0.02, rows[-1]
    shuffled = rows_of('run', '-o', 'probes=[{logistic: {at: head, labels: shuffled}}]')
    assert abs(shuffled[0]['accuracy'] - 0.5) < 0.35 and shuffled[0]['train-accuracy'] < 0.7, shuffled
    saga = rows_of('run', '-o', 'probes=[{logistic: {at: head, solver: saga, c: 1e6}}]')
    assert abs(saga[0]['accuracy'] - rows[-1]['accuracy']) < 0.05, (saga, rows[-1])
    on_device('probe', 'run', '--output', 'here', '-o', 'probes=[{logistic: {at: trunk.1..2}}]')
    expect(sorted(os.listdir('here')), ['.logistic.json', 'logistic-confusion.csv', 'logistic.csv', 'logistic.txt'])
    confusion = table_of(read('here/logistic-confusion.csv'))
    expect(list(confusion[0]),
           ['data', 'split', 'when', 'address', 'block', 'class', 'predicted', 'samples', 'share'])
    expect([row['address'] for row in confusion], ['trunk.1'] * 4 + ['trunk.2'] * 4)
    accuracy = float(table_of(read('here/logistic.csv'))[0]['accuracy'])
    right = sum(float(row['samples']) for row in confusion[:4] if row['class'] == row['predicted'])
    assert abs(right / sum(float(row['samples']) for row in confusion[:4]) - accuracy) < 1e-9
    make_table('table.csv', 100)
    write('numbers.yaml', network('residual', train=TRAIN.replace('cross-entropy', 'mse'), probes='[logistic]',
                                  data='data: {csv: {path: table.csv, target: y, test: 50%}}\n'))
    code, _, err = adit('run', 'numbers.yaml', '-o', 'model.head.3.dense.units=1', '--device', DEVICE)
    assert code == 2 and "probe 'logistic' needs classes, data 'csv' has none" in err, err


def gradients():
    """By logits it is what they say less the class; in a loop it is that of the blocks written out."""
    train_network('glonet', probes='[{gradient: {at: ["**", "**:pre", "**:collect", head]}}]')
    rows = rows_of('run')
    told = list(csv.DictReader(io.StringIO(on_device('predict', 'run'))))
    missed = [1 - float(row[f'probability.{row["target"]}']) for row in told]
    head = next(row for row in rows if row['address'] == 'head')
    assert abs(head['mean-absolute'] - sum(missed) / len(missed)) < 1e-6, (head, sum(missed) / len(missed))
    root = (sum(value * value for value in missed) / len(missed)) ** 0.5
    assert abs(head['root-mean-square'] - root) < 1e-6, (head, root)
    blocks = f'[{", ".join([DENSE] * 7)}]'
    write('out.yaml', 'adit: 1\n' + DATA + 'model:\n  from: run/checkpoints/last\n  load: [trunk]\n'
          f'  trunk: {{aggregator: glonet, blocks: {blocks}}}\n'
          'probes: [{gradient: {at: ["**", "**:pre", "**:collect", head]}}]\n')
    same = {row['address']: row for row in rows_of('out.yaml')}
    assert len({row['mean-absolute'] for row in rows}) > 10, rows
    # written out, what leaves the trunk is what was collected there
    expect(sorted({row['address'] for row in rows} - set(same)), ['trunk.7:collect'])
    for row in (row for row in rows if row['address'] in same):
        for column in 'mean-absolute', 'root-mean-square':
            other = same[row['address']][column]
            assert abs(row[column] - other) <= 1e-5 * abs(other), (row, other)


def added(name):
    """The parts of all blocks, and of what enters the sum before them, are what moves the logits."""
    train_network(name)
    rows = rows_of('run', '-o', 'probes=[contribution]')
    expect([row['address'] for row in rows], [row['address'] for row in rows_of('run')])
    entry = rows_of('run', '-o', 'probes=[{contribution: {at: stem}}]')[0]
    begins_empty = NETWORKS[name][0] == 'glonet'
    total = sum(row['share'] for row in rows) + (0 if begins_empty else entry['share'])
    assert abs(total - 1) < 1e-4, (total, rows)
    expect(rows[-1]['left'], 0)
    assert all(row['left'] >= 0 for row in rows), rows


def ablated():
    """A path whose output is zero is a network without that path; the last block of a sum, a cut."""
    paths = {'short': f'[{DENSE}]', 'long': repeat(f'[{DENSE}]', 3)}

    def both(*names):
        return f'{{paths: {{of: {{{", ".join(f"{name}: {paths[name]}" for name in names)}}}}}}}'

    def trunk(*names):
        return f'  trunk: [{both("short", "long")}, {DENSE}, {both(*names)}]\n'
    body = 'adit: 1\n' + DATA + 'model:\n  stem: [{dense: {units: 6}}]\n'
    write('two.yaml', body + trunk('short', 'long') + f'  head: {PLAIN_HEAD}\n' + TRAIN)
    on_device('run', 'two.yaml', '--run-dir', 'two', '-q')
    rows = rows_of('two', '-o', 'probes=[{ablation: {at: [trunk.**.long, trunk.3.long.1..2, trunk.3, trunk.2:linear, head]}}]')
    expect([row['address'] for row in rows],
           ['trunk.1.long', 'trunk.3.long', 'trunk.3.long.1', 'trunk.3.long.2', 'trunk.3', 'trunk.2:linear', 'head'])
    whole = answer_of('two')
    for row in rows:
        assert abs(row['loss'] - row['loss-change'] - whole['loss']) < 1e-12, (row, whole)
        assert abs(row['accuracy'] - row['metric-change'] - whole['value']) < 1e-12, (row, whole)
    write('cut.yaml', 'adit: 1\n' + DATA + 'model:\n  from: two/checkpoints/last\n  load: [trunk]\n' + trunk('short'))
    expect(rows[1]['loss'], answer_of('cut.yaml')['loss'])
    # all logits alike
    assert abs(rows[-1]['loss'] - math.log(2)) < 1e-6, rows[-1]
    # what is fed zeros alone may give nothing either
    assert len({row['loss'] for row in rows}) >= 4, rows
    for name, blocks in ('glonet', 7), ('tied', 5), ('nested', 9):
        write(f'{name}.yaml', network(name))
        on_device('run', f'{name}.yaml', '--run-dir', name, '-q')
        rows = rows_of(name, '-o', 'probes=[ablation]')
        expect(len(rows), blocks)
        expect(rows[-1]['loss'], rows_of(name)[-2]['loss'])
        assert len({row['loss'] for row in rows}) >= blocks - 1, rows
    refuse("'ablation' takes away what a block gives, and 'trunk.1:in' is not that",
           'two', '-o', 'probes=[{ablation: {at: "trunk.1:in"}}]')


def folded():
    """Blocks that give a constant are no loss when that is folded in; the last prefix is the network."""
    train_network('glonet')
    constant = '{dense: {units: 6, initializer: zeros, bias-initializer: {constant: {value: 0.5}}}}'
    ends = {}
    for name, tail in ('out', f'{constant}, {constant}'), ('loop', repeat(f'[{constant}]', 4)[1:-1]):
        write(f'{name}.yaml', 'adit: 1\n' + DATA + 'model:\n  from: run/checkpoints/last\n'
              f'  load: [trunk.1, trunk.2, trunk.3]\n  trunk: {{aggregator: glonet, blocks: [{DENSE}, {DENSE}, {DENSE}, {tail}]}}\n')
        plain = rows_of(f'{name}.yaml', '-o', 'probes=[truncation]')
        fold = rows_of(f'{name}.yaml', '-o', 'probes=[{truncation: {fold: true}}]')
        whole = answer_of(f'{name}.yaml')['loss']
        assert abs(plain[2]['loss'] - whole) > 1e-3, (plain, whole)
        for row in fold[2:]:
            assert abs(row['loss'] - whole) < 1e-5, (row, whole)
        assert abs(fold[0]['loss'] - whole) > 1e-4 and fold[0]['loss'] != plain[0]['loss'], (fold, plain)
        expect([list(row) for row in fold], [list(row) for row in plain])
        ends[name] = [row['loss'] for row in fold[:3]]
    rows = rows_of('run', '-o', 'probes=[{truncation: {fold: true}}]')
    assert abs(rows[-1]['loss'] - answer_of('run')['loss']) < 1e-6, rows
    few = rows_of('run', '-o', 'probes=[{truncation: {fold: true, memory: 12 KiB}}]')
    expect(few, rows)


def before():
    """What a probe cannot do at the end is told before anything is trained."""
    write('much.yaml', network('chain', probes='[{cka: {memory: 4 KiB}}]'))
    code, _, err = adit('run', 'much.yaml', '--run-dir', 'run', '--device', DEVICE)
    assert code == 2 and "for 'trunk.1' alone, twice for a pair, its memory is 4.0 KiB" in err, err
    assert not os.path.exists('run/checkpoints') or not os.listdir('run/checkpoints')


def maps():
    """Maps are averaged before they are kept; of their positions each is a sample, or all are one."""
    make_images('data/mnist')
    write('maps.yaml', 'adit: 1\ndata: {idx: {folder: $data/mnist, test: 30%}}\nmodel:\n'
          '  stem: {conv: {filters: 4, kernel: 3, activation: relu}}\n'
          '  trunk: [{repeat: {times: 2, blocks: [{conv: {filters: 4, kernel: 3, activation: relu}}]}}]\n'
          '  head: [global-pool, {dense: {units: 3}}]\n'
          + TRAIN + 'probes: [saturation]\n')
    more = {'env': {'ADIT_DATA': 'data'}}
    on_device('run', 'maps.yaml', '--run-dir', 'run', '-q', **more)
    widths = {}
    for options in 'pool: 2, reduce: flatten', 'pool: 0, reduce: positions', 'pool: 0, reduce: mean', 'reduce: max':
        rows = rows_of('run', '-o', f'probes=[{{saturation: {{{options}}}}}]', **more)
        expect([row['address'] for row in rows], ['trunk.1', 'trunk.2'])
        assert all(0 <= row['saturation'] <= 1 and row['trace'] >= 0 for row in rows), rows
        widths[options] = rows[0]['width']
    expect(list(widths.values()), [16, 4, 4, 4])
    # a regression for each position; of one position it is the whole
    on_device('probe', 'run', '--output', 'here', '-o', 'probes=[{logistic: {positions: true, pool: 2}}]', **more)
    places = table_of(read('here/logistic-positions.csv'))
    expect([(row['address'], row['row'], row['column']) for row in places],
           [(f'trunk.{block}', row, column) for block in (1, 2) for row in '01' for column in '01'])
    assert len({row['train-accuracy'] for row in places}) > 1, places
    on_device('probe', 'run', '--output', 'here', '-o', 'probes=[{logistic: {pool: 2}}]', **more)
    expect(table_of(read('here/logistic-positions.csv')), [])
    on_device('probe', 'run', '--output', 'one', '-o', 'probes=[{logistic: {positions: true, pool: 1}}]', **more)
    single = table_of(read('one/logistic-positions.csv'))
    expect([(row['train-accuracy'], row['accuracy']) for row in single],
           [(row['train-accuracy'], row['accuracy']) for row in table_of(read('one/logistic.csv'))])
    # of a map of one pixel position, mean and all are one
    one = [rows_of('run', '-o', f'probes=[{{saturation: {{pool: 1, reduce: {reduce}}}}}]', **more)
           for reduce in ('positions', 'mean', 'flatten')]
    expect([one[1], one[2]], [one[0], one[0]])


def borders():
    """Layers that see nothing new of an image are told in the table and shaded in the report."""
    make_images('data/mnist')
    write('deep.yaml', 'adit: 1\ndata: {idx: {folder: $data/mnist, test: 30%}}\nmodel:\n'
          '  trunk: [{repeat: {times: 14, blocks: [{conv: {filters: 2, kernel: 2}}]}}]\n'
          '  head: [global-pool, {dense: {units: 3}}]\n' + TRAIN + 'probes: [{saturation: {at: [trunk.*, head]}}]\n')
    more = {'env': {'ADIT_DATA': 'data'}}
    on_device('run', 'deep.yaml', '--run-dir', 'run', '-q', **more)
    table = table_of(read('run/probes/saturation.csv'))
    expect(list(table[0])[:7], ['data', 'split', 'when', 'address', 'block', 'layer', 'saturation'])
    layers = [row['layer'] for row in table]
    # the head is no layer with a window; what is a border stays one
    first = layers.index('border')
    expect((layers[0], layers[first:], len(layers)), ('inside', ['border'] * (14 - first) + [''], 15))
    expect([row.get('layer', '') for row in rows_of('run', **more)], layers)
    assert ' layer ' in on_device('probe', 'run', **more).splitlines()[0]
    succeed('report', 'run')
    script = read('run/report/curves-saturation-saturation.gp')
    marked = ', '.join(str(block) for block in range(first + 1, 15))
    assert f'array marked[{14 - first}] = [{marked}]\n' in script, script[:900]
    # other tables have no such column, and other networks no such layers
    assert 'layer' not in read('run/probes/saturation-spectrum.csv').splitlines()[0]
    write('flat.yaml', network('glonet', probes='[{saturation: {at: trunk.*}}]'))
    on_device('run', 'flat.yaml', '--run-dir', 'flat', '-q')
    assert 'layer' not in read('flat/probes/saturation.csv').splitlines()[0]


def paper():
    """pipelines/glonet/truncation.yaml: images, and the run as its one parameter."""
    file = f'{PIPELINES}/glonet/truncation.yaml'
    make_images('data/mnist')
    more = {'env': {'ADIT_DATA': 'data'}}
    on_device('run', f'{PIPELINES}/glonet/mnist.yaml', 'depth=6', '-o', 'train.epochs=2', '-o',
              'data.idx.test=30%', '-o', 'model.head.dense.units=3', '--run-dir', 'run', '-q', **more)
    rows = rows_of(file, 'run=run', '-o', 'data.idx.test=30%', **more)
    answer = answer_of('run', '--checkpoint', 'best', **more)
    expect(len(rows), 6)
    expect((rows[-1]['loss'], rows[-1]['accuracy']), (answer['loss'], answer['value']))
    os.symlink(file, 'truncation.yaml')
    code, _, err = adit('probe', 'truncation.yaml', **more)
    expect((code, err.splitlines()[0]),
           (2, "truncation.yaml:5:15: error: 'run' has no default; give it: adit run FILE run=..."))


def refuse(message, *arguments, code=2):
    got, out, err = adit('probe', *arguments, '--device', DEVICE)
    assert (got, out) == (code, '') and message in err, f'{got}\n{out}\n{err}'


def refusals():
    train_network('glonet')
    refuse("command-line:4:28: error: 'stem:in' gives 2, but the head takes 6",
           'run', '-o', 'probes=[{truncation: {at: "stem:in"}}]')
    refuse("command-line:4:29: error: 'head:collect' gives 2, but the head takes 6",
           'run', '-o', 'probes=[{truncation: {at: [head]}}]')
    refuse("error: nothing is at 'trunk.8'; 'trunk' has 7 items",
           'run', '-o', 'probes=[{truncation: {at: trunk.8}}]')
    refuse("error: 'head.1' has no ':pre'; it is a 'dense' (in, linear, out, collect)",
           'run', '-o', 'probes=[{truncation: {at: "head.1:pre"}}]')
    refuse("'contribution' looks at what is collected, and 'trunk.1:out' has another port",
           'run', '-o', 'probes=[{contribution: {at: "trunk.1:out"}}]')
    refuse("error: 'input:collect' gives 2, but the head takes 6",
           'run', '-o', 'probes=[{contribution: {at: input}}]')
    got, out, err = adit('probe', 'run', '-o', 'probes=[{truncation: {at: input}}, {block-norm: {at: trunk.9}}]')
    assert (got, out) == (2, '') and "'input:collect' gives 2" in err and "'trunk.9'" in err, err
    refuse("probe 'truncation' needs 1.9 KiB for 'trunk.1:collect' alone, its memory is 1.0 KiB; raise"
           " 'memory', or look at fewer 'samples'", 'run', '-o', 'probes=[{truncation: {memory: 1 KiB}}]')
    refuse("'pool' averages maps of values, and 'truncation' reads none",
           'run', '-o', 'probes=[{truncation: {pool: 4}}]')
    refuse('has no probes; ', 'run', '-o', 'probes=[]')
    refuse("'train' cannot be turned after training; 'data', 'inference' and 'probes' can",
           'run', '-o', 'train.epochs=5')
    write('weights.yaml', 'adit: 1\n' + DATA + 'model:\n  from: run/checkpoints/last/model.safetensors\n'
          '  stem: [{dense: {units: 6}}]\n  trunk: []\n  head: [{dense: {units: 2}}]\nprobes: [{truncation: {at: stem}}]\n')
    refuse("probe 'truncation' needs a loss", 'weights.yaml')
    write('bare.csv', 'a,b\n' + ''.join(f'{i % 7},{i % 5}\n' for i in range(40)))
    bare = 'data=[{moons: {samples: 40, test: 50%}}, {csv: {name: bare, path: bare.csv, test: 50%}}]'
    for probe in 'truncation', '{truncation: {fold: true}}', 'ablation', 'gradient':
        name = probe.strip('{').split(':')[0]
        refuse(f"probe '{name}' needs targets, data 'bare' has none", 'run', '-o', bare, '-o', f'probes=[{probe}]')


def checked():
    """Nothing is started when a table cannot be had at the end."""
    write('wide.yaml', 'adit: 1\n' + DATA + 'model:\n'
          '  trunk: {aggregator: concat, blocks: [{repeat: {times: 3, blocks: [{dense: {units: 4}}]}}]}\n'
          '  head: [{dense: {units: 2}}]\n' + TRAIN + 'probes: [truncation]\n')
    for verb in ('check', 'run'):
        code, _, err = adit(verb, 'wide.yaml')
        expect((code, err.splitlines()[0]),
               (2, "wide.yaml:7:10: error: 'trunk.1:collect' gives 6, but the head takes 14"))
    blocks = '{dense: {units: 2}}'
    for _ in range(4):
        blocks = f'{{repeat: {{times: 3, blocks: [{blocks}]}}}}'
    write('deep.yaml', 'adit: 1\n' + DATA + f'model:\n  trunk: [{blocks}]\n'
          '  head: [{repeat: {times: 2, blocks: [{dense: {units: 2}}]}}]\n' + TRAIN + 'probes: [truncation]\n')
    code, _, err = adit('check', 'deep.yaml')
    expect((code, err.splitlines()[0].split(': ', 2)[2].split("'")[2]),
           (2, ' lies in 4 repeats, and the head has 1 more; 4 can be nested'))
    succeed('check', 'deep.yaml', '-o', 'model.head.1.repeat.times=1')
    write('before.yaml', network('chain', probes='[contribution]'))
    code, _, err = adit('check', 'before.yaml', '-o', 'model.stem=[]')
    expect((code, err.splitlines()[0].split(': ', 2)[2]),
           (2, "what is before 'trunk.1:collect' gives 2, but the head takes 6"))
    assert not os.path.exists('runs')


cases = [(f'/pipelines/probe/{case.__name__}/{name}', in_folder(lambda case=case, name=name: case(name)))
         for case in (whole, cut, added) for name in NETWORKS]
cases += [(f'/pipelines/probe/{case.__name__}', in_folder(case))
          for case in (values, sections, observes, tables, again, lost, killed, told, sets, pairs, classes, gradients, ablated, folded, before, maps, borders, paper, refusals,
                       checked)]
tap.run(cases)
