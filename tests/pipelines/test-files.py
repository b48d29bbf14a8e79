#!/usr/bin/env python3
# tests/pipelines/test-files.py - SPDX-License-Identifier: MIT
"""Every file under pipelines/: it checks, its resolved form is a fixed point, and it trains."""

import json
import math
import os
import re
import shlex
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PIPELINES, adit, differing, expect, in_folder, metrics, read,  # noqa: E402
                     record, succeed, tensors, write, write_cifar, write_cifar_100, write_tree)

DATA = os.environ.get('ADIT_DATA')
WITHOUT_DATA = 'tutorial/01-moons.yaml'
ARCHITECTURES = ['glonet', 'resnetv2', 'resnetv2-no-bn', 'vanilla', 'vanilla-no-bn']


def list_files():
    return sorted(os.path.relpath(os.path.join(folder, name), PIPELINES)
                  for folder, _, names in os.walk(PIPELINES)
                  for name in names if name.endswith('.yaml'))


# sets that are made where they are not there
MADE = {'cifar-100': write_cifar_100, 'cifar-10': write_cifar,
        'imagenette2': lambda folder: write_tree(folder, test='val')}


def data_of(file):
    text = read(os.path.join(PIPELINES, file))
    for pipeline in re.findall(r'pipeline: (\S+\.yaml)', text):
        text += read(os.path.join(PIPELINES, os.path.dirname(file), pipeline))
    missing = [name for name in MADE if f'$data/{name}' in text
               and not (DATA and os.path.exists(f'{DATA}/{name}'))]
    for name in missing:
        MADE[name](f'data/{name}')
    if missing:
        return ['--data', 'data']
    if DATA is None and 'data: {moons:' not in text:
        raise tap.Skip('ADIT_DATA is not set')
    return ['--data', DATA] if DATA is not None else []


def make_run(path, data):
    """A file that asks a finished run says so; the run is one of the pipeline beside it."""
    code, _, err = adit('check', path, *data)
    expect(code, 2)
    assert "'run' has no default; give it: adit run FILE run=..." in err, err
    train('glonet/mnist.yaml', 'depth=6', steps=2, epochs=1)
    return 'run'


def check_file(file):
    path = os.path.join(PIPELINES, file)
    data = data_of(file)

    def parts_alone():
        code, out, err = adit('check', path)
        expect((code, out), (2, ''))
        expect(err.splitlines()[0],
               f"{path}:1:1: error: this file holds parts alone; a pipeline needs 'model'")

    if file.startswith('parts/'):
        return parts_alone()
    if 'run: ~' in read(path):
        data.append('run=' + make_run(path, data))
    said = succeed('check', path, *data)
    assert said.startswith(f'{path}: ok: '), said
    if '\nstudy:' in read(path):
        return None
    resolved = succeed('config', path, '--resolved', *data)
    write('resolved.yaml', resolved)
    expect(succeed('config', 'resolved.yaml', '--resolved'), resolved)
    expect(succeed('check', 'resolved.yaml'), said.replace(path, 'resolved.yaml'))
    return None


def comment_lines(file):
    """The command lines of a pipeline's comments are right."""
    path = os.path.join(PIPELINES, file)
    folder = os.path.dirname(path)
    for line in re.findall(r'^#   adit (?:run|sweep) (\S+\.yaml.*?)(?:  +#.*)?$', read(path), re.MULTILINE):
        if 'mine.csv' in line:
            write('mine.csv', 'rooms,price\n' + ''.join(f'{i},{3 * i}\n' for i in range(50)))
        if 'FOLDER' in line:
            write_tree('tree', test='val' if 'test-folder: val' in read(path) else 'test')
        name, *arguments = shlex.split(line.replace('--data DATA', '').replace('FOLDER', 'tree').replace(
            'mine.csv', os.path.abspath('mine.csv')).split('  ')[0])
        succeed('check', os.path.join(folder, name), *arguments, *data_of(file))


def assert_finite(run, epochs):
    rows = metrics(run)
    expect([row['epoch'] for row in rows], [str(epoch + 1) for epoch in range(epochs)])
    for row in rows:
        assert all(math.isfinite(float(value)) for value in row.values()), row
    expect((record(run)['status'], record(run)['exit-code']), ('COMPLETED', 0))


def train(file, *arguments, steps=5, epochs=2):
    """The summary of a short run, whose figures are finite."""
    out = succeed('run', os.path.join(PIPELINES, file), *data_of(file), '-o',
                  f'train.epochs={epochs}', '--limit-batches', steps, '--run-dir', 'run', '--json',
                  *arguments)
    assert_finite('run', epochs)
    return json.loads(out)


def tutorial(file):
    summary = train(file)
    expect(summary['epochs'], 2)
    assert math.isfinite(summary['best']) and math.isfinite(summary['last-loss']), summary


