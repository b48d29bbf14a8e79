#!/usr/bin/env python3
# tests/pipelines/test-refusals.py - SPDX-License-Identifier: MIT
"""Bad data, bad pipelines and bad places: each is told whole, by place, got and expected, with the
exit code of its kind, and leaves nothing half-written."""

import gzip
import math
import os
import re
import resource
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (COMMAND, PATIENCE, PIPELINES, adit, checkpoints, differing,  # noqa: E402
                     environment, expect, in_folder, make_images, make_table, metrics, read, record,
                     succeed, tensors, write, write_idx)

TABLE = '''adit: 1
params: {file: table.csv, batch: 16, lr: 0.01}
data: {csv: {path: $file, target: y, test: 20%}}
model:
  stem: [{dense: {units: 4, activation: relu}}]
  trunk: [{repeat: {times: 2, blocks: [{dense: {units: 4, activation: relu}}]}}]
  head: [{dense: {units: 1}}]
train: {loss: mse, optimizer: {sgd: {lr: $lr}}, batch: $batch, epochs: 3}
'''
IMAGES = '''adit: 1
data: {idx: {folder: images, test: 20%}}
model:
  stem: flatten
  trunk: [{dense: {units: 4, activation: relu}}]
  head: {dense: {units: 3}}
train: {loss: cross-entropy, optimizer: adam, batch: 8, epochs: 1}
'''
BROKEN = os.environ['ADIT_BROKEN_PLUGINS']


def refused(code, lines, verb, *arguments, env=None):
    """The whole of what is said: `lines` with $HERE for this folder, and nothing was started."""
    before = sorted(os.listdir('.'))
    arguments = [verb, *arguments, *(['--run-dir', 'run'] if verb == 'run' else [])]
    got, out, err = adit(*arguments, env=env)
    expect(err.replace(os.path.realpath('.'), '$HERE'), ''.join(line + '\n' for line in lines))
    expect((got, out), (code, ''))
    expect(sorted(os.listdir('.')), before)


def point(place, message, excerpt, column, width, *, level='error', notes=()):
    """A message with its excerpt; the caret repeats what stands after the semicolon."""
    line = int(place.split(':')[1]) if not place.startswith('command-line') else 1
    hint = message.split('; ')[-1] if '; ' in message else ''
    caret = ' ' * (column - 1) + '^' + '~' * (width - 1)
    return [f'{place}: {level}: {message}', f'{line:5} | {excerpt}',
            f'      | {caret} {hint}'.rstrip(), *notes]


ONE_ERROR = '1 error. Nothing was started.'


def table_case(code, message, change=None, head='a,b,c,y'):
    """A table whose fault is only seen when it is read: `check` looks at the header alone."""
    def case():
        write('table.yaml', TABLE)
        make_table('table.csv', 30, change, head)
        told = [*point('table.yaml:2:16', message, TABLE.splitlines()[1], 16, 9), ONE_ERROR]
        refused(code, told, 'run', 'table.yaml')
        refused(code, told, 'run', 'table.yaml', '--dry-run')
        if code == 2:
            refused(code, told, 'check', 'table.yaml')
    return case


def put(row, column, text):
    return lambda rows: rows[row].__setitem__(column, text)


def empty_table():
    write('table.yaml', TABLE)
    write('table.csv', '')
    refused(4, [*point('table.yaml:2:16', '$HERE/table.csv: empty, expected a header line',
                       TABLE.splitlines()[1], 16, 9), ONE_ERROR], 'run', 'table.yaml')


def torn_table():
    write('table.yaml', TABLE)
    make_table('table.csv')
    with open('table.csv.gz', 'wb') as stream:
        stream.write(gzip.compress(read('table.csv', 'rb'), mtime=0)[:300])
    os.unlink('table.csv')
    refused(4, [*point('table.yaml:2:16',
                       '$HERE/table.csv.gz: truncated: the gzip data end after 300 bytes',
                       TABLE.splitlines()[1], 16, 9), ONE_ERROR], 'run', 'table.yaml')


def missing_table():
    write('table.yaml', TABLE)
    told = point('command-line:3:7', "no file 'none.csv'", 'file: none.csv', 7, 8,
                 notes=['table.yaml:2:16: note: its default stands here',
                        "table.yaml:3:20: note: passed on as '$file' here"])
    for verb in 'check', 'run':
        refused(3, [*told, ONE_ERROR], verb, 'table.yaml', 'file=none.csv')


