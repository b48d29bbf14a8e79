#!/usr/bin/env python3
# tests/pipelines/test-exits.py - SPDX-License-Identifier: MIT
"""Networks with exits: heads within loops and written out, joint training, what each answer is worth
and where a policy lets rows leave. ADIT_TEST_DEVICE is the device; else the CPU."""

import csv
import json
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PIPELINES, adit, differing, expect, in_folder, make_images, metrics,  # noqa: E402
                     read, succeed, tensors, write)

DEVICE = os.environ.get('ADIT_TEST_DEVICE')
ON = ('--device', DEVICE or 'cpu')

NETWORK = '''adit: 1
data: {moons: {samples: 200, noise: 0.1, test: 30%}}
model:
  stem: {dense: {units: 16}}
  trunk: {aggregator: glonet, blocks: [TRUNK]}
  head: {dense: {units: 2}}
exits: [EXITS]
train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 3}
'''
UNIT = '{dense: {units: 16, activation: tanh}}'
LOOP = f'{{repeat: {{times: 8, blocks: [{UNIT}]}}}}'
WRITTEN = ', '.join([UNIT] * 8)
OWN = '[{dense: {units: 2}}]'


def make(exits='', trunk=LOOP, name='exits.yaml', **changes):
    text = NETWORK.replace('TRUNK', trunk).replace('EXITS', exits)
    for old, new in changes.items():
        text = text.replace(old, new)
    write(name, text)
    return name


def train(run, exits, *arguments, trunk=LOOP, **more):
    succeed('run', make(exits, trunk), '--run-dir', run, '-q', *ON, *arguments, **more)


def evaluate(run, *arguments, **more):
    found = json.loads(succeed('eval', run, '--json', '-q', *ON, *arguments, **more))
    time = found.pop('time', {})
    assert all(seconds > 0 for seconds in time.values()), time
    return found


def predict(run, *arguments):
    text = succeed('predict', run, '-q', *ON, *arguments)
    return list(csv.DictReader(text.splitlines()))


def weights(run):
    return tensors(f'{run}/checkpoints/last/model.safetensors')


def close(got, expected, tolerance=1e-5):
    assert abs(got - expected) <= tolerance * max(1, abs(expected)), (got, expected)


# ---- building and training ----

def within_loops(head):
    """A repeat of blocks that all have exits is one loop, with the same heads as blocks written
    out; where some have exits, the others are loops between them."""
    for i, at in enumerate(('trunk.*', 'trunk.2..6/2', '[trunk.4, trunk.8]', 'trunk.**',
                            '[trunk.5..8, trunk.*]')):
        loop, written = f'loop-{i}', f'written-{i}'
        exits = f'{{at: {at}, head: {head}}}'
        train(loop, exits)
        train(written, exits, trunk=WRITTEN)
        expect(sorted(weights(loop)), sorted(weights(written)))
        one, other = evaluate(loop)['exits'], evaluate(written)['exits']
        numbers = [str(number) for number in range(1, len(one['answers']))]
        for found in one, other:
            expect([answer['name'] for answer in found['answers']], [*numbers, 'last'])
        for a, b in zip(one['answers'], other['answers']):
            close(a['loss'], b['loss'], 1e-4)
            close(a['cost'], b['cost'], 1e-12)


def ignored():
    """What a plain stage trains is the network without its exits, to the last bit; exits stay as
    they were drawn, whatever the optimizer does to what has no gradient."""
    decay = ('-o', 'train.optimizer={sgd: {lr: 0.05, momentum: 0.9, decay: 0.1}}')
    exits = f'{{at: trunk.8, head: [batch-norm, {OWN[1:-1]}]}}'
    train('plain', exits, '-o', 'train.strategy=plain', *decay)
    train('none', '', *decay)
    expect([row['test.loss'] for row in metrics('plain')],
           [row['test.loss'] for row in metrics('none')])
    train('drawn', exits, '-o', 'train.strategy=plain', '-o', 'train.epochs=1', *decay)
    plain, drawn, none = weights('plain'), weights('drawn'), weights('none')
    own = sorted(name for name in plain if name.startswith('exits.'))
    assert own, plain.keys()
    for name in own:
        expect(plain[name], drawn[name])
    expect({name: value for name, value in plain.items() if name not in own}, none)


def weighed():
    """An exit on the last block with the model's head is the last answer once more: with weights
    0.25 and 0.75 the step is that of the network without it."""
    joint = 'train.strategy={joint: {weights: 0.25, final-weight: 0.75}}'
    sgd = ('-o', 'train.optimizer={sgd: {lr: 0.1}}')
    train('joint', '{at: trunk.8, head: shared}', '-o', joint, *sgd)
    train('none', '', *sgd)
    for mine, other in zip(metrics('joint'), metrics('none')):
        close(float(mine['test.loss']), float(other['test.loss']))


def ramp():
    """min(c, from + c e/E): with c = 1 and from 0 the first epoch weighs nothing, the second of two
    a half."""
    sgd = ('-o', 'train.optimizer={sgd: {lr: 0.1}}', '-o', 'train.epochs=2')
    for run, joint in (('ramp', '{weights: 1, ramp-from: 0}'), ('half', '{weights: 0.5}'),
                       ('zero', '{weights: 0}')):
        train(run, '{at: trunk.3, head: shared}', '-o', f'train.strategy={{joint: {joint}}}', *sgd)
    ramped, half, zero = (metrics(run) for run in ('ramp', 'half', 'zero'))
    close(float(ramped[0]['test.loss']), float(zero[0]['test.loss']), 1e-6)
    assert abs(float(ramped[1]['test.loss']) - float(zero[1]['test.loss'])) > 1e-4
    assert abs(float(half[0]['test.loss']) - float(zero[0]['test.loss'])) > 1e-4


def plain_kernels():
    """Fused kernels, threads and resuming change nothing that can be told."""
    exits = '{at: trunk.*, head: shared}'
    train('fused', exits)
    train('threads', exits, '--threads', '3')
    expect(differing('fused', 'threads'), [])
    train('plain', exits, env={'ADIT_FUSE': '0'})
    for a, b in zip(metrics('fused'), metrics('plain')):
        close(float(a['test.loss']), float(b['test.loss']))
    code, _, _ = adit('run', 'exits.yaml', '--run-dir', 'cut', '-q', *ON, '--max-time', '1 ms')
    expect(code, 75)
    succeed('resume', 'cut', '-q', *ON)
    expect(differing('fused', 'cut'), [])


def devices():
    """One step of both devices from the same weights."""
    exits = f'{{at: trunk.2..6, head: {OWN}}}, {{name: shared, at: trunk.8, head: shared}}'
    for run, device in (('cpu', 'cpu'), ('other', DEVICE)):
        succeed('run', make(exits), '--run-dir', run, '-q', '--device', device, '-o',
                'train.optimizer={sgd: {lr: 0.1}}', '--limit-batches', '1', '-o', 'train.epochs=1')
    row, other = metrics('cpu')[-1], metrics('other')[-1]
    close(float(row['train.loss']), float(other['train.loss']))
    for policy in ('entropy', 'max-probability', 'margin', 'patience', 'ensemble'):
        mine, others = (
            json.loads(succeed('eval', 'cpu', '--json', '-q', '--device', device, '-o',
                               f'inference.policy={{{policy}: {{threshold: 0.3}}}}'))['exits']
            for device in ('cpu', DEVICE))
        close(mine['loss'], others['loss'])
        for a, b in zip(mine['answers'], others['answers']):
            close(a['loss'], b['loss'])


