#!/usr/bin/env python3
# tests/pipelines/test-strategies.py - SPDX-License-Identifier: MIT
"""Strategies that train a network with exits piece by piece: what stays as it is, what is read from
where, and that being cut off changes nothing. ADIT_TEST_DEVICE is the device; else the CPU."""

import json
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (adit, checkpoints, differing, expect, in_folder, metrics,  # noqa: E402
                     succeed, tensors, write)

DEVICE = os.environ.get('ADIT_TEST_DEVICE')
ON = ('--device', DEVICE or 'cpu')

NETWORK = '''adit: 1
data: {moons: {samples: 200, noise: 0.1, test: 30%}}
model:
  stem: {dense: {units: 12}}
  trunk: {aggregator: AGGREGATOR, blocks: [TRUNK]}
  head: {dense: {units: 2}}
exits: [EXITS]
train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 2, strategy: STRATEGY,
        checkpoint: {every: 1, keep-last: 100}}
'''
UNIT = '{dense: {units: 12, activation: tanh}}'
LOOP = f'{{repeat: {{times: 6, blocks: [{UNIT}]}}}}'
WRITTEN = ', '.join([UNIT] * 6)
OWN = '[{dense: {units: 2}}]'
TWO = f'{{at: [trunk.2, trunk.4], head: {OWN}}}'
# few pieces, each of whose programs a device has to make
SMALL = {'trunk': f'{{repeat: {{times: 3, blocks: [{UNIT}]}}}}',
         'exits': f'{{at: trunk.1..2, head: {OWN}}}'}
SGD = ('-o', 'train.optimizer={sgd: {lr: 0.05}}')


def train(run, strategy, *arguments, exits=TWO, trunk=LOOP, aggregator='glonet', on=ON, **more):
    text = NETWORK
    for old, new in (('AGGREGATOR', aggregator), ('TRUNK', trunk), ('EXITS', exits),
                     ('STRATEGY', strategy)):
        text = text.replace(old, new)
    write(f'{run}.yaml', text)
    return adit('run', f'{run}.yaml', '--run-dir', run, '-q', *on, *arguments, **more)


def trained(run, *arguments, **more):
    code, _, err = train(run, *arguments, **more)
    expect((code, err), (0, ''))
    return metrics(run)


def weights(run, step='last'):
    return tensors(f'{run}/checkpoints/{step}/model.safetensors')


def moved(run, before, after):
    """Items whose parameters two checkpoints differ in: trunk.1, exits.2."""
    one, other = weights(run, before), weights(run, after)
    expect(sorted(one), sorted(other))
    return sorted({'.'.join(name.split('.')[:2]) if name.split('.')[1].isdigit() else
                   name.split('.')[0] for name in one if one[name] != other[name]})


def pieces(run):
    """The last checkpoint of each piece, in turn."""
    steps = checkpoints(run)
    rows = metrics(run)
    expect(len(steps), len(rows))
    return [steps[i] for i, row in enumerate(rows)
            if i + 1 == len(rows) or rows[i + 1]['piece'] != row['piece']]


def close(got, expected, tolerance=1e-5):
    assert abs(got - expected) <= tolerance * max(1, abs(expected)), (got, expected)


def alike(run, other, tolerance):
    for a, b in zip(metrics(run), metrics(other), strict=True):
        for name in ('train.loss', 'test.loss'):
            close(float(a[name]), float(b[name]), tolerance)


def blocks(*numbers):
    return [f'trunk.{number}' for number in numbers]


# ---- pieces ----

def layer_wise():
    """From exit to exit: a piece moves what lies between them and the head of its exit."""
    rows = trained('run', 'layer-wise')
    expect([row['piece'] for row in rows], ['1', '1', '2', '2', '3', '3'])
    first, second, third = pieces('run')
    expect(moved('run', first, second), ['exits.2', *blocks(3, 4)])
    expect(moved('run', second, third), ['head', *blocks(5, 6)])
    once = checkpoints('run')[0]
    expect(moved('run', once, first), ['exits.1', 'stem', *blocks(1, 2)])