def images_case(code, place, message, column, width, make=make_images, change=('', ''),
                checked=True):
    def case():
        text = IMAGES.replace(*change) if change[0] else IMAGES
        write('images.yaml', text)
        make('images')
        line = int(place.split(':')[1])
        told = [*point(place, message, text.splitlines()[line - 1], column, width), ONE_ERROR]
        refused(code, told, 'run', 'images.yaml')
        if checked:
            refused(code, told, 'check', 'images.yaml')
    return case


def other_labels(folder):
    make_images(folder)
    write_idx(f'{folder}/train-labels-idx1-ubyte', [29], [row % 3 for row in range(29)])


def model_case(code, blocks, message, word, env=None, hint=True):
    """A trunk given on the command line, the caret under `word`."""
    def case():
        write('table.yaml', TABLE)
        make_table('table.csv')
        argument = f'model.trunk={blocks}'
        excerpt = argument.replace('=', ': ', 1)
        column = excerpt.index(word) + 1
        told = point(f'command-line:4:{column}', message, excerpt, column, len(word))
        for verb in 'check', 'run':
            refused(code, [*told, ONE_ERROR], verb, 'table.yaml', '-o', argument, env=env)
    return case


def broken_plugin(name, reason):
    return model_case(12, f'[{name}]', f'plugin block-{name}.so is broken ({reason}); adit inspect '
                      '--broken', name, env={'ADIT_PLUGIN_PATH': BROKEN})


def old_plugin():
    """Its number is two above the program's."""
    code, out, _ = adit('inspect', '--broken', env={'ADIT_PLUGIN_PATH': BROKEN})
    expect(code, 0)
    abi = int(re.search(r'block-old-abi\.so: ABI (\d+), this program has \d+\n', out).group(1))
    broken_plugin('old-abi', f'ABI {abi}, this program has {abi - 2}')()


def crashing_plugin():
    """Nothing can be told after its class_init ended the program but which it was."""
    write('table.yaml', TABLE)
    make_table('table.csv')
    refused(12, ['error: plugin block-aborts.so crashed in its class_init'], 'run', 'table.yaml',
            '-o', 'model.trunk=[aborts]', env={'ADIT_PLUGIN_PATH': f'{BROKEN}/crash'})


def good_plugin_among_broken():
    write('table.yaml', TABLE)
    make_table('table.csv')
    succeed('run', 'table.yaml', '--run-dir', 'run', '-o',
            'model.trunk=[{acme:swish: {beta: 2}}, acme:swish]', env={'ADIT_PLUGIN_PATH': BROKEN})
    succeed('eval', 'run', env={'ADIT_PLUGIN_PATH': BROKEN})
    code, out, err = adit('eval', 'run')
    expect((code, out), (2, ''))
    assert "error: unknown block 'acme:swish'; no block-acme-swish.so among installed plugins" \
        in err, err


def address(argument, value, message):
    return lambda: address_refused(argument, value, message)


def address_refused(argument, value, message):
    write('table.yaml', TABLE)
    make_table('table.csv')
    excerpt = f'{argument}: {value}'
    word = 'trunk.25' if 'trunk.25' in value else 'trunk.1:linea' if 'linea' in value else 'stem.9'
    column = excerpt.index(word) + 1
    told = point(f'command-line:4:{column}', message, excerpt, column, len(word))
    for verb in 'check', 'run':
        refused(2, [*told, ONE_ERROR], verb, 'table.yaml', '-o', f'{argument}={value}')


def jumpstart_refused(parameters, message, word, without_activations=False):
    """Of jumpstart's parameters; or of a network without pre-activations."""
    def case():
        table = TABLE.replace(', activation: relu', '') if without_activations else TABLE
        write('table.yaml', table)
        make_table('table.csv')
        excerpt = f'train.regularizers: [{parameters}]'
        column = excerpt.index(word) + 1
        told = point(f'command-line:4:{column}', message, excerpt, column, len(word))
        for verb in 'check', 'run':
            refused(2, [*told, ONE_ERROR], verb, 'table.yaml', '-o',
                    f'train.regularizers=[{parameters}]')
    return case


