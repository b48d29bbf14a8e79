#!/usr/bin/env python3
# tests/pipelines/test-bench.py - SPDX-License-Identifier: MIT
"""`adit bench`: what it counts is exact, what it times is there; how fast it is, no test says."""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import adit, expect, in_folder, make_table, succeed, write  # noqa: E402

PIPELINE = '''adit: 1
params: {depth: 3, aggregator: chain}
data: {csv: {path: table.csv, target: y, test: 20%}}
model:
  stem: [{dense: {units: 8}}]
  trunk: {aggregator: $aggregator, blocks: [{repeat: {times: $depth, blocks: [{dense: {units: 8, activation: tanh}}]}}]}
  head: [{dense: {units: 1}}]
train: {loss: mse, optimizer: {adam: {lr: 0.001}}, batch: 32, epochs: 2}
'''
BATCH = 32
# whether the build compiles shaders at run time
JOINS = os.environ.get('ADIT_JOINS_KERNELS') == '1'
SHORT = ('--time', '2 ms')


def bench(*arguments, env=None):
    return json.loads(succeed('bench', 'small.yaml', *SHORT, '--json', *arguments, env=env))


def prepare():
    make_table('table.csv')
    write('small.yaml', PIPELINE)


def count_flop(depth, stem=2):
    """Of the products: three for each multiply-add, of the stem, whose input is the data, two."""
    return 2 * BATCH * (stem * 3 * 8 + 3 * depth * 8 * 8 + 3 * 8)


def counts():
    prepare()
    result = bench()
    parameters = 3 * 8 + 8 + 3 * (8 * 8 + 8) + 8 + 1
    expect(result['rows'], BATCH)
    expect(result['parameters'], parameters)
    expect(result['step']['flop'], count_flop(3))
    # values and Adam's two numbers are read and written; three features and a target are read
    expect(result['step']['compulsory-bytes'], 24 * parameters + 4 * 4 * BATCH)
    plain = bench('-o', 'train.optimizer={sgd: {lr: 0.001}}')
    expect(plain['step']['compulsory-bytes'], 8 * parameters + 4 * 4 * BATCH)
    expect(plain['step']['flop'], count_flop(3))


def counts_of_loops():
    """A loop's iterations count like blocks written out; what is added up costs no product."""
    prepare()
    for aggregator, depth in (('chain', 1), ('chain', 7), ('glonet', 7), ('residual', 7)):
        result = bench(f'depth={depth}', f'aggregator={aggregator}')
        expect(result['step']['flop'], count_flop(depth))


def counts_of_stages():
    prepare()
    # what is not trained has no gradient of its weights
    expect(bench('-o', 'train.freeze=[stem]')['step']['flop'], count_flop(3, stem=1))
    expect(bench('-o', 'train.micro-batch=10')['step']['flop'], count_flop(3))
    # the first stage alone, and only as much of the data as there is
    result = bench('-o', 'train=[{loss: mse, optimizer: adam, batch: 50%, epochs: 1}, '
                   '{loss: mae, optimizer: adam, batch: 4, epochs: 1}]')
    expect(result['rows'], 81)


def fields():
    prepare()
    before = sorted(os.listdir('.'))
    result = bench('--threads', '1')
    expect(sorted(os.listdir('.')), before)
    expect(sorted(result), ['device', 'file', 'machine', 'memory', 'parameters', 'rows', 'start',
                            'step'])
    expect(sorted(result['step']), ['best', 'calls', 'compulsory-bytes', 'flop', 'flop-rate',
                                    'median', 'planned-bytes', 'rounds', 'share-of-cores',
                                    'share-of-peak', 'steps'])
    expect(sorted(result['start']), ['check', 'compile', 'compile-again', 'data', 'first-step',
                                     'first-step-again'])
    step, memory, machine = result['step'], result['memory'], result['machine']
    assert all(value > 0 for name, value in step.items() if name != 'rounds'), step
    assert all(value > 0 for value in result['start'].values()), result['start']
    expect(len(step['rounds']), 5)
    expect(sorted(step['rounds']), step['rounds'])
    expect((step['best'], step['median']), (step['rounds'][0], step['rounds'][2]))
    assert step['planned-bytes'] > step['compulsory-bytes'], step
    assert memory['peak-bytes'] > memory['device-bytes'] + memory['data-bytes'] > 0, memory
    assert machine['instruction-set'] in machine['fma-by-instruction-set'], machine
    expect(machine['fma'], machine['fma-by-instruction-set'][machine['instruction-set']])
    assert all(0 < pair['one'] == pair['all'] for pair in machine['fma-by-instruction-set'].values())
    assert machine['copy']['one'] == machine['copy']['all'] > 0, machine
    expect(step['share-of-peak'], step['flop-rate'] / machine['fma']['one'])