def separate():
    """The network alone, then each head alone."""
    trained('run', 'separate')
    first, second, third = pieces('run')
    once = checkpoints('run')[0]
    expect(moved('run', once, first), ['head', 'stem', *blocks(1, 2, 3, 4, 5, 6)])
    expect(moved('run', first, second), ['exits.1'])
    expect(moved('run', second, third), ['exits.2'])
    plain = trained('plain', 'plain')
    expect(weights('run', first), {**weights('run', first), **{
        name: value for name, value in weights('plain').items() if not name.startswith('exits.')}})
    expect([row['test.loss'] for row in metrics('run')[:2]], [row['test.loss'] for row in plain])
    heads = trained('heads', '{separate: {backbone: false}}')
    expect(len(heads), 4)


def loops():
    """Where exits are within a loop, it is cut; blocks written out train alike."""
    every = f'{{at: trunk.*, head: {OWN}}}'
    for i, (strategy, exits) in enumerate((('layer-wise', every), ('separate', every),
                                           ('layer-wise', TWO),
                                           ('layer-wise', f'{{at: [stem, trunk.3], head: {OWN}}}'))):
        for aggregator in ('glonet', 'residual', 'chain'):
            loop, written = f'loop-{aggregator}-{i}', f'written-{aggregator}-{i}'
            trained(loop, strategy, exits=exits, aggregator=aggregator, *SGD)
            trained(written, strategy, exits=exits, aggregator=aggregator, trunk=WRITTEN, *SGD)
            alike(loop, written, 1e-4)


def caches():
    """What is kept is what would be computed; batch-norms of the frozen part stand still."""
    unit = '{dense: {units: 12, norm: batch-norm, activation: relu}}, {dropout: {rate: 0.2}}'
    trunk = f'{{repeat: {{times: 6, blocks: [{unit}]}}}}'
    for aggregator in ('glonet', 'residual', 'chain'):
        kept, computed = f'kept-{aggregator}', f'computed-{aggregator}'
        more = {'trunk': trunk, 'aggregator': aggregator}
        trained(kept, 'layer-wise', *SGD, **more)
        trained(computed, '{layer-wise: {cache: 1 KiB}}', *SGD, **more)
        alike(kept, computed, 1e-4)
        for run in kept, computed:
            first, second, _ = pieces(run)
            expect(moved(run, first, second), ['exits.2', 'trunk.3'])


def inside():
    """An exit within a block that the block goes around: what is frozen cannot be kept, and is
    computed."""
    block = f'{{sequence: {{aggregator: residual, blocks: [{UNIT}, {UNIT}]}}}}'
    rows = trained('run', 'layer-wise', trunk=', '.join([block] * 3), aggregator='chain',
                   exits=f'{{at: trunk.2.1, head: {OWN}}}')
    first, second = pieces('run')
    expect(moved('run', first, second), ['head', 'trunk.2', 'trunk.3'])
    expect(len(rows), 4)


def freezeout():
    """Blocks stop one after the other; heads learn to the end. The first piece is that of a network
    whose rates fall."""
    rows = trained('run', '{freezeout: {t0: 0.4}}', '-o', 'train.epochs=10')
    expect([row['piece'] for row in rows], ['1', '1', '1', '1', '2', '3', '4', '5', '6', '7'])
    steps = checkpoints('run')
    for i in range(4, 10):
        expect(moved('run', steps[i - 1], steps[i]),
               ['exits.1', 'exits.2', 'head', *blocks(*range(i - 3, 7))])
    every = f'{{at: trunk.*, head: {OWN}}}'
    for aggregator in ('glonet', 'residual', 'chain'):
        for i, exits in enumerate(('', TWO, every)):
            more = {'exits': exits, 'aggregator': aggregator}
            loop, written = f'loop-{aggregator}-{i}', f'written-{aggregator}-{i}'
            trained(loop, '{freezeout: {curve: cubic}}', *SGD, **more)
            trained(written, '{freezeout: {curve: cubic}}', *SGD, trunk=WRITTEN, **more)
            alike(loop, written, 1e-4)