# ---- leaving ----

def policies():
    """Thresholds that let nobody leave, or everybody; shares add up; a higher threshold lets more
    leave where less is surer."""
    train('run', '{at: trunk.2..6/2, head: shared}', '-o', 'train.epochs=8')
    for policy, none, all_ in (('entropy', 0, 2), ('max-probability', 1.01, 0), ('margin', 1.01, 0)):
        for threshold, where in ((none, 'last'), (all_, '1')):
            found = evaluate('run', '-o', f'inference.policy={{{policy}: {{threshold: {threshold}}}}}')
            left = {answer['name']: answer['left']['rows'] for answer in found['exits']['answers']}
            expect(left, {name: 60 if name == where else 0 for name in ('1', '2', '3', 'last')})
            chosen = [answer for answer in found['exits']['answers'] if answer['name'] == where][0]
            close(found['exits']['value'], chosen['value'], 1e-12)
            close(found['exits']['cost'], chosen['cost'], 1e-12)
    costs = []
    for threshold in (0.1, 0.3, 0.6, 0.9):
        found = evaluate('run', '-o', f'inference.policy={{entropy: {{threshold: {threshold}}}}}')
        exits = found['exits']
        expect(sum(answer['left']['rows'] for answer in exits['answers']), 60)
        close(exits['cost'], sum(answer['left']['rows'] * answer['cost']
                                 for answer in exits['answers']) / 60, 1e-12)
        costs.append(exits['cost'])
    expect(costs, sorted(costs, reverse=True))
    each = evaluate('run', '-o', 'inference.policy={margin: {threshold: [1.01, 0, 1.01]}}')
    expect([answer['left']['rows'] for answer in each['exits']['answers']], [0, 60, 0, 0])


def cost():
    """Multiply-adds of a row: stem 2x16, a block 16x16, a head 16x2; the network has 2,112."""
    train('run', '{at: trunk.2..6/2, head: shared}')
    one, head = 16 * 16, 2 * 16
    whole = head + 8 * one + head
    found = evaluate('run', '-o', 'inference.policy=entropy')['exits']['answers']
    for answer, blocks, heads in zip(found, (2, 4, 6, 8), (1, 2, 3, 4)):
        close(answer['cost'], (head + blocks * one + heads * head) / whole, 1e-12)
    train('all', '{at: trunk.*, head: shared}')
    found = evaluate('all', '-o', 'inference.policy=entropy')['exits']['answers']
    for i, answer in enumerate(found[:-1]):
        close(answer['cost'], (head + (i + 1) * (one + head)) / whole, 1e-12)
    close(evaluate('all')['exits']['cost'], 1, 1e-12)


def fallback():
    """Nobody is sure enough: the last answer, or the surest of all."""
    train('run', '{at: trunk.*, head: shared}')
    policy = ('-o', 'inference.policy={max-probability: {threshold: 1.01}}')
    last = evaluate('run', *policy)['exits']
    surest = evaluate('run', *policy, '-o', 'inference.fallback=most-confident')['exits']
    expect(last['answers'][-1]['left']['rows'], 60)
    expect(sum(answer['left']['rows'] for answer in surest['answers']), 60)
    assert surest['answers'][-1]['left']['rows'] < 60, surest
    close(surest['cost'], last['cost'], 1e-12)


def batches():
    """The same bits for every batch size."""
    train('run', '{at: trunk.2..6/2, head: shared}')
    policy = ('-o', 'inference.policy={entropy: {threshold: 0.4}}')
    expected = evaluate('run', *policy)
    for batch in (1, 7, 60, 1000):
        expect(evaluate('run', *policy, '--batch', batch), expected)


def leaving():
    """Rows leave as the policy says of what each exit would have answered them; the same lines for
    every batch size."""
    train('run', '{name: early, at: trunk.2, head: shared}, {name: late, at: trunk.6, head: ' + OWN + '}',
          '-o', 'train.epochs=8')
    policy = 'inference.policy={margin: {threshold: %s}}'
    offers = [predict('run', '-o', policy % thresholds)
              for thresholds in ('0', '[1.01, 0]', '1.01')]
    for rows, name in zip(offers, ('early', 'late', 'last')):
        expect({row['exit'] for row in rows}, {name})
        expect(len({row['cost'] for row in rows}), 1)
    costs = [float(rows[0]['cost']) for rows in offers]
    expect(costs, sorted(costs))
    for fallback in ('last', 'most-confident'):
        arguments = ('-o', policy % '[0.9, 0.8]', '-o', f'inference.fallback={fallback}')
        found = predict('run', *arguments)
        expected = []
        for early, late, last in zip(*offers):
            if float(early['confidence']) >= 0.9:
                expected.append(early)
            elif float(late['confidence']) >= 0.8:
                expected.append(late)
            else:
                surest = max((last, early, late), key=lambda row: float(row['confidence']))
                expected.append({**(last if fallback == 'last' else surest), 'cost': last['cost']})
        expect(found, expected)
        expect({row['exit'] for row in found}, {'early', 'late', 'last'})
        for batch in (1, 7, 64, 1000):
            expect(predict('run', *arguments, '--batch', batch), found)
    expect('exit' in predict('run')[0], False)


def sweep():
    """One training, evaluated at several thresholds."""
    make('{name: early, at: trunk.2, head: shared}')
    write('study.yaml', '''adit: 1
study:
  vary: {pipeline: exits.yaml, seed: 1}
  evaluate: {inference.policy.entropy.threshold: [0, 2]}
  report: [{table: {rows: inference.policy.entropy.threshold, value: [exits.accuracy, exits.early.share, exits.cost]}}]
''')
    text = read('exits.yaml').replace('train:', 'inference: {policy: entropy}\ntrain:')
    write('exits.yaml', text)
    out, err = adit('sweep', 'study.yaml', '--study-dir', 'study', '-q')[1:]
    with open('study/sweep.csv', encoding='utf-8', newline='') as stream:
        rows = list(csv.DictReader(stream))
    expect([row['status'] for row in rows], ['done', 'done'])
    expect([float(row['exits.early.share']) for row in rows], [0, 1])
    assert float(rows[0]['exits.cost']) > 1 > float(rows[1]['exits.cost']) > 0, (out, err)


# ---- calibration ----

HELD_OUT = {'noise: 0.1, test: 30%': 'noise: 0.25, test: 30%, validation: 30%', 'samples: 200': 'samples: 1000'}
ENTROPY = 'inference={policy: entropy, calibrate: {accuracy-drop: 1%}}'