def best(value, suggested='test.loss or test.mse'):
    """Known before anything is started, from what the data will be split into."""
    def case():
        write('table.yaml', TABLE)
        make_table('table.csv')
        excerpt = f'train.best: {value}'
        told = point('command-line:4:13', f"'best' must be one of the run's figures, such as "
                     f'{suggested}, got "{value}"', excerpt, 13, len(value))
        for verb in 'check', 'run':
            refused(2, [*told, ONE_ERROR], verb, 'table.yaml', '-o', f'train.best={value}')
        succeed('check', 'table.yaml', '-o', 'train.best=train.mse')
        succeed('check', 'table.yaml', '-o', 'train.best=validation.loss', '-o',
                'data.csv.validation=10%')
    return case


def folder_missing():
    path = os.path.join(PIPELINES, 'tutorial', '03-mnist.yaml')
    line = read(path).splitlines()[6]
    for verb in 'check', 'run':
        for shown, words, env in (('$HERE/nowhere', ['--data', 'nowhere'], None),
                                  ('/nonexistent', [], {'ADIT_DATA': '/nonexistent'})):
            told = point(f'{path}:7:17', f"no folder '$data/mnist'; $data is {shown} (ADIT_DATA or "
                         '--data)', line, 17, 11)
            refused(3, [*told, ONE_ERROR], verb, path, *words, env=env)


def data_damaged():
    """Whatever is said of a file below $data, it is said what that is."""
    path = os.path.join(PIPELINES, 'tutorial', '03-mnist.yaml')
    os.makedirs('data/mnist')
    code, _, err = adit('run', path, '--data', 'data')
    expect(code, 3)
    assert f'; $data is {os.path.realpath("data")} (ADIT_DATA or --data)\n' in err, err


def data_unset():
    path = os.path.join(PIPELINES, 'tutorial', '03-mnist.yaml')
    line = read(path).splitlines()[6]
    told = point(f'{path}:7:17', "'$data' has no value; set ADIT_DATA or give --data", line, 17, 5)
    for verb in 'check', 'run', 'config':
        refused(3, [*told, ONE_ERROR], verb, path)


def large_batch():
    """A batch above the set is the set: one step an epoch."""
    write('table.yaml', TABLE)
    make_table('table.csv')
    succeed('run', 'table.yaml', 'batch=100000', '--run-dir', 'large')
    succeed('run', 'table.yaml', '-o', 'train.batch=100%', '--run-dir', 'whole')
    expect(differing('large', 'whole'), [])
    expect([row['step'] for row in metrics('large')], ['1', '2', '3'])


def glonet_warnings():
    write('table.yaml', TABLE)
    make_table('table.csv')
    blocks = ('{aggregator: glonet, blocks: [{sequence: {aggregator: residual, blocks: [{dense: '
              '{units: 4}}]}}, {dense: {units: 4, norm: batch-norm}}]}')
    code, out, err = adit('run', 'table.yaml', '--run-dir', 'run', '-o', f'model.trunk={blocks}')
    expect(code, 0)
    assert out.startswith('best test mse '), out
    warnings = [line for line in err.splitlines() if ': warning: ' in line]
    expect(warnings, [
        "command-line:6:55: warning: 'sequence' carries a skip of its own; in a GloNet the sum "
        'takes its place',
        "command-line:6:112: warning: 'dense' ends in a normalisation, so it cannot fade out of "
        "the GloNet's sum; put the normalisation before its last layer"])
    quiet = '{aggregator: glonet, blocks: [{dense: {units: 4, norm: batch-norm, activation: relu}}]}'
    code, _, err = adit('check', 'table.yaml', '-o', f'model.trunk={quiet}')
    expect((code, err), (0, ''))


def not_finite():
    """It stops before the update; the checkpoint before it is whole and finite."""
    write('table.yaml', TABLE)
    make_table('table.csv')
    code, out, err = adit('run', 'table.yaml', '--run-dir', 'run', '-o', 'train.optimizer.sgd.lr='
                          '{step: {from: 0.01, factor: 1e6, at: [2, 2, 2]}}')
    expect((code, out), (9, ''))
    steps = 11  # of an epoch: 163 rows, 16 at a time
    expect(err.splitlines()[-2:], [
        f'adit run: error: the loss is not finite at step {2 * steps + 2} (epoch 3): '
        "'trunk.2' is the first that is not; no weight was changed by this step", 'run run'])
    expect((record('run')['status'], record('run')['exit-code']), ('FAILED', 9))
    expect(len(metrics('run')), 2)
    expect(checkpoints('run'), [f'step-{steps * epoch:08d}' for epoch in (1, 2)])
    for kind, _, data in tensors('run/checkpoints/last/model.safetensors').values():
        expect(kind, 'F32')
        values = struct.unpack(f'<{len(data) // 4}f', data)
        assert all(map(math.isfinite, values)), values
    assert math.isfinite(float(succeed('eval', 'run').split()[-1]))
    again = adit('resume', 'run')
    expect((again[0], again[2].splitlines()[-2]), (9, err.splitlines()[-2].replace('run:', 'resume:')))