def mixtures():
    """Answers made of all exits: blocks in a loop or written out; what is told of the run is told of
    the mixture; its weights are trained and kept."""
    found = {'combined': 'exits.free', '{combined: {by: positive}}': 'exits.positive',
             '{combined: {by: softmax, weights: [0.5, 0.1]}}': 'exits.softmax',
             '{combined: {by: mean}}': None, '{combined: {by: max, final-weight: 1}}': None,
             'gated': 'exits.2.gate.weight', '{gated: {trust: max-probability}}': None,
             '{gated: {trust: entropy, weights: 1}}': None}
    every = f'{{at: [trunk.3, trunk.6], head: {OWN}}}, {{at: trunk.1..2, head: shared}}'
    for i, (strategy, name) in enumerate(found.items()):
        for exits in (TWO, every) if 'weights: [' not in strategy else (TWO,):
            loop, written = f'loop-{i}-{exits == TWO}', f'written-{i}-{exits == TWO}'
            for run, trunk in (loop, LOOP), (written, WRITTEN):
                rows = trained(run, strategy, *SGD, trunk=trunk, exits=exits)
            alike(loop, written, 1e-4)
            told = json.loads(succeed('eval', loop, '--json', '-q', *ON))
            close(told['loss'], float(rows[-1]['test.loss']), 1e-4)
            own = {key for key in weights(loop) if key.startswith('exits.') and
                   (key.count('.') == 1 or '.gate.' in key)}
            expect(name in own if name else not own, True)
            if name:
                first, last = checkpoints(loop)[0], checkpoints(loop)[-1]
                assert weights(loop, first)[name] != weights(loop, last)[name], name


def numbers(run, step, item):
    found = {name: value for name, value in weights(run, step).items() if name.startswith(item)}
    assert found, item
    return [x for name in sorted(found) for x in struct.unpack(f'<{len(found[name][2]) // 4}f',
                                                               found[name][2])]


def local():
    """What comes up to the first exit learns by that alone, as if it were trained by itself; fixed
    heads stay; those that hand back through others learn as ever, and what is before them does not."""
    every = f'{{at: trunk.*, head: {OWN}}}'
    for aggregator in ('glonet', 'residual', 'chain'):
        for i, (exits, last) in enumerate(((TWO, 2), (every, 1))):
            alone, at_once = f'alone-{aggregator}-{i}', f'local-{aggregator}-{i}'
            trained(alone, 'layer-wise', exits=exits, aggregator=aggregator, *SGD)
            trained(at_once, 'local', exits=exits, aggregator=aggregator, *SGD)
            for item in ('stem.', 'exits.1.', *(f'trunk.{k + 1}.' for k in range(last))):
                for a, b in zip(numbers(alone, pieces(alone)[0], item),
                                numbers(at_once, 'last', item), strict=True):
                    close(a, b, 1e-5)
    trained('fixed', '{local: {heads: fixed}}', *SGD)
    first, last = checkpoints('fixed')
    expect(moved('fixed', first, last), ['head', 'stem', *blocks(1, 2, 3, 4, 5, 6)])
    one = ('--limit-batches', '1', '-o', 'train.epochs=1', *SGD)
    trained('own', 'local', *one)
    trained('other', '{local: {heads: feedback}}', *one)
    trained('drawn', '{local: {heads: feedback}}', *one[:4], '-o',
            'train.optimizer={sgd: {lr: 1e-30}}')
    expect(numbers('other', 'last', 'exits.1.feedback'), numbers('drawn', 'last', 'exits.1.feedback'))
    for a, b in zip(numbers('other', 'last', 'exits.1.1.weight'), numbers('own', 'last', 'exits.1.1.weight'),
                    strict=True):
        close(a, b, 1e-6)
    assert numbers('other', 'last', 'trunk.2.') != numbers('own', 'last', 'trunk.2.')
    assert numbers('other', 'last', 'trunk.2.') != numbers('drawn', 'last', 'trunk.2.')


def losses():
    """Further losses of exits: blocks in a loop or written out, heads of their own or shared."""
    for i, strategy in enumerate(('{local: {by: similarity}}', '{local: {by: mixed, beta: 0.5}}',
                                  '{local: {by: bottleneck, noise: 0.1}}', 'distill',
                                  '{local: {heads: feedback}}',
                                  '{distill: {share: 1, temperature: 1, weights: 0.3}}')):
        for j, exits in enumerate((TWO, '{at: trunk.*, head: shared}')):
            loop, written = f'loop-{i}-{j}', f'written-{i}-{j}'
            trained(loop, strategy, *SGD, exits=exits)
            trained(written, strategy, *SGD, exits=exits, trunk=WRITTEN)
            alike(loop, written, 1e-4)