def train_held_out(run, *arguments):
    make('{at: trunk.2..6/2, head: shared}', **HELD_OUT)
    succeed('run', 'exits.yaml', '--run-dir', run, '-q', *ON, '-o', 'train.epochs=6', *arguments)


def stored(run):
    return json.loads(read(f'{run}/exits/thresholds.json'))


def calibrated():
    """Fitted to the validation split after training, stored, and used until -o sets a threshold."""
    train_held_out('run', '-o', ENTROPY)
    found = stored('run')
    expect([exit_['name'] for exit_ in found['exits']], ['1', '2', '3'])
    expect(len({exit_['threshold'] for exit_ in found['exits']}), 1)
    expect(found['rows'], 300)
    validation = evaluate('run', '--split', 'validation')
    close(validation['exits']['value'], found['accuracy'], 1e-12)
    close(validation['exits']['cost'], found['cost'], 1e-9)
    close(validation['value'], found['last-accuracy'], 1e-12)
    assert found['accuracy'] >= found['last-accuracy'] - 0.01, found
    assert found['cost'] < 1, found
    never = evaluate('run', '-o', 'inference.policy.entropy.threshold=0')['exits']
    expect(never['answers'][-1]['left']['rows'], 300)
    other = evaluate('run', '-o', 'inference.policy={margin: {threshold: 1.01}}')['exits']
    expect(other['answers'][-1]['left']['rows'], 300)
    off = evaluate('run', '-o', 'inference.policy=never')['exits']
    close(off['cost'], 1, 1e-12)
    expect(evaluate('run', '--batch', 7), evaluate('run'))


def curve():
    """From nobody to everybody, the threshold and what it costs in order; its points are what an
    evaluation at that threshold gives."""
    train_held_out('run', '-o', ENTROPY)
    with open('run/exits/curve.csv', encoding='utf-8', newline='') as stream:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]
    expect((rows[0]['share.last'], rows[-1]['share.1']), (1, 1))
    expect([row['threshold'] for row in rows], sorted(row['threshold'] for row in rows))
    expect([row['cost'] for row in rows], sorted((row['cost'] for row in rows), reverse=True))
    middle = rows[len(rows) // 2]
    found = evaluate('run', '--split', 'validation', '-o',
                     f"inference.policy.entropy.threshold={middle['threshold']}")['exits']
    close(found['value'], middle['accuracy'], 1e-8)
    close(found['cost'], middle['cost'], 1e-8)
    for answer in found['answers']:
        close(answer['left']['rows'] / 300, middle[f"share.{answer['name']}"], 1e-8)
    succeed('report', 'run', '-q')
    assert 'Exits' in read('run/report.html')


def goals():
    """Budgets are kept and used; thresholds for each exit do no worse; another policy is fitted by
    -o and used with the same -o alone."""
    train_held_out('run', '-o', 'inference.policy=max-probability')
    assert not os.path.exists('run/exits')
    reached = []
    for budget in ('35%', '60%', '90%'):
        for which in ('one', 'each'):
            found = json.loads(succeed('exits', 'calibrate', 'run', '--budget', budget, '--thresholds', which,
                                       '--json', '-q', *ON))
            assert found['cost'] <= float(budget[:-1]) / 100 + 1e-9, found
            reached.append(found['accuracy'])
    for one, each in zip(reached[::2], reached[1::2]):
        assert each >= one, reached
    fitted = [exit_['threshold'] for exit_ in stored('run')['exits']]
    close(evaluate('run', '--split', 'validation')['exits']['value'], reached[-1], 1e-12)
    margin = ('-o', 'inference.policy=margin')
    before = evaluate('run', *margin)
    succeed('exits', 'calibrate', 'run', '--latency', '1 s', '-q', *ON, *margin)
    assert [exit_['threshold'] for exit_ in stored('run')['exits']] != fitted
    assert 0 < stored('run')['seconds'] < 1, stored('run')
    assert evaluate('run', *margin) != before
    close(evaluate('run')['exits']['cost'], evaluate('run', '-o', 'inference.policy.max-probability.threshold=0.9')
          ['exits']['cost'], 1e-12)


def overthinking():
    """Against what the answers of all exits, one by one, say."""
    train_held_out('run', '-o', 'inference.policy=entropy')
    found = json.loads(succeed('exits', 'eval', 'run', '--json', '-q', *ON))
    expect(found['exits'], evaluate('run')['exits'])
    told = found['overthinking']
    close(sum(answer['first'] for answer in told['answers']), told['answers'][-1]['any'], 1e-12)
    close(told['answers'][0]['any'], found['exits']['answers'][0]['value'], 1e-12)
    close(told['answers'][-1]['any'],
          found['exits']['answers'][-1]['value'] + told['destructive'], 1e-12)
    assert told['wasteful'] <= found['exits']['answers'][-1]['value'] + 1e-12
    assert told['confusion']['wrong'] > told['confusion']['right'], told
    out = succeed('exits', 'eval', 'run', '-q', *ON)
    assert 'destructive overthinking' in out and 'as left' in out, out


def reference():
    """The language's own row 36: B-LeNet without rows held out."""
    make_images('data/mnist', label=lambda row: row % 10)
    fixtures = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'fixtures', 'pipelines')
    write('b-lenet.yaml', read(f'{fixtures}/b-lenet.yaml').replace(', validation: 5000', ''))
    code, _, err = adit('check', 'b-lenet.yaml', '--data', 'data')
    expect((code, err.splitlines()[0]), (2, 'b-lenet.yaml:18:3: error: calibration needs a validation split that '
                                         "training never sees; set 'validation' of 'idx'"))