def threads():
    prepare()
    one, two = bench('--threads', '1'), bench('--threads', '2')
    expect('one-thread' in one, False)
    expect(sorted(two['one-thread']), ['best', 'fma-speed-up', 'median', 'speed-up'])
    expect(two['one-thread']['speed-up'], two['one-thread']['best'] / two['step']['best'])
    expect(two['machine']['fma']['all'] / two['machine']['fma']['one'],
           two['one-thread']['fma-speed-up'])
    # the work is the same, whoever does it
    expect(two['step']['calls'], one['step']['calls'])
    expect(two['step']['share-of-peak'],
           two['step']['flop-rate'] / two['machine']['fma']['all'])


def instruction_set():
    prepare()
    result = bench('--threads', '1', env={'ADIT_ISA': 'portable'})
    expect(result['machine']['instruction-set'], 'portable')
    expect(result['step']['share-of-peak'],
           result['step']['flop-rate'] / result['machine']['fma-by-instruction-set']['portable']['one'])


def text():
    """Every number has its unit."""
    prepare()
    out = succeed('bench', 'small.yaml', *SHORT, '--threads', '2')
    lines = {line[:10].strip(): line[10:] for line in out.splitlines() if line[0] != ' '}
    expect(list(lines), ['device', 'network', 'step', 'threads', 'products', 'bytes', 'calls',
                         'start', 'memory', 'FMA peak', 'copy'])
    for name, words in {'network': ['257 parameters', 'batch 32'], 'step': ['ms best', 'ms median'],
                        'threads': ['x of one thread', 'ms)'],
                        'products': ['MFLOP a step', 'GFLOP/s', '% of the peak of'],
                        'bytes': ['MB a step'], 'calls': ['kernel calls a step'],
                        'start': ['check', 'compile', 'first step', 'ms'], 'memory': ['MiB'],
                        'FMA peak': ['GFLOP/s with one thread', 'GFLOP/s with 2'],
                        'copy': ['GB/s with one thread', 'MiB']}.items():
        for word in words:
            assert word in lines[name], f'{name}: no "{word}" in "{lines[name]}"'


def vulkan():
    prepare()
    listed = json.loads(succeed('devices', '--json'))['devices'][1:]
    name = next((device['name'] for device in listed if device['software'] and device['usable']),
                None)
    if name is None:
        raise tap.Skip('no software Vulkan device')
    joined = {'ADIT_FUSE': '1'}
    result = bench('--device', name, env=joined)
    expect(result['device']['name'], name)
    expect(result['step']['flop'], count_flop(3))
    assert result['step']['calls'] > 0 and result['memory']['device-bytes'] > 0, result
    expect('share-of-peak' in result['step'], False)
    expect('one-thread' in result, False)
    # where nothing is joined every layer costs dispatches; a walk costs two at any depth
    shallow, deep = (bench('--device', name, f'depth={depth}', env={'ADIT_FUSE': '0'})['step']['calls']
                     for depth in (3, 9))
    assert deep > shallow > 2, (deep, shallow)
    calls = (result['step']['calls'], bench('--device', name, 'depth=9', env=joined)['step']['calls'])
    expect(calls, (2, 2) if JOINS else (shallow, deep))


def refused(code, message, *arguments, env=None):
    expect(adit('bench', *arguments, env=env), (code, '', message + '\n'))


def refusals():
    prepare()
    refused(2, "adit bench: error: too few arguments; usage: adit bench FILE [name=value ...] "
            '[-o path=value ...] [options]')
    refused(3, "adit bench: error: no file 'none.yaml'", 'none.yaml')
    refused(2, "adit bench: error: '--time' must be a time like 30 s, 5 min or 2 h, got \"soon\"",
            'small.yaml', '--time', 'soon')
    write('still.yaml', PIPELINE.split('train:')[0])
    refused(2, "adit bench: error: still.yaml has no section 'train': there is no step to time",
            'still.yaml')
    make_table('table.csv', change=lambda rows: [row.__setitem__(3, '1e30') for row in rows])
    refused(9, 'adit bench: error: the loss is not finite at step 1: what follows it cannot be timed',
            'small.yaml', *SHORT)


tap.run([(f'/bench/{case.__name__.replace("_", "-")}', in_folder(case))
         for case in (counts, counts_of_loops, counts_of_stages, fields, threads, instruction_set,
                      text, vulkan, refusals)])
