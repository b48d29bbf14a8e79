#!/usr/bin/env python3
# tests/pipelines/test-selftest.py - SPDX-License-Identifier: MIT
"""`adit selftest`, and what a run does with its verdicts: those of a made-up bad device are written
by hand. Cases of a Vulkan device are skipped where there is none of software."""

import hashlib
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (adit, expect, in_folder, make_table, read, record, succeed,  # noqa: E402
                     write)

SHIM = os.environ.get('ADIT_VULKAN_SHIM')
PIPELINE = '''adit: 1
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%}}
model:
  trunk: [{dense: {units: 8, activation: tanh}}]
  head: [{dense: {units: 1}}]
train: {loss: mse, optimizer: {adam: {lr: 0.01}}, batch: 16, epochs: 1}
'''


def own_cache():
    """A cache of this case alone, so that the device is met for the first time; what Mesa compiled
    may stay."""
    mesa = os.path.join(os.environ.get('XDG_CACHE_HOME', '/nonexistent'), 'mesa')
    return {'XDG_CACHE_HOME': os.path.realpath('cache'), 'MESA_SHADER_CACHE_DIR': mesa}


def software():
    """A software device as `adit devices` lists it."""
    for device in json.loads(succeed('devices', '--json'))['devices'][1:]:
        if device['software'] and device['usable']:
            return device
    raise tap.Skip('no software Vulkan device')


def prepare():
    make_table('table.csv')
    write('small.yaml', PIPELINE)


def verdict_path():
    folder = 'cache/adit/selftest'
    names = os.listdir(folder)
    expect(len(names), 1)
    return os.path.join(folder, names[0])


def rewrite(changes):
    """Changes the verdicts that were kept, as if they had been found so."""
    path = verdict_path()
    kept = json.loads(read(path))
    kept['kernels'].update(changes)
    lines = [kept['device'], kept['driver'], kept['build'], str(int(kept['full']))]
    lines += [f'{name} {form}' for name, form in sorted(kept['kernels'].items())]
    text = ''.join(line + '\n' for line in lines)
    kept['sha256'] = hashlib.sha256(text.encode()).hexdigest()
    write(path, json.dumps(kept))


def run(device, *words, env, code=0):
    """What run.json keeps of the device, and what was said on stderr."""
    got, _, err = adit('run', 'small.yaml', '--device', device['name'], *words, env=env)
    assert got == code, f'{got}\n{err}'
    found = re.search('^run (.*)$', err, re.M)
    return record(found[1])['device'] if found else None, err


def title(device):
    return f'{device["name"]} ({device["device"]})'


# ---- the verb ----

def cpu():
    out = succeed('selftest', '--device', 'cpu')
    found = re.fullmatch(r'(\d+) kernels, (\d+) well; 0 by a plainer form; cpu, (\w+)\n', out)
    assert found and found[1] == found[2] and int(found[1]) >= 90, out
    expect(succeed('selftest', '--device', 'cpu', '--full', '--strict-device'), out)
    for name in ('portable', 'avx2', 'avx512'):
        code, text, err = adit('selftest', env={'ADIT_ISA': name})
        assert code == 0 and text.startswith(f'{found[1]} kernels, {found[1]} well;'), text + err


def as_json():
    found = json.loads(succeed('selftest', '--json'))
    expect((found['device']['name'], found['full'], found['failed']), ('cpu', False, 0))
    expect((found['well'], found['plainer']), (len(found['kernels']), 0))
    for kernel in found['kernels']:
        assert kernel['well'] and kernel['runs'] > 0, kernel
        assert float(kernel['error']) <= float(kernel['limit']), kernel
        assert 'form' not in kernel, kernel


def keeps_nothing_of_the_cpu():
    succeed('selftest', '--device', 'cpu', env=own_cache())
    assert not os.path.exists('cache/adit/selftest')


def vulkan():
    device, env = software(), own_cache()
    out = succeed('selftest', '--device', device['name'], '--strict-device', env=env)
    assert out.endswith(f' well; 0 by a plainer form; {device["name"]}, {device["device"]}, driver '
                        f'{device["driver"]} {device["driver-version"]}\n'), out
    kept = json.loads(read(verdict_path()))
    expect((kept['device'], kept['full']), (device['uuid'], False))
    assert set(kept['kernels'].values()) <= {'subgroup', 'optimised', 'plain'}, kept
    found = json.loads(succeed('selftest', '--device', device['name'], '--json', env=env))
    expect({kernel['name']: kernel['form'] for kernel in found['kernels']}, kept['kernels'])


def remembers_worse():
    """What a full test found wrong is wrong until the next full one."""
    device, env = software(), own_cache()
    succeed('selftest', '--device', device['name'], env=env)
    path = verdict_path()
    write(path, read(path).replace('"full" : false', '"full" : true'))
    rewrite({'tanh': 'none'})
    succeed('selftest', '--device', device['name'], env=env)
    kept = json.loads(read(path))
    expect((kept['full'], kept['kernels']['tanh']), (True, 'none'))


def unfused():
    """What is found where no kernels are joined says nothing of those that are."""
    device = software()
    joined = {**own_cache(), 'ADIT_FUSE': None}
    alone = {**own_cache(), 'ADIT_FUSE': '0'}

    def find_form(env):
        found = json.loads(succeed('selftest', '--device', device['name'], '--json', env=env))
        return {kernel['name']: kernel['form'] for kernel in found['kernels']}['fused']

    expect(find_form(alone), 'plain')
    expect(len(os.listdir('cache/adit/selftest')), 1)
    if find_form(joined) == 'plain':
        raise tap.Skip('built without a compiler of shaders')
    expect(len(os.listdir('cache/adit/selftest')), 2)