def uncalibrated():
    """What cannot be fitted, or not to these rows."""
    def fail(message, *arguments):
        code, _, err = adit(*arguments)
        expect((code, err.splitlines()[0].split('error: ')[1]), (2, message))

    make('{at: trunk.2, head: shared}')
    fail("calibration needs a validation split that training never sees; set 'validation' of 'moons'",
         'check', 'exits.yaml', '-o', ENTROPY)
    fail("'calibrate' fits a policy's thresholds; set 'policy'", 'check', 'exits.yaml', '-o',
         'inference={calibrate: {budget: 40%}}', '-o', 'data.moons.validation=10%')
    fail("there is nothing to calibrate; the network has no exits", 'check', 'exits.yaml', '-o', 'exits=[]',
         '-o', ENTROPY, '-o', 'data.moons.validation=10%')
    for text, message in (
            ('{}', "'calibrate' needs a goal: accuracy-drop, budget or latency"),
            ('{budget: 40%, latency: 2 ms}', "'calibrate' has one goal, got 2 ('budget', 'latency')"),
            ('{budget: 400%}', '\'budget\' must be in 0..100%, got "400%"'),
            ('{latency: 2}', '\'latency\' must be a time (ms, s, min or h), got 2; a unit is missing'),
            ('{budget: 40%, thresholds: two}', "'thresholds' must be one of one, each, got \"two\""),
            ('40%', "'calibrate' must be a mapping: {accuracy-drop: 0.5%}")):
        fail(message, 'check', 'exits.yaml', '-o', f'inference={{policy: entropy, calibrate: {text}}}')
    succeed('run', 'exits.yaml', '--run-dir', 'run', '-q', *ON, '-o', 'train.epochs=1')
    run = ('exits', 'calibrate', 'run', '-o', 'inference.policy=entropy')
    fail("calibration needs a validation split that training never sees; set 'validation' of 'moons' before "
         "training", *run, '--budget', '50%')
    fail("'data' cannot be turned for calibration; rows of another split may be ones that training saw",
         *run, '--budget', '50%', '-o', 'data.moons.validation=20%')
    fail('thresholds are fitted to the validation split, got --split=test; the test split is what they are '
         'judged by', *run, '--budget', '50%', '--split', 'test')
    fail("say what the thresholds are fitted to: --accuracy-drop=0.5%, --budget=40% or --latency='2 ms'", *run)
    fail('give one of --accuracy-drop, --budget and --latency, got 2', *run, '--budget', '50%', '--latency', '1 s')
    train_held_out('other')
    fail('no policy is set whose thresholds could be fitted; -o inference.policy=entropy', 'exits', 'calibrate',
         'other', '--budget', '50%')
    fail('no thresholds come to a budget of 1%; rows that all leave at the first exit cost 27.27%', 'exits',
         'calibrate', 'other', '--budget', '1%', '-o', 'inference.policy=entropy')
    data = read('exits.yaml').splitlines()[1]
    write('look.yaml', f'adit: 1\n{data}\nmodel: {{from: other/checkpoints/last}}\ninference: {{policy: entropy}}\n')
    fail('thresholds are stored with a run; give a run directory', 'exits', 'calibrate', 'look.yaml', '--budget', '50%')
    assert not os.path.exists('other/exits')
    write('other/exits/thresholds.json', '{"policy": "x"}')
    code, _, err = adit('eval', 'other', '-q', '-o', 'inference.policy=entropy')
    expect(code, 4)
    assert "holds no thresholds: expected 'policy' and 'exits', each with 'name' and 'threshold'" in err, err


def infeasible():
    """A goal that no thresholds come to is told, and the run is done without any."""
    budget = 'inference={policy: entropy, calibrate: {budget: 1%}}'
    warning = ('warning: the exits are left without thresholds: no thresholds come to a budget of 1%; rows that '
               'all leave at the first exit cost 27.27%')
    make('{at: trunk.2..6/2, head: shared}', **HELD_OUT)
    code, _, err = adit('run', 'exits.yaml', '--run-dir', 'run', '-q', *ON, '-o', 'train.epochs=1', '-o', budget)
    expect((code, err.splitlines()), (0, [warning]))
    expect(json.loads(read('run/run.json'))['status'], 'COMPLETED')
    assert not os.path.exists('run/exits')
    assert warning in read('run/console.log'), read('run/console.log')
    succeed('exits', 'calibrate', 'run', '--budget', '50%', '-q', *ON)
    assert stored('run')['cost'] <= 0.5 + 1e-9


# ---- policies ----

ALL_POLICIES = ('patience', '{patience: {threshold: 1}}', '{ensemble: {weights: [1, 2, 3, 4, 5, 6, 7, 8, 9]}}',
                '{ensemble: {threshold: 0.9}}', '{always: {exit: 3}}', '{share: {shares: 0.1}}',
                '{budget: {ratio: 0.7, of: margin}}', '{share: {shares: 0.1, of: {entropy: {unit: nats}}}}')


def loops():
    """Policies that go from exit to exit do so through a loop's iterations as through blocks that are
    written out, and for every batch size; so do the others."""
    for run, trunk in (('loop', LOOP), ('written', WRITTEN)):
        make('{at: trunk.*, head: shared}', trunk, **HELD_OUT)
        succeed('run', 'exits.yaml', '--run-dir', run, '-q', *ON, '-o', 'train.epochs=2')
    for policy in ALL_POLICIES:
        chosen = ('-o', f'inference.policy={policy}')
        one, other = (evaluate(run, *chosen)['exits'] for run in ('loop', 'written'))
        for a, b in zip(one['answers'], other['answers']):
            close(a['loss'], b['loss'], 1e-4)
            close(a['cost'], b['cost'], 1e-9)
            assert abs(a['left']['rows'] - b['left']['rows']) <= 3, (policy, a, b)
        expect(evaluate('loop', *chosen, '--batch', 7)['exits'], one)


def clocked():
    """Where a policy judges an answer by itself, rows leave by the clock too, and in predictions."""
    train('run', '{at: trunk.2..6/2, head: shared}')
    for policy, leaves in (('entropy', True), ('margin', True), ('patience', False),
                           ('{always: {exit: 1}}', False), ('never', False)):
        chosen = ('-o', f'inference.policy={policy}')
        found = json.loads(succeed('eval', 'run', '--json', '-q', *ON, *chosen))
        expect(sorted(found.get('time', {})), ['left', 'trunk'] if leaves else [])
        if policy == 'never':
            expect('exit' in predict('run', *chosen)[0], False)
        elif leaves:
            expect('exit' in predict('run', *chosen)[0], True)
        else:
            code, _, told = adit('predict', 'run', '-q', *ON, *chosen)
            expect(code, 2)
            assert 'does not judge an answer by itself' in told, told
    for policy in '{ensemble: {weights: 1}}', '{deadline: {time: 5 ms}}':
        code, _, told = adit('predict', 'run', '-q', *ON, '-o', f'inference.policy={policy}')
        expect(code, 2)
        assert 'does not judge an answer by itself' in told, told


def ensembles():
    """Weights 0 but for one answer: that answer; equal ones at a single exit: itself."""
    train('run', '{at: trunk.2..6/2, head: shared}')
    plain = evaluate('run')['exits']['answers']
    found = evaluate('run', '-o', 'inference.policy={ensemble: {weights: [0, 1, 0, 0]}}')['exits']
    for answer, expected in zip(found['answers'], (plain[0], plain[1], plain[1], plain[1])):
        close(answer['loss'], expected['loss'], 1e-6)
    expect(found['answers'][-1]['left']['rows'], 60)


def patience():
    """With threshold 1 a row leaves at the second exit at the earliest."""
    train('run', '{at: trunk.*, head: shared}')
    found = evaluate('run', '-o', 'inference.policy={patience: {threshold: 1}}')['exits']
    expect(found['answers'][0]['left']['rows'], 0)
    assert found['answers'][1]['left']['rows'] > 30, found
    none = evaluate('run', '-o', 'inference.policy={patience: {threshold: 9}}')['exits']
    expect(none['answers'][-1]['left']['rows'], 60)