def not_finite_at_once():
    write('table.yaml', TABLE)
    make_table('table.csv')
    code, _, err = adit('run', 'table.yaml', 'lr=1e6', '--run-dir', 'run')
    expect((code, checkpoints('run')), (9, []))
    expect(err.splitlines()[1], 'adit run: error: the loss is not finite at step 4 (epoch 1): '
           "'loss' is the first that is not; no weight was changed by this step")


# Places that cannot be written.

WIDE = '''adit: 1
data: {csv: {path: table.csv, target: y, test: 20%}}
model: {trunk: [{repeat: {times: 3, blocks: [{dense: {units: 64}}]}}], head: {dense: {units: 1}}}
train:
  {loss: mse, optimizer: adam, batch: 32, epochs: 12, checkpoint: {keep-last: 100, keep-best: 100}}
'''


def in_namespace(script):
    """Runs a shell script where mounts are its own; what it mounts is gone with it."""
    flags = ['-m'] if os.geteuid() == 0 else ['-Urm']
    probe = subprocess.run(['unshare', *flags, 'mount', '-t', 'tmpfs', 'tmpfs', '.'], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) \
        if shutil.which('unshare') else None
    if probe is None or probe.returncode != 0:
        raise tap.Skip('nothing can be mounted here')
    done = subprocess.run(['unshare', *flags, 'sh', '-euc', script], text=True, check=False,
                          env=environment({'ADIT': COMMAND}), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE)
    return done.returncode, done.stderr


def assert_nothing_half_written(run):
    for folder, folders, files in os.walk(run):
        for name in folders + files:
            assert not name.startswith('.') and not name.endswith('~') and 'tmp' not in name, \
                f'{folder}/{name} is left behind'
    for name in checkpoints(run):
        assert os.path.exists(f'{run}/checkpoints/{name}/MANIFEST.json'), name


def full_disk():
    """The run ends when the disk is full, and goes on when there is room again."""
    write('wide.yaml', WIDE)
    make_table('table.csv')
    succeed('run', 'wide.yaml', '--run-dir', 'uncut')
    os.mkdir('disk')
    code, err = in_namespace('mount -t tmpfs -o size=1m tmpfs disk; code=0; '
                             '"$ADIT" run wide.yaml --run-dir disk/run || code=$?; '
                             'cp -a disk/run run; exit $code')
    expect(code, 5)
    told = err.splitlines()
    assert re.fullmatch(r'adit run: error: cannot (write|create) disk/run/checkpoints/[^:]*: '
                        'No space left on device', told[-2]), err
    expect(told[-1], 'run disk/run')
    expect((record('run')['status'], record('run')['exit-code']), ('FAILED', 5))
    assert_nothing_half_written('run')
    assert 2 <= len(checkpoints('run')) < 12, checkpoints('run')
    succeed('resume', 'run')
    expect(differing('uncut', 'run'), [])


