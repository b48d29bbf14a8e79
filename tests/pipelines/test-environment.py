#!/usr/bin/env python3
# tests/pipelines/test-environment.py - SPDX-License-Identifier: MIT
"""What surrounds the program changes no number: locale, home, terminal, closed streams, umask."""

import os
import stat
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (adit, differing, expect, in_folder, make_table, metrics, read,  # noqa: E402
                     record, succeed, write)

PIPELINE = '''adit: 1
params: {rate: 0.05}
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%}}
model:
  trunk: [{repeat: {times: 2, blocks: [{dense: {units: 8, activation: tanh}}, {dropout: {rate: $rate}}]}}]
  head: [{dense: {units: 1}}]
train: {loss: mse, optimizer: {adam: {lr: 0.0125}}, batch: 16, epochs: 3}
probes: [block-norm]
'''


def prepare():
    make_table('table.csv')
    write('small.yaml', PIPELINE)
    succeed('run', 'small.yaml', '--run-dir', 'plain')


def compare(env=None, code=0, **more):
    """A run in another environment, and what is asked of it there, are those of the plain one."""
    prepare()
    got, _, err = adit('run', 'small.yaml', 'rate=0.05', '--run-dir', 'other', env=env, **more)
    expect(got, code)
    expect(differing('plain', 'other'), [])
    expect(record('other')['status'], 'COMPLETED')
    expect(read('other/config.resolved.yaml'), read('plain/config.resolved.yaml'))
    for verb in ('eval', '--json'), ('predict', '--quiet'):
        expect(succeed(verb[0], 'plain', verb[1], env=env), succeed(*verb[:1], 'plain', verb[1]))
    for words in (['config', 'small.yaml', '--resolved'], ['check', 'small.yaml'],
                  ['inspect', 'small.yaml', '--layers'], ['inspect', 'adam']):
        expect(succeed(*words, env=env), succeed(*words))
    return err


def decimal_sign(variables):
    return subprocess.run(['locale', 'decimal_point'], env={**os.environ, **variables},
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout


def comma_locale():
    """(variables) of a locale whose decimal sign is a comma; made here if it is not installed."""
    installed = {'LC_ALL': 'de_DE.UTF-8'}
    if decimal_sign(installed) == ',\n':
        return installed
    try:
        subprocess.run(['localedef', '-i', 'de_DE', '-f', 'UTF-8', './de_DE.UTF-8'],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        pass
    made = {**installed, 'LOCPATH': os.path.realpath('.')}
    if decimal_sign(made) != ',\n':
        raise tap.Skip('no locale with a decimal comma, and none can be made')
    return made


def locale():
    compare(comma_locale())


def home(value):
    def case():
        if value == 'read-only':
            os.mkdir('home')
            os.chmod('home', 0o500)
        folder = os.path.realpath('home') if value == 'read-only' else value
        compare({'HOME': folder, 'XDG_CACHE_HOME': None, 'XDG_CONFIG_HOME': None,
                 'XDG_DATA_HOME': None})
        assert value != 'read-only' or os.listdir('home') == [], os.listdir('home')
    return case


def unset():
    """Nothing but where the program's parts are."""
    prepare()
    keep = {name: None for name in os.environ
            if not name.startswith(('ADIT_', 'LD_', 'ASAN_', 'UBSAN_'))}
    code, _, err = adit('run', 'small.yaml', '--run-dir', 'other', env=keep)
    expect((code, differing('plain', 'other')), (0, []))
    assert '\033' not in err, err


def terminal(value):
    def case():
        err = compare({'TERM': value, 'NO_COLOR': None})
        assert '\033' not in err and '\r' not in err, err
    return case


def close(*descriptors):
    def act():
        for descriptor in descriptors:
            os.close(descriptor)
    return act


def closed_output():
    err = compare(code=5, preexec_fn=close(1))
    expect(err.splitlines()[-1],
           'adit run: error: cannot write standard output: Bad file descriptor')


def closed_streams():
    """Without standard streams no file may come to stand in their place."""
    compare(code=5, preexec_fn=close(0, 1, 2))
    expect(len(metrics('other')), 3)
    for name in ('metrics.csv', 'metrics.jsonl', 'run.json', 'probes/block-norm.csv'):
        assert 'train.loss ' not in read(f'other/{name}'), name


def closed_error():
    compare(preexec_fn=close(2))
    expect(len(read('other/metrics.csv').splitlines()), 4)


def modes(run):
    found = {}
    for folder, folders, files in os.walk(run):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                found[os.path.relpath(path, run)] = stat.S_IMODE(os.lstat(path).st_mode)
    return found


def system_modules():
    """GIO's modules of a system are made for its own GLib, which need not be the program's."""
    os.mkdir('modules')
    write('modules/libbroken.so', 'no library')
    err = compare({'GIO_MODULE_DIR': os.path.realpath('modules')})
    assert 'libbroken' not in err, err


def umask():
    """Nothing is more open than it was asked for, and nothing more closed."""
    compare(preexec_fn=lambda: os.umask(0o077))
    private, public = modes('other'), modes('plain')
    expect(sorted(private), sorted(public))
    for name, mode in private.items():
        folder = os.path.isdir(f'other/{name}')
        expect((name, oct(mode)), (name, oct(0o700 if folder else 0o600)))
    os.umask(0o022)
    succeed('run', 'small.yaml', '--run-dir', 'open')
    for name, mode in modes('open').items():
        folder = os.path.isdir(f'open/{name}')
        expect((name, oct(mode)), (name, oct(0o755 if folder else 0o644)))


def elsewhere():
    """Paths in a file are relative to the file, those of the command line to where it is given."""
    prepare()
    os.mkdir('far')
    os.chdir('far')
    succeed('run', '../small.yaml', '--run-dir', '../other')
    succeed('eval', '../other')
    os.chdir('..')
    expect(differing('plain', 'other'), [])


tap.run([(f'/pipelines/environment/{name}', in_folder(case)) for name, case in {
    'locale': locale,
    'home/unset': home(None),
    'home/missing': home('/nonexistent'),
    'home/read-only': home('read-only'),
    'unset': unset,
    'terminal/dumb': terminal('dumb'),
    'terminal/unset': terminal(None),
    'closed/output': closed_output,
    'closed/error': closed_error,
    'closed/all': closed_streams,
    'system-modules': system_modules,
    'umask': umask,
    'elsewhere': elsewhere,
}.items()])