def fixed():
    """One exit for all costs what a network would that ends there; no other head is computed."""
    one, head = 16 * 16, 2 * 16
    whole = head + 8 * one + head
    for run, at, blocks in (('some', 'trunk.2..6/2', 4), ('run', 'trunk.*', 2)):
        train(run, f'{{at: {at}, head: {OWN}}}')
        found = evaluate(run, '-o', 'inference.policy={always: {exit: 2}}')['exits']
        expect(found['answers'][1]['left']['rows'], 60)
        close(found['cost'], (head + blocks * one + head) / whole, 1e-12)
        close(found['answers'][-1]['cost'], 1, 1e-12)
    late = evaluate('run', '-o', 'inference.policy={deadline: {time: 1 h}}')['exits']
    expect(late['answers'][-1]['left']['rows'], 60)
    early = evaluate('run', '-o', 'inference.policy={deadline: {time: 0.000001 ms}}')['exits']
    expect(early['answers'][0]['left']['rows'], 60)


def shares():
    """Of the rows they were fitted to the shares leave, and of others about as many."""
    train_held_out('run', '-o', 'inference.policy={share: {shares: [0.5, 0.25, 0.1]}}')
    found = evaluate('run', '--split', 'validation')['exits']
    expect([answer['left']['rows'] for answer in found['answers']], [150, 75, 30, 45])
    test = evaluate('run')['exits']['answers'][0]['left']['rows']
    assert 110 < test < 190, test
    # other shares are fitted as they are asked for, and kept when they are calibrated
    other = ('-o', 'inference.policy={share: {shares: 0.1}}')
    expect([answer['left']['rows'] for answer in evaluate('run', '--split', 'validation', *other)['exits']['answers']],
           [30, 30, 30, 210])
    succeed('exits', 'calibrate', 'run', '-q', *ON, *other)
    expect(len(stored('run')['exits']), 3)
    code, _, err = adit('exits', 'calibrate', 'run', '-q', '--budget', '50%', *other)
    expect(code, 2)
    assert "'share' says itself how many rows leave" in err, err
    code, _, err = adit('eval', 'run', '-q', '-o', 'inference.policy={budget: {ratio: 2}}', '-o',
                        'data.moons.validation=10%')
    expect(code, 2)
    assert "the thresholds of 'budget' are fitted to a validation split that training never saw" in err, err
    # where no row of these arrives, none leaves; so it is when thresholds are read again
    for policy in '{shares: [1, 0, 0]}', '{shares: [1, 0, 0], of: entropy}':
        whole = ('-o', f'inference.policy={{share: {policy}}}')
        succeed('exits', 'calibrate', 'run', '-q', *ON, *whole)
        expect([exit_['threshold'] for exit_ in stored('run')['exits']][1:], ['Infinity'] * 2)
        for split in 'validation', 'test':
            found = evaluate('run', '--split', split, *whole)['exits']['answers']
            expect([answer['left']['rows'] for answer in found][1:3], [0, 0])
            expect({row['exit'] for row in predict('run', '--split', split, *whole)} - {'1', 'last'}, set())
    # what another file holds out may be what the run was trained on
    data = read('exits.yaml').splitlines()[1].replace('validation: 30%', 'validation: 50%')
    write('look.yaml', f'adit: 1\n{data}\nmodel: {{from: run/checkpoints/last}}\n'
                       'inference: {policy: {budget: {ratio: 2}}}\n')
    for verb in ('eval',), ('predict',), ('exits', 'eval'):
        code, _, err = adit(*verb, 'look.yaml', '-q')
        expect(code, 2)
        assert "the thresholds of 'budget' are fitted to a validation split that training never saw" in err, err


# ---- placement ----

def placed():
    """At the places whose cost is nearest to shares of the network's: stem and blocks have 32 and 256 of
    2,112 multiply-adds."""
    by_cost = '{cost: {shares: [15%, 0.5, 60%], among: trunk.*}}'
    for i, trunk in enumerate((LOOP, WRITTEN)):
        train(f'cost-{i}', f'{{at: {by_cost}, head: {OWN}}}', trunk=trunk)
        train(f'address-{i}', f'{{at: [trunk.1, trunk.4, trunk.5], head: {OWN}}}', trunk=trunk)
        expect(weights(f'cost-{i}'), weights(f'address-{i}'))
    succeed('run', 'cost-0/config.resolved.yaml', '--run-dir', 'again', '-q', *ON)
    expect(weights('again'), weights('cost-0'))
    make(f'{{at: {by_cost}, head: shared}}')
    out = succeed('exits', 'place', 'exits.yaml', '--shares', '15%,0.5,60%')
    assert out.endswith('exits:\n  - {at: [trunk.1, trunk.4, trunk.5], head: shared}\n'), out
    expect(out.splitlines()[1].split(), ['15%', 'trunk.1', '288', '13.64%'])
    # two shares may be nearest to one place, where a pipeline has one exit
    out = succeed('exits', 'place', 'exits.yaml', '--shares', '25%,26%,50%')
    expect([line.split()[1] for line in out.splitlines()[1:4]], ['trunk.2', 'trunk.2', 'trunk.4'])
    assert out.endswith('exits:\n  - {at: [trunk.2, trunk.4], head: shared}\n'), out


def chosen_names():
    """What is printed of exits with names has them, each once: what is kept of one name is one entry."""
    for i, exits in enumerate(('{name: early, at: trunk.2, head: shared}, {at: trunk.4, head: shared}',
                               f'{{name: some, at: [trunk.2, trunk.6], head: {OWN}}}, {{at: trunk.4, head: shared}}')):
        make(exits, **HELD_OUT)
        succeed('run', 'exits.yaml', '--run-dir', f'run-{i}', '-q', *ON, '-o', 'train.epochs=1')
        # a head costs less than what is behind it: every exit stays
        out = succeed('exits', 'place', f'run-{i}', '--by', 'greedy', '-q', *ON, '-o', 'inference.policy=entropy')
        text = out[out.index('exits:'):]
        expect([row.split()[6] for row in out.splitlines()[1:3 + i]], ['yes'] * (2 + i))
        expect(text.splitlines()[1].split(', head')[0],
               ('  - {name: early, at: trunk.2', '  - {name: some, at: [trunk.2, trunk.6]')[i])
        expect(text.splitlines()[2].split(', head')[0], '  - {at: trunk.4')
        expect(len(text.splitlines()), 3)
        kept = '\n'.join(line for line in read('exits.yaml').splitlines() if not line.startswith('exits'))
        write('chosen.yaml', f'{kept}\n{text}')
        succeed('check', 'chosen.yaml')


def listed(trunk, among, *shares):
    """The table of places: a list of share, place and multiply-adds."""
    make(trunk=trunk)
    out = succeed('exits', 'place', 'exits.yaml', '--shares', ','.join(shares), '--among', among)
    return [line.split()[:3] for line in out[:out.index('\n\n')].splitlines()[1:]]


def among_some():
    """Among some of a repeat's blocks, perhaps without the first; the repeat is one loop."""
    for among, places in (('trunk.4', ('4', '4')), ('trunk.3..7/2', ('3', '7')), ('trunk.5..8', ('5', '8'))):
        for trunk in (LOOP, WRITTEN):
            expect(listed(trunk, among, '10%', '100%'),
                   [[share, f'trunk.{place}', f'{32 + int(place) * 256:,}']
                    for share, place in zip(('10%', '100%'), places)])
    train('run', '{at: {cost: {shares: 40%, among: trunk.3..7}}, head: shared}')
    train('address', '{at: trunk.3, head: shared}')
    expect(weights('run'), weights('address'))