def cut_off():
    """Killed after every step or so, taken up again: the same bits."""
    one = ('-o', 'train.checkpoint={every: 1, keep-last: 1}')
    for name in STRATEGIES if DEVICE is None else ('layer-wise', 'freezeout'):
        strategy = STRATEGIES[name]
        trained(f'whole-{name}', strategy, *one, **SMALL)
        code = train(f'cut-{name}', strategy, *one, '--max-time', '1 ms', **SMALL)[0]
        for _ in range(100):
            if code == 0:
                break
            expect(code, 75)
            code = adit('resume', f'cut-{name}', '-q', *ON, '--max-time', '1 ms')[0]
        expect(code, 0)
        expect(differing(f'whole-{name}', f'cut-{name}'), [])


def stages():
    """A piece is no stage: another stage begins with its own first piece."""
    trained('run', 'layer-wise')
    text = NETWORK.split('train:')[0] + '''train:
  - {name: plain, loss: cross-entropy, optimizer: sgd, batch: 32, epochs: 1, strategy: plain}
  - {name: pieces, strategy: layer-wise}
'''
    for old, new in (('AGGREGATOR', 'glonet'), ('TRUNK', LOOP), ('EXITS', TWO)):
        text = text.replace(old, new)
    write('two.yaml', text)
    succeed('run', 'two.yaml', '--run-dir', 'two', '-q', *ON)
    expect([(row['stage'], row['piece'], row['epoch']) for row in metrics('two')],
           [('1', '', '1'), ('2', '1', '1'), ('2', '2', '2'), ('2', '3', '3')])


def devices():
    """The same training on both devices, a few steps of each piece."""
    few = ('--limit-batches', '2', '-o', 'train.epochs=1', *SGD)
    for i, (name, strategy) in enumerate(STRATEGIES.items()):
        aggregator = ('glonet', 'residual')[i % 2]
        for run, device in (f'cpu-{name}', 'cpu'), (f'other-{name}', DEVICE):
            trained(run, strategy, *few, aggregator=aggregator, on=('--device', device), **SMALL)
        alike(f'cpu-{name}', f'other-{name}', 1e-4)


STRATEGIES = {'layer-wise': 'layer-wise', 'separate': 'separate',
              'freezeout': '{freezeout: {curve: squared, scaled: true}}',
              'combined': '{combined: {by: softmax, weights: 0.5}}', 'gated': 'gated',
              'feedback': '{local: {heads: feedback}}', 'mixed': '{local: {by: mixed}}',
              'bottleneck': '{local: {by: bottleneck}}', 'distill': 'distill'}


# ---- what is wrong ----

def wrong():
    for strategy, exits, message in (
            ('layer-wise', '', "strategy 'layer-wise' needs exits, and the network has none; say "
                               "where with 'exits'"),
            ('separate', '', "strategy 'separate' needs exits, and the network has none; say where "
                             "with 'exits'"),
            ('{freezeout: {curve: quartic}}', TWO,
             "'curve' must be one of linear, squared, cubic, got \"quartic\""),
            ('{freezeout: {t0: 0}}', TWO,
             "'t0' must be above 0: the first block would never be trained"),
            ('{freezeout: {weights: [1, 2, 3]}}', TWO,
             "3 weights for 2 exits; the last answer has 'final-weight'"),
            ('combined', '', "strategy 'combined' needs exits, and the network has none; say where "
                             "with 'exits'"),
            ('gated', '', "strategy 'gated' needs exits, and the network has none; say where with "
                          "'exits'"),
            ('{gated: {weights: [1, 1, 1]}}', TWO,
             "3 weights for 2 exits; the last answer has 'final-weight'"),
            ('{combined: {by: median}}', TWO,
             "'by' must be one of free, positive, softmax, mean, max, got \"median\"; did you mean 'mean'?"),
            ('layer-wize', TWO, "unknown strategy 'layer-wize'; did you mean 'layer-wise'?")):
        code, _, err = train('wrong', strategy, exits=exits)
        expect((code, err.splitlines()[0].split('error: ')[1]), (2, message))


if DEVICE is None:
    cases = [('layer-wise', layer_wise), ('separate', separate), ('loops', loops),
             ('caches', caches), ('freezeout', freezeout), ('mixtures', mixtures),
             ('local', local), ('losses', losses), ('inside', inside), ('cut-off', cut_off), ('stages', stages),
             ('wrong', wrong)]
else:
    cases = [('devices', devices), ('cut-off', cut_off)]
tap.run([(f'/strategies/{name}', in_folder(case)) for name, case in cases])