# ---- runs ----

def first_use():
    """Tested once; what is kept is used."""
    prepare()
    device, env = software(), own_cache()
    told = f'testing the kernels of {title(device)} (first use with this driver)\n'
    kept, err = run(device, env=env)
    assert err.startswith(told), err
    expect((kept['name'], kept['kernels']), (device['name'], {}))
    kept, err = run(device, env=env)
    assert told not in err, err
    folder = re.search('^run (.*)$', err, re.M)[1]
    for verb in ('eval', 'predict'):
        code, _, err = adit(verb, folder, '--device', device['name'], env=env)
        said = "evaluating the test split of 'csv': 41 of its 203 rows\n" if verb == 'eval' else ''
        expect((code, err), (0, said))
    # a damaged verdict is none
    write(verdict_path(), read(verdict_path())[:-20])
    assert run(device, env=env)[1].startswith(told)


def no_cache():
    """A folder that cannot be written costs one warning and the time; ADIT_CACHE=0 the time."""
    prepare()
    device = software()
    write('in-the-way', '')
    env = {'XDG_CACHE_HOME': os.path.realpath('in-the-way')}
    kept, err = run(device, env=env)
    expect(kept['name'], device['name'])
    expect(len(re.findall("^warning: the self-test's result is not kept: cannot ", err, re.M)), 1)
    kept, err = run(device, env={**own_cache(), 'ADIT_CACHE': '0'})
    assert err.startswith('testing the kernels of ') and 'warning' not in err, err
    assert not os.path.exists('cache/adit/selftest')


def plainer():
    """A kernel by a plainer form computes there all the same."""
    prepare()
    device, env = software(), own_cache()
    run(device, env=env)
    rewrite({'tanh': 'plain'})
    kept, err = run(device, env=env)
    expect((kept['name'], kept['kernels']), (device['name'], {'tanh': 'plain'}))
    assert 'kernels' not in err, err
    code, _, err = adit('run', 'small.yaml', '--device', device['name'], '--strict-device', env=env)
    expect((code, err), (10, f'adit run: error: {title(device)}: kernels that compute '
                         'rightly by a plainer form alone: tanh\n'))


def wrong():
    """Without a good form the run goes to the CPU, and says so."""
    prepare()
    device, env = software(), own_cache()
    run(device, env=env)
    rewrite({'tanh': 'none', 'matmul': 'none', 'exp': 'plain'})
    kept, err = run(device, env=env)
    reason = f'{title(device)}: kernels that compute wrongly: matmul, tanh'
    assert err.startswith(f'warning: {reason}; computing on the CPU\n'), err
    expect((kept['name'], kept['kernels']),
           ('cpu', {'exp': 'plain', 'matmul': 'none', 'tanh': 'none'}))
    folder = re.search('^run (.*)$', err, re.M)[1]
    for verb in ('eval', 'predict'):
        code, _, err = adit(verb, folder, '--device', device['name'], env=env)
        expect((code, err.splitlines()[0]), (0, f'warning: {reason}; computing on the CPU'))
    for words in (['run', 'small.yaml'], ['eval', folder], ['predict', folder]):
        code, _, err = adit(*words, '--device', device['name'], '--strict-device', env=env)
        expect((code, err), (10, f'adit {words[0]}: error: {reason}\n'))


def resumes():
    """Also a run that began there."""
    prepare()
    device, env = software(), own_cache()
    run(device, '--run-dir', 'run', '--max-time', '1 ms', env=env, code=75)
    rewrite({'tanh': 'none'})
    code, _, err = adit('resume', 'run', '--strict-device', env=env)
    expect(code, 10)
    code, _, err = adit('resume', 'run', env=env)
    expect(code, 0)
    assert f'{title(device)}: kernels that compute wrongly: tanh; computing on the CPU' in err, err


def lost():
    """A device that is lost while it is tested."""
    if SHIM is None:
        raise tap.Skip('built without Vulkan')
    prepare()
    device = software()
    env = {**own_cache(), 'ADIT_VULKAN_LIBRARY': SHIM, 'ADIT_SHIM': 'lost-submit:9:99'}
    code, out, err = adit('selftest', '--device', device['name'], env=env)
    expect((code, out), (7, ''))
    assert re.match(r"adit selftest: error: '[a-z-]+': device .* was lost", err), err
    kept, err = run(device, env=env)
    expect(kept['name'], 'cpu')
    assert re.search("^warning: .* was lost.*; computing on the CPU$", err, re.M), err
    assert not os.path.exists('cache/adit/selftest')
    run(device, '--strict-device', env=env, code=10)


tap.run([(f'/pipelines/selftest/{name}', in_folder(case)) for name, case in {
    'cpu': cpu,
    'json': as_json,
    'keeps-nothing-of-the-cpu': keeps_nothing_of_the_cpu,
    'vulkan': vulkan,
    'remembers-worse': remembers_worse,
    'unfused': unfused,
    'first-use': first_use,
    'no-cache': no_cache,
    'plainer': plainer,
    'wrong': wrong,
    'resumes': resumes,
    'lost': lost,
}.items()])