def nested():
    """A repeat within a repeat: at the end of each of its iterations an answer takes what it takes with the
    blocks written out; no answer takes less than one before it."""
    inner = f'{{repeat: {{times: 3, blocks: [{UNIT}]}}}}'
    loop = f'{{repeat: {{times: 4, blocks: [{UNIT.replace("tanh", "relu")}, {inner}]}}}}'
    written = ', '.join(([UNIT.replace('tanh', 'relu')] + [UNIT] * 3) * 4)
    for among in ('trunk.4', 'trunk.8', 'trunk.12', 'trunk.16'):
        for trunk in (loop, written):
            expect(listed(trunk, among, '50%')[0][2], f'{32 + int(among[6:]) * 256:,}')
    for i, head in enumerate(('shared', OWN)):
        found = []
        for run, trunk in ((f'loop-{i}', loop), (f'written-{i}', written)):
            train(run, f'{{at: trunk.*, head: {head}}}', '-o', 'train.epochs=1', trunk=trunk)
            answers = evaluate(run, '-o', 'inference.policy=entropy')['exits']['answers']
            costs = [answer['cost'] for answer in answers]
            expect(costs, sorted(costs))
            found.append(costs)
        for number in (4, 8, 12, 16, 17):
            close(found[0][number - 1], found[1][number - 1], 1e-12)


def chosen():
    """Which exits of a trained network stay, by each rule; what is printed can be trained."""
    train_held_out('run', '-o', 'inference.policy=max-probability')
    texts = {}
    for rule in ('inequality', 'greedy', 'exhaustive', 'constant'):
        out = succeed('exits', 'place', 'run', '--by', rule, '-q', *ON)
        rows = [line.split() for line in out.splitlines()[1:4]]
        expect([row[:4] for row in rows], [['1', 'trunk.2', '544', '32'], ['2', 'trunk.4', '1056', '32'],
                                           ['3', 'trunk.6', '1568', '32']])
        expect(rows[0][4], '100.00%')
        kept = [row[1] for row in rows if row[6] == 'yes']
        texts[rule] = out[out.index('exits:'):]
        expect([line.split()[2].rstrip(',') for line in texts[rule].splitlines()[1:]], kept)
    text = '\n'.join(line for line in read('exits.yaml').splitlines() if not line.startswith('exits'))
    write('chosen.yaml', f"{text}\n{texts['exhaustive']}")
    succeed('check', 'chosen.yaml')
    for more in (('--unit', 'time'), ('--unit', 'joules', '--rate', '1e-12'), ('--links', '0,1e6,0'),
                 ('--accuracy-drop', '5%')):
        succeed('exits', 'place', 'run', '--by', 'exhaustive', '-q', *ON, *more)
    for message, *words in (
            ('joules need a rate: --rate=1e-12, those of a multiply-add', '--unit', 'joules'),
            ("'--links' must be a number for each exit, got 1 for 3 exits", '--links', '1'),
            ("'--th' must be a share of 100% at most, like 0.5%, got \"2\"", '--th', '2'),
            ('which rows leave is told by a policy that asks; -o inference.policy=entropy', '-o',
             'inference.policy=never')):
        code, _, err = adit('exits', 'place', 'run', '--by', 'greedy', *words)
        expect((code, err.splitlines()[0]), (2, f'adit exits place: error: {message}'))
    code, _, err = adit('exits', 'place', 'run', '--by', 'exhaustive', '--unit', 'joules', '--rate', '1e308')
    expect(code, 2)
    assert 'a cost that is a number; without exits a row costs inf' in err, err
    for message, *words in (
            ('say at which shares of the cost: --shares=15%,30%,45%',),
            ("--among=trunk.25: nothing is at 'trunk.25'; 'trunk' has 8 items", '--shares', '5%', '--among',
             'trunk.25')):
        code, _, err = adit('exits', 'place', 'exits.yaml', *words)
        expect((code, err.splitlines()[0]), (2, f'adit exits place: error: {message}'))


# ---- truncation ----

def truncate(run, *arguments):
    return json.loads(succeed('exits', 'truncate', run, '--json', '-q', *ON, *arguments))


def truncated():
    """The network cut off behind each block is what the probe of that name says; what is saved is that
    network, with a constant or without; blocks written out come to the same."""
    train('run', '', '-o', 'probes=[{truncation: {}}]')
    found = truncate('run')['networks']
    with open('run/probes/truncation.csv', encoding='utf-8', newline='') as stream:
        probed = list(csv.DictReader(stream))
    expect([f"{network['address']}:collect" for network in found], [row['address'] for row in probed])
    for network, row in zip(found, probed):
        close(network['loss'], float(row['loss']), 1e-6)
        close(network['value'], float(row['accuracy' if 'accuracy' in row else 'metric']), 1e-6)
    close(found[-1]['folded-loss'], found[-1]['loss'], 1e-12)
    close(found[1]['cost'], (32 + 2 * 256 + 32) / 2112, 1e-12)
    train('written', '', trunk=WRITTEN)
    for one, other in zip(found, truncate('written')['networks']):
        close(one['folded-loss'], other['folded-loss'], 1e-4)
    for run, words, figure in (('run', ('--keep', '3'), 'loss'), ('run', ('--keep', '3', '--fold'), 'folded-loss'),
                               ('written', ('--keep', '5', '--fold'), 'folded-loss')):
        saved = truncate(run, *words)
        network = saved['networks'][int(words[1]) - 1]
        pipeline = f"{saved['saved']}/pipeline.yaml"
        close(json.loads(succeed('eval', pipeline, '--json', '-q', *ON))['loss'], network[figure], 1e-4)
        succeed('check', pipeline)
    names = tensors('run/truncated-3-folded/model.safetensors')
    expect(sorted(names), sorted(['head.bias', 'head.weight', 'stem.bias', 'stem.weight', 'trunk.4.value']
                                 + [f'trunk.{i}.{what}' for i in (1, 2, 3) for what in ('bias', 'weight')]))
    succeed('report', 'run', '-q')
    assert 'Truncation' in read('run/report.html')