def moons_accuracy():
    succeed('run', os.path.join(PIPELINES, WITHOUT_DATA), '--run-dir', 'run', '-q')
    assert_finite('run', 50)
    last = float(metrics('run')[-1]['test.accuracy'])
    assert last >= 0.97, f'test accuracy {last}, expected at least 0.97'
    heads = {line.split(',')[2] for line in read('run/probes/block-norm.csv').splitlines()[1:]}
    expect(heads, {'end'})
    expect(record('run')['data'][0]['commonest-class'], {'train': 0.5, 'test': 0.5})


def resolved_runs_alone():
    path = os.path.join(PIPELINES, WITHOUT_DATA)
    succeed('run', path, '--run-dir', 'written', '-o', 'train.epochs=3', 'depth=5', 'width=6')
    succeed('run', 'written/config.resolved.yaml', '--run-dir', 'resolved')
    expect(differing('written', 'resolved'), [])
    expect(read('written/config.yaml'), read(path))
    expect(read('written/overrides.txt'), '-o train.epochs=3\ndepth=5\nwidth=6\n')


def architecture(file, name):
    train(file, f'arch={name}', 'depth=10', epochs=1)
    shapes = {entry[0] for entry in tensors('run/checkpoints/last/model.safetensors').values()}
    expect(shapes, {'F32'})


def dead():
    """Without skips, normalisation or a sum a hundred layers learn nothing but the mean."""
    path = os.path.join(PIPELINES, 'glonet/sgemm.yaml')
    out = succeed('run', path, *data_of('glonet/sgemm.yaml'), 'arch=vanilla-no-bn', 'depth=100',
                  '-o', 'train.epochs=2', '--run-dir', 'run')
    number = r'([0-9.]+)'
    found = re.fullmatch(f'best test mse {number} \\(epoch [12]\\), last {number}\n'
                         f'variance of the test target {number}: dead, the network does no better'
                         '\n2 epochs in [0-9:]+\nrun\n', out)
    assert found, out
    best, last, variance = map(float, found.groups())
    for value in best, last:
        assert 0.99 <= value / variance <= 1.05, f'{value} where the variance is {variance}'


def quick_look():
    """It says nothing of what the network would come to, and evaluates as few rows as it trains on."""
    path = os.path.join(PIPELINES, WITHOUT_DATA)
    words = ['-o', 'train.epochs=1', '-o', 'train.optimizer.adam.lr=0']
    whole = succeed('run', path, *words, '--run-dir', 'whole', '-o', 'train.batch=25')
    assert ': dead, ' in whole, whole
    for name in 'quick', 'again':
        out = succeed('run', path, *words, '--run-dir', name, '--limit-batches', 1, '-o',
                      'train.batch=25')
        assert 'share of the commonest class 0.5\n' in out, out
    share = 25 * float(metrics('quick')[0]['test.accuracy'])  # of 25 rows a whole number is right
    assert abs(share - round(share)) < 1e-9 and metrics('quick') != metrics('whole'), share
    expect(differing('quick', 'again'), [])


def rows_evaluated():
    """A share that nobody asked for is told, where it is listed and where it is used."""
    path = os.path.join(PIPELINES, WITHOUT_DATA)
    succeed('run', path, '-o', 'train.epochs=1', '--run-dir', 'run')
    expect(adit('eval', 'run')[2], "evaluating the test split of 'moons': 250 of its 1,000 rows\n")
    expect(adit('eval', 'run', '-q')[2], '')
    for name, share in (('moons', '25%'), ('csv', '20%'), ('idx', '20%')):
        line = next(line for line in succeed('inspect', name).splitlines()
                    if line.startswith('test '))
        assert f' {share} ' in line and 'the default share' in line, line


cases = [(f'/pipelines/files/check/{file[:-5]}', in_folder(lambda file=file: check_file(file)))
         for file in list_files()]
cases += [(f'/pipelines/files/comments/{file[:-5]}',
           in_folder(lambda file=file: comment_lines(file)))
          for file in list_files() if not file.startswith('parts/')]
cases += [(f'/pipelines/files/train/{file[:-5]}', in_folder(lambda file=file: tutorial(file)))
          for file in list_files() if file.startswith('tutorial/')]
cases += [(f'/pipelines/files/{file[:-5]}/{name}',
           in_folder(lambda file=file, name=name: architecture(file, name)))
          for file in ('glonet/sgemm.yaml', 'glonet/mnist.yaml') for name in ARCHITECTURES]
cases += [
    ('/pipelines/files/moons-accuracy', in_folder(moons_accuracy)),
    ('/pipelines/files/resolved-runs-alone', in_folder(resolved_runs_alone)),
    ('/pipelines/files/dead', in_folder(dead)),
    ('/pipelines/files/quick-look', in_folder(quick_look)),
    ('/pipelines/files/rows-evaluated', in_folder(rows_evaluated)),
]
tap.run(cases)