def limit_size(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def too_large():
    write('wide.yaml', WIDE)
    make_table('table.csv')
    code, out, err = adit('run', 'wide.yaml', '--run-dir', 'run', preexec_fn=limit_size(20000))
    expect((code, out), (5, ''))
    told = err.splitlines()[-2]
    assert re.fullmatch(r'adit run: error: cannot write run/checkpoints/.*model\.safetensors: '
                        'File too large', told), told
    expect((record('run')['status'], record('run')['exit-code']), ('FAILED', 5))
    assert_nothing_half_written('run')
    succeed('resume', 'run')
    expect(len(metrics('run')), 12)


def predictions_too_large():
    """The table that was there stays whole."""
    write('table.yaml', TABLE)
    make_table('table.csv', 500)
    succeed('run', 'table.yaml', '--run-dir', 'run')
    write('answers.csv', 'former\n')
    before = sorted(os.listdir('.'))
    code, _, err = adit('predict', 'run', '--split', 'train', '--output', 'answers.csv',
                        preexec_fn=limit_size(2000))
    expect((code, err), (5, 'adit predict: error: cannot write answers.csv: File too large\n'))
    expect((read('answers.csv'), sorted(os.listdir('.'))), ('former\n', before))


def read_only():
    write('table.yaml', TABLE)
    make_table('table.csv')
    os.mkdir('place')
    code, err = in_namespace('mount -t tmpfs -o ro tmpfs place; '
                             '"$ADIT" run table.yaml --run-dir place/run')
    expect((code, err), (5, 'adit run: error: cannot create place/run: Read-only file system\n'))
    code, err = in_namespace('mount -t tmpfs -o ro tmpfs place; '
                             '"$ADIT" run table.yaml --runs place')
    expect(code, 5)
    assert re.fullmatch(r'adit run: error: cannot create place/[0-9_-]*_table_s0_[0-9a-f]{4}: '
                        'Read-only file system\n', err), err


def read_only_later():
    """A run that can be read but not gone on with is left as it is; eval needs no writing."""
    write('table.yaml', TABLE)
    make_table('table.csv')
    expect(adit('run', 'table.yaml', '-o', 'train.epochs=3000', '--run-dir', 'run', '--max-time',
                '200 ms')[0], 75)
    before = {name: read(f'run/{name}') for name in ('run.json', 'metrics.csv', 'metrics.jsonl')}
    mount = 'mount --bind run run; mount -o remount,ro,bind run; '
    code, err = in_namespace(mount + '"$ADIT" eval run -q >&2')
    expect((code, err.split()[:4]), (0, ['split', 'rows', 'loss', 'mse']))
    code, err = in_namespace(mount + '"$ADIT" resume run')
    expect(code, 5)
    assert err.endswith(': Read-only file system\n') and err.startswith('adit resume: error: '), err
    expect({name: read(f'run/{name}') for name in before}, before)


def bad_run_folders():
    write('table.yaml', TABLE)
    make_table('table.csv')
    write('kept/file', 'mine\n')
    for arguments, code, message in [
            (['--run-dir', 'kept'], 2,
             'kept: expected a new or empty folder for the run, got one with files in it'),
            (['--run-dir', 'table.csv'], 2,
             'table.csv: expected a new or empty folder for the run, got something else'),
            (['--runs', 'table.csv'], 5, 'cannot create table.csv: File exists'),
            (['--run-dir', 'table.csv/run'], 5, 'cannot create table.csv: File exists'),
            (['--run-dir', '/proc/run'], 5, 'cannot create /proc/run: No such file or directory')]:
        got, out, err = adit('run', 'table.yaml', *arguments)
        expect((got, out, err), (code, '', f'adit run: error: {message}\n'))
    expect((os.listdir('kept'), read('kept/file')), (['file'], 'mine\n'))


cases = {
    'table/missing-column': table_case(
        2, "no column 'y' in $HERE/table.csv; columns: a, b, c, z", head='a,b,c,z'),
    'table/ragged-short': table_case(
        4, '$HERE/table.csv:12: 3 fields, expected 4', lambda rows: rows[10].pop()),
    'table/ragged-long': table_case(
        4, '$HERE/table.csv:13: 5 fields, expected 4', lambda rows: rows[11].append('7')),
    'table/not-a-number': table_case(
        4, "$HERE/table.csv:14: column 'b': 'nan' is not a finite number", put(12, 1, 'nan')),
    'table/infinite-target': table_case(
        4, "$HERE/table.csv:15: column 'y': 'inf' is not a finite number", put(13, 3, 'inf')),
    'table/word': table_case(
        4, "$HERE/table.csv:16: column 'c': 'high' is not a number", put(14, 2, 'high')),
    'table/decimal-comma': table_case(
        4, "$HERE/table.csv:17: column 'a': '0,5' is not a number", put(15, 0, '"0,5"')),
    'table/blank': table_case(
        4, "$HERE/table.csv:18: column 'a': '' is not a number", put(16, 0, '')),
    'table/no-rows': table_case(4, "data 'csv': no rows", lambda rows: rows.clear()),
    'table/empty': empty_table,
    'table/torn': torn_table,
    'table/missing': missing_table,
    'images/truncated': images_case(
        4, 'images.yaml:2:22', '$HERE/images/train-images-idx3-ubyte: truncated: got 475 of 480 '
        'bytes of the inputs', 22, 6, make=lambda folder: make_images(folder, cut=5),
        checked=False),
    'images/label': images_case(
        4, 'images.yaml:2:22', '$HERE/images/train-labels-idx1-ubyte: label 9 at [7], expected '
        '0..2', 22, 6, make=lambda folder: make_images(
            folder, label=lambda row: 9 if row == 7 else row % 3),
        change=('test: 20%', 'test: 20%, classes: 3'), checked=False),
    'images/fewer-labels': images_case(
        4, 'images.yaml:2:22', '$HERE/images/train-images-idx3-ubyte has 30 rows, but '
        '$HERE/images/train-labels-idx1-ubyte has 29', 22, 6, make=other_labels, checked=False),
    'images/not-flat': images_case(
        2, 'images.yaml:5:12', "'dense' takes a vector, got 1x4x4; put 'flatten' or 'global-pool' "
        'before it', 12, 5, change=('stem: flatten', 'stem: identity')),
    'images/classes': images_case(
        2, 'images.yaml:7:15', "'cross-entropy' needs 3 logits for the data's 3 classes, but the "
        'head gives 2', 15, 13, change=('units: 3', 'units: 2')),
    'model/width': model_case(
        2, '{aggregator: residual, blocks: [{dense: {units: 5}}]}', "'dense' gives 5, but the "
        "running sum is 4; set 'adapt' of 'residual' (pad, project, random, truncate)", 'dense'),
    'model/unknown-block': model_case(
        2, '[{repeat: {times: 2, blocks: [swush]}}]',
        "unknown block 'swush'; adit inspect lists those of this build", 'swush'),
    'model/unknown-vendor': model_case(
        2, '[zeta:swish]', "unknown block 'zeta:swish'; no block-zeta-swish.so among installed "
        'plugins and in ADIT_PLUGIN_PATH', 'zeta:swish'),
    'plugins/no-symbol': broken_plugin('no-symbol', 'no symbol adit_plugin_descriptor'),
    'plugins/other-base': broken_plugin('other-base', 'base AditBlock has another size'),
    'plugins/misnamed': broken_plugin('misnamed', "it holds 'another', its file says 'misnamed'"),
    'plugins/old-abi': old_plugin,
    'plugins/crash': crashing_plugin,
    'plugins/good-among-broken': good_plugin_among_broken,
    'addresses/probe': address('probes', '[{block-norm: {at: trunk.25}}]',
                               "nothing is at 'trunk.25'; 'trunk' has 2 items"),
    'addresses/freeze': address('train.freeze', '[trunk.25]',
                                "nothing is at 'trunk.25'; 'trunk' has 2 items"),
    'addresses/rates': address('train.rates', '[{at: stem.9, factor: 2}]',
                               "nothing is at 'stem.9'; 'stem' has 1 item"),
    'addresses/regularizer': address('train.regularizers', '[{l2: {at: trunk.25}}]',
                                     "nothing is at 'trunk.25'; 'trunk' has 2 items"),
    'jumpstart/no-activations': jumpstart_refused(
        'jumpstart', "'jumpstart' looks at \"**:pre\", but the network has no activations; say "
        "'at'", 'jumpstart', True),
    'jumpstart/margin': jumpstart_refused('{jumpstart: {margin: -1}}',
                                          "'margin' must be in 0..1000000, got -1", '-1'),
    'jumpstart/nothing-there': jumpstart_refused(
        '{jumpstart: {at: trunk.9:pre}}', "nothing is at 'trunk.9:pre'; 'trunk' has 2 items",
        'trunk.9:pre'),
    'jumpstart/no-terms': jumpstart_refused(
        '{jumpstart: {dead-units: false, linear-units: false, dead-points: false, linear-points: '
        'false}}', "'jumpstart' has all four terms switched off; leave one on, or leave it out",
        'jumpstart'),
    'best/metric': best('test.accuracy'),
    'best/split': best('validation.loss'),
    'data/folder-missing': folder_missing,
    'data/unset': data_unset,
    'data/damaged': data_damaged,
    'batch-above-the-set': large_batch,
    'glonet-warnings': glonet_warnings,
    'not-finite/later': not_finite,
    'not-finite/at-once': not_finite_at_once,
    'places/full-disk': full_disk,
    'places/too-large': too_large,
    'places/predictions-too-large': predictions_too_large,
    'places/read-only': read_only,
    'places/read-only-later': read_only_later,
    'places/run-folders': bad_run_folders,
}
tap.run([(f'/pipelines/refusals/{name}', in_folder(case)) for name, case in cases.items()])