def folded():
    """The constant is the mean of what the later blocks add, by hand."""
    rows = [(0.5, -1.0, 0.2), (1.5, 0.25, -0.3), (-0.75, 2.0, 1.1), (0.1, 0.6, -0.9), (-1.2, -0.4, 0.7)]
    write('t.csv', 'a,b,y\n' + ''.join(','.join(map(str, row)) + '\n' for row in rows))
    write('fold.yaml', '''adit: 1
data: {csv: {path: t.csv, target: y, test: 0}}
model:
  stem: {dense: {units: 2}}
  trunk: {aggregator: glonet, blocks: [{repeat: {times: 3, blocks: [{dense: {units: 2, activation: relu}}]}}]}
  head: {dense: {units: 1}}
train: {loss: mse, optimizer: {adam: {lr: 0.05}}, batch: 5, epochs: 20}
''')
    succeed('run', 'fold.yaml', '--run-dir', 'run', '-q', *ON)
    saved = truncate('run', '--keep', '1', '--fold', '--split', 'train')['saved']
    stored_ = {name: (shape, struct.unpack(f'<{len(data) // 4}f', data))
               for name, (_, shape, data) in {**weights('run'), **tensors(f'{saved}/model.safetensors')}.items()}

    def dense(x, name):
        (_, weight), (_, bias) = stored_[f'{name}.weight'], stored_[f'{name}.bias']
        return [sum(a * weight[i * len(bias) + j] for i, a in enumerate(x)) + bias[j] for j in range(len(bias))]

    mean = [0, 0]
    for a, b, _ in rows:
        x = dense((a, b), 'stem')
        for block in (1, 2, 3):
            x = [max(value, 0) for value in dense(x, f'trunk.{block}')]
            mean = [m + value / len(rows) * (block > 1) for m, value in zip(mean, x)]
    for got, expected in zip(stored_['trunk.2.value'][1], mean):
        close(got, expected, 1e-5)


def untruncated():
    """What cannot be cut off, or has no place for a constant."""
    def fail(message, *words):
        code, _, err = adit('exits', 'truncate', *words, '-q')
        expect((code, err.splitlines()[0]), (2, f'adit exits truncate: error: {message}'))

    train('run', '')
    fail("'--keep' must be below 8, the items of the trunk, got 8", 'run', '--keep', '8')
    fail("'--fold' says how the network is saved that '--keep' cuts off", 'run', '--fold')
    text = make()
    write(text, read(text).replace('aggregator: glonet', 'aggregator: chain').replace('times: 8', 'times: 2'))
    succeed('run', text, '--run-dir', 'chain', '-q', *ON)
    code, _, err = adit('exits', 'truncate', 'chain', '--keep', '1', '--fold', '-q')
    expect(code, 2)
    assert 'a network with a constant in the place of blocks cannot be written down' in err, err
    assert not os.path.exists('chain/truncated-1-folded')
    succeed('exits', 'truncate', 'chain', '--keep', '1', '-q')
    write(text, read(text).replace('aggregator: chain', 'aggregator: concat'))
    succeed('run', text, '--run-dir', 'concat', '-q', *ON)
    fail("a trunk that is cut off must collect one shape, but 'trunk.1' has 32 and 'trunk.2' 48", 'concat')


def kept():
    """What cannot be saved leaves an earlier network as it was; what can takes its place as a whole."""
    train('run', '', trunk=f'{{repeat: {{times: 4, tied: true, blocks: [{UNIT}, {UNIT}]}}}}')
    os.mkdir('run/truncated-3')
    write('run/truncated-3/mine.txt', 'mine')
    code, _, err = adit('exits', 'truncate', 'run', '--keep', '3', '-q', *ON)
    expect(code, 2)
    assert 'the cut goes through one of its instances' in err, err
    expect(read('run/truncated-3/mine.txt'), 'mine')
    os.mkdir('run/truncated-4')
    write('run/truncated-4/mine.txt', 'mine')
    for _ in range(2):
        truncate('run', '--keep', '4')
        expect(sorted(os.listdir('run/truncated-4')), ['model.safetensors', 'pipeline.yaml'])
    os.mkdir('out')
    truncate('run', '--keep', '4', '--output', 'out/')
    expect(sorted(os.listdir('out')), ['model.safetensors', 'pipeline.yaml'])
    code, _, err = adit('exits', 'truncate', 'run', '--keep', '2', '--output', 'out', '-q', *ON)
    assert code == 2 and "'--output' must be a new or empty folder, got 'out' with files in it" in err, err
    expect([name for folder in ('.', 'run') for name in os.listdir(folder) if name.startswith('.tmp-')], [])


def repeated():
    """Repeats of no blocks before the cut, and tied ones of repeats: an instance is all its items."""
    none = f'{{repeat: {{times: 0, tied: true, blocks: [{UNIT}]}}}}'
    train('none', '', trunk=f'{none}, {UNIT}, {UNIT}, {UNIT}')
    pipeline = truncate('none', '--keep', '2')['saved'] + '/pipeline.yaml'
    close(evaluate(pipeline)['loss'], truncate('none')['networks'][1]['loss'], 1e-4)
    inner = f'{{repeat: {{times: 3, blocks: [{UNIT}]}}}}'
    train('tied', '', trunk=f'{{repeat: {{times: 3, tied: true, blocks: [{UNIT}, {inner}]}}}}')
    pipeline = truncate('tied', '--keep', '8')['saved'] + '/pipeline.yaml'
    close(evaluate(pipeline)['loss'], truncate('tied')['networks'][7]['loss'], 1e-4)
    code, _, err = adit('exits', 'truncate', 'tied', '--keep', '6', '-q', *ON)
    assert code == 2 and 'the cut goes through one of its instances' in err, err


# ---- from another run ----

def taken():
    """`from` takes exits with their weights; what is written here takes their place and starts fresh."""
    train('run', f'{{name: early, at: trunk.2, head: {OWN}}}, {{at: trunk.4..6/2, head: shared}}')
    data = read('exits.yaml').splitlines()[1]
    write('look.yaml', f'adit: 1\n{data}\nmodel: {{from: run/checkpoints/last}}\ninference: {{policy: entropy}}\n')
    mine, theirs = evaluate('look.yaml')['exits'], evaluate('run', '-o', 'inference.policy=entropy')['exits']
    expect(mine, theirs)
    expect([answer['name'] for answer in mine['answers']], ['early', '2', '3', 'last'])
    on = f'adit: 1\n{data}\nmodel: {{from: run/checkpoints/last}}\ntrain: {{loss: cross-entropy, optimizer: {{sgd: {{lr: 0}}}}, batch: 32, epochs: 1}}\n'
    write('on.yaml', on)
    succeed('run', 'on.yaml', '--run-dir', 'on', '-q', *ON)
    expect(weights('on'), weights('run'))
    # the resolved pipeline says all of it
    succeed('run', 'on/config.resolved.yaml', '--run-dir', 'again', '-q', *ON)
    expect(weights('again'), weights('run'))
    write('none.yaml', on + 'exits: []\n')
    succeed('run', 'none.yaml', '--run-dir', 'none', '-q', *ON)
    expect([name for name in weights('none') if name.startswith('exits')], [])
    write('new.yaml', on + f'exits: [{{name: early, at: trunk.2, head: {OWN}}}]\n')
    succeed('run', 'new.yaml', '--run-dir', 'new', '-q', *ON)
    assert weights('new')['exits.1.1.weight'] != weights('run')['exits.1.1.weight']


# ---- what is wrong ----

WRONG = [
    ('{at: trunk.25, head: shared}', "exits.yaml:7:14: error: nothing is at 'trunk.25'; 'trunk' has 8 items"),
    ('{at: stem:pre, head: shared}',
     "exits.yaml:7:14: error: 'stem' has no ':pre'; it is a 'stem' (in, linear, out, collect)"),
    ('{at: trunk.2}', "exits.yaml:7:9: error: an exit needs 'head': a sequence, or shared, which is the model's own"),
    ('{head: shared}', "exits.yaml:7:9: error: an exit needs 'at', which says where it is"),
    ('trunk.2', "exits.yaml:7:9: error: an exit must be a mapping with 'at' and 'head'"),
    ('{at: trunk.2, head: shared, of: 3}', "exits.yaml:7:37: error: unknown key 'of' of 'exits'; there are at, head, name"),
    ('{at: head, head: shared}',
     "exits.yaml:7:14: error: the exit at 'head' gives 2, but the shared head takes 16"),
    ('{at: trunk.2, head: [{dense: {units: 3}}]}',
     "exits.yaml:7:14: error: the exit at 'trunk.2' gives 3, but the last answer is 2"),
    ('{name: a, at: trunk.2, head: shared}, {name: a, at: trunk.3, head: shared}',
     "exits.yaml:7:54: error: two exits have this name"),
    ('{name: dense, at: trunk.2, head: shared}',
     "exits.yaml:7:16: error: 'dense' is a block; an exit's name must be another word"),
    ('{at: {cost: {shares: 10%}}, head: shared}', "exits.yaml:7:21: error: 'cost' needs 'shares' and 'among'"),
    ('{at: {costs: 1}, head: shared}',
     "exits.yaml:7:14: error: exits are placed by {cost: {shares: [15%, 30%], among: trunk.*}}"),
    ('{at: {cost: {shares: [], among: trunk.*}}, head: shared}',
     "exits.yaml:7:30: error: 'shares' must have one share at least"),
    ('{at: {cost: {shares: 150%, among: trunk.*}}, head: shared}',
     "exits.yaml:7:30: error: 'shares' must be in 0..100%, got \"150%\""),
    ('{at: {cost: {shares: 50%, among: trunk.9}}, head: shared}',
     "exits.yaml:7:14: error: nothing is at 'trunk.9'; 'trunk' has 8 items"),
    ('{at: {cost: {shares: [25%, 26%], among: trunk.*}}, head: shared}',
     "exits.yaml:7:14: error: 25% and 26% of the cost are nearest to the same place, 'trunk.2'"),
]


def wrong():
    for exits, message in WRONG:
        code, out, err = adit('check', make(exits))
        expect((code, err.splitlines()[0]), (2, message))
    make('{at: trunk.2, head: shared}')
    for key, message in (
            ('train.strategy={joint: {weights: [1, 0.3]}}',
             "2 weights for 1 exit; the last answer has 'final-weight'"),
            ('inference.policy={entropy: {threshold: [1, 2]}}',
             '2 thresholds for 1 exit; one number stands for all'),
            ('inference.policy={ensemble: {weights: [1, 2, 3]}}',
             '3 weights for 1 exit and the last answer; one number stands for all'),
            ('inference.policy={share: {shares: [0.5, 0.5]}}',
             '2 shares for 1 exit; one number stands for all'),
            ('inference.policy={always: {exit: 2}}', "'exit' is 2, but there is 1 exit"),
            ('inference.policy={share: {shares: 0.5}}', 'calibration needs a validation split that training never '
             "sees; set 'validation' of 'moons'"),
            ('inference.policy={budget: {of: patience}}',
             "'of' must say how sure an answer is by itself; 'patience' does not")):
        code, out, err = adit('check', 'exits.yaml', '-o', key)
        expect((code, err.splitlines()[0].split('error: ')[1]), (2, message))


def no_classes():
    make('{at: trunk.2, head: shared}', name='values.yaml', **{
        'moons: {samples: 200, noise: 0.1, test: 30%}': 'csv: {path: t.csv, target: y, test: 30%}',
        'cross-entropy': 'mse', 'units: 2}': 'units: 1}'})
    write('t.csv', 'x,y\n' + ''.join(f'{i},{i % 7}\n' for i in range(60)))
    succeed('run', 'values.yaml', '--run-dir', 'run', '-q', '-o', 'train.epochs=1')
    assert evaluate('run')['exits']['answers'][0]['loss'] > 0
    code, _, err = adit('eval', 'run', '-q', '-o', 'inference.policy=entropy')
    expect(code, 2)
    assert "a policy needs the probabilities of classes; the loss 'mse' gives none" in err, err


def b_lenet():
    """Both stages of the published network, and a threshold that lets all leave."""
    make_images('mnist', label=lambda row: row % 10)
    small = ['-o', f'data={{idx: {{folder: {os.path.abspath("mnist")}, validation: 5}}}}']
    for stage in ('1', '2'):
        small += ['-o', f'train.{stage}.epochs=1', '-o', f'train.{stage}.batch=8']
    succeed('run', f'{PIPELINES}/exits/b-lenet.yaml', '--run-dir', 'run', '-q', *ON, *small)
    found = evaluate('run', '-o', 'inference.policy.entropy.threshold=10')['exits']
    expect([answer['name'] for answer in found['answers']], ['branch', 'last'])
    expect(stored('run')['rows'], 5)
    expect(found['answers'][1]['left']['rows'], 0)
    rows = predict('run', '-o', 'inference.policy.entropy.threshold=10')
    middle = sorted(float(row['confidence']) for row in rows)[len(rows) // 2]
    policy = ('-o', f'inference.policy.entropy.threshold={middle}')
    some = predict('run', *policy)
    expect({row['exit'] for row in some}, {'branch', 'last'})
    for batch in (1, 7):
        expect(predict('run', *policy, '--batch', batch), some)


if DEVICE is None:
    cases = [('heads/shared', lambda: within_loops('shared')),
             ('heads/own', lambda: within_loops(OWN)), ('leave/policies', policies),
             ('leave/batches', batches), ('train/ignored', ignored), ('train/weighed', weighed),
             ('train/ramp', ramp), ('train/plain-kernels', plain_kernels), ('leave/cost', cost),
             ('leave/leaving', leaving), ('leave/fallback', fallback), ('leave/sweep', sweep),
             ('calibrate/stored', calibrated), ('calibrate/curve', curve),
             ('calibrate/goals', goals), ('calibrate/refused', uncalibrated),
             ('calibrate/infeasible', infeasible), ('calibrate/reference', reference),
             ('overthinking', overthinking), ('policies/loops', loops),
             ('policies/clocked', clocked), ('policies/ensemble', ensembles),
             ('policies/patience', patience), ('policies/fixed', fixed),
             ('policies/shares', shares), ('from', taken), ('place/cost', placed),
             ('place/among', among_some), ('place/nested', nested), ('place/rules', chosen),
             ('place/names', chosen_names), ('truncate/saved', truncated),
             ('truncate/folded', folded), ('truncate/refused', untruncated),
             ('truncate/kept', kept), ('truncate/repeats', repeated), ('wrong', wrong),
             ('no-classes', no_classes), ('b-lenet', b_lenet)]
else:
    cases = [('devices', devices), ('leaving', leaving)]
tap.run([(f'/exits/{name}', in_folder(case)) for name, case in cases])
