#!/usr/bin/env python3
# tests/pipelines/test-devices.py - SPDX-License-Identifier: MIT
"""What `adit devices` lists, what --device and ADIT_DEVICE take, and on what, and with what, a run
goes on.

ADIT_VULKAN_SHIM is a stand-in for the Vulkan loader (tests/support/vulkan-shim) that makes up
devices of every kind out of a software one; without it, or without that device, cases are skipped.
"""

import json
import os
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import (PATIENCE, adit, checkpoints, expect, figures, in_folder, make_images,  # noqa: E402
                     make_table, read, record, start, succeed, write)

SHIM = os.environ.get('ADIT_VULKAN_SHIM')
NO_LOADER = {'ADIT_VULKAN_LIBRARY': '/nonexistent/libvulkan.so'}
NO_DRIVER = {'VK_DRIVER_FILES': '/nonexistent.json', 'VK_ICD_FILENAMES': '/nonexistent.json'}
AUTO = {'ADIT_DEVICE': None}
CALLED = 'a device is called auto, cpu, vulkan, vulkan:N, vulkan:uuid=UUID or vulkan:name~=TEXT'
VULKAN_CALLED = CALLED.replace('a device is called auto, cpu,', 'a Vulkan device is called')
PIPELINE = '''adit: 1
data: {csv: {path: table.csv, target: y, standardize: features, test: 20%}}
model:
  trunk: [{dense: {units: 8, activation: tanh}}]
  head: [{dense: {units: 1}}]
train: {loss: mse, optimizer: {adam: {lr: 0.01}}, batch: 16, epochs: 3}
'''


def devices(env=None):
    return json.loads(succeed('devices', '--json', env=env))


def has_vulkan():
    """Whether the program was built with Vulkan."""
    return 'built without Vulkan' not in devices().get('auto-reason', '')


def software(env=None):
    """The number of a software device and what is listed of it."""
    for device in devices(env)['devices'][1:]:
        if device['software'] and device['usable']:
            return device
    raise tap.Skip('no software Vulkan device')


def shim(text):
    """The environment of a program that meets made-up devices."""
    if SHIM is None:
        raise tap.Skip('built without Vulkan')
    software()
    return {'ADIT_VULKAN_LIBRARY': SHIM, 'ADIT_SHIM': text, 'ADIT_DEVICE': None}


def prepare():
    make_table('table.csv')
    write('small.yaml', PIPELINE)


def refuse(name, code, expected, env=None, verb='run'):
    """The command line names a device that is not taken; nothing was started."""
    got, out, err = adit(verb, 'small.yaml', '--device', name, env=env)
    expect((got, out), (code, ''))
    expect(err, f'adit {verb}: error: {expected}\n')


def run(*words, env=None, code=0):
    """What a run keeps of its device, and what it said on stderr before it began."""
    got, _, err = adit('run', 'small.yaml', *words, env=env)
    assert got == code, f'{got}\n{err}'
    folder = re.search('^run (.*)$', err, re.M)[1]
    said = re.sub('^testing the kernels of .*\n', '', err[:err.index('run ' + folder)], flags=re.M)
    return record(folder)['device'], said


# ---- the list ----

def lists():
    """The table says what the JSON says, in 80 columns."""
    found = devices()
    text = succeed('devices')
    lines = text.splitlines()
    assert max(map(len, lines)) < 80, text
    assert lines[0].startswith('cpu  '), text
    for device in found['devices']:
        assert f'\n{device["name"]} ' in '\n' + text, text
        if device['name'] != 'cpu':
            assert device['device'] in text and device['driver-version'] in text, text
    last = next(line for line in lines if line.startswith('auto '))
    expect(last.split()[1].rstrip(':'), found['auto'])
    expect(found['vulkan'], len(found['devices']) > 1)


def describes():
    cpu = devices()['devices'][0]
    expect((cpu['name'], cpu['type'], cpu['cores']), ('cpu', 'cpu', os.cpu_count()))
    device = software()
    for key, kind in {'index': int, 'uuid': str, 'device': str, 'type': str, 'driver': str,
                      'driver-version': str, 'vulkan': str, 'heaps': list, 'memory': int,
                      'fp16': bool, 'fp64': bool, 'int8': bool, 'cooperative-matrix': bool,
                      'max-storage-buffer-range': int, 'max-memory-allocation-size': int,
                      'subgroup-size': int}.items():
        assert isinstance(device.get(key), kind), f'{key}: {device.get(key)!r}'
    expect(device['name'], f'vulkan:{device["index"]}')
    assert re.fullmatch('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', device['uuid']), device
    assert re.fullmatch(r'1\.\d+\.\d+', device['vulkan']), device


def kinds():
    """Every kind of made-up device, those that cannot be used and those that are there twice."""
    env = shim('devices:5,type:cpu,type:integrated:1,type:discrete:2,type:virtual:3,type:other:4')
    found = devices(env)
    expect([device.get('type') for device in found['devices']],
           ['cpu', 'cpu', 'integrated', 'discrete', 'virtual', 'other'])
    expect([device['index'] for device in found['devices'][1:]], [0, 1, 2, 3, 4])
    expect(found['auto'], 'vulkan:2')
    assert 'auto      vulkan:2\n' in succeed('devices', env=env)


def order():
    """Discrete before integrated before virtual, else the loader's order; never one of software."""
    for text, best in {
            'devices:3,type:integrated:0,type:discrete:1,type:discrete:2': 'vulkan:1',
            'devices:3,type:virtual:0,type:cpu:1,type:integrated:2': 'vulkan:2',
            'devices:2,type:cpu:0,type:virtual:1': 'vulkan:1',
            'devices:2,type:cpu': 'cpu'}.items():
        expect((text, devices(shim(text))['auto']), (text, best))


def duplicates():
    """One GPU under several drivers: 3 is RADV, 2 AMDVLK, 1 AMD's closed one, 23 Dozen."""
    env = shim('devices:1,duplicate,type:discrete,driver:2:0,driver:3:1')
    first, second = devices(env)['devices'][1:]
    expect((first['uuid'], first['duplicate-of']), (second['uuid'], 'vulkan:1'))
    assert 'duplicate-of' not in second, second
    assert 'the same GPU as vulkan:1, which stands for it\n' in succeed('devices', env=env)
    expect(devices(env)['auto'], 'vulkan:1')
    for ids, best in {(1, 2): 1, (23, 1): 1, (3, 23): 0, (4, 23): 0, (3, 3): 0}.items():
        env = shim(f'devices:1,duplicate,type:discrete,driver:{ids[0]}:0,driver:{ids[1]}:1')
        expect((ids, devices(env)['auto']), (ids, f'vulkan:{best}'))


def refused():
    """What a device lacks is said where it is listed and where it is asked for."""
    prepare()
    for text, reason in {
            'api:1.0': 'it has Vulkan 1.0, 1.2 is needed',
            'api:1.1': 'it has Vulkan 1.1, 1.2 is needed',
            'notimeline': 'it has no timeline semaphores',
            'buffers:7': 'it has 7 storage buffers a shader, 8 are needed',
            'push:64': 'it has 64 bytes of push constants, 128 are needed',
            'shared:8192': 'it has 8192 bytes of shared memory, 16384 are needed',
            'invocations:64': 'it has 64 invocations a workgroup, 128 are needed',
            'groups:1024': 'it has 1024 workgroups along x, 65535 are needed'}.items():
        env = shim(f'devices:1,type:discrete,name:Old,{text}')
        device = devices(env)['devices'][1]
        expect((text, device['usable'], device['reason']), (text, False, reason))
        assert f'cannot be used: {reason}\n' in succeed('devices', env=env)
        refuse('vulkan', 6, "no device 'vulkan': no GPU that can be used: vulkan:0 (Old) cannot be "
               f'used: {reason}', env)
        refuse('vulkan:0', 6, f"no device 'vulkan:0': vulkan:0 (Old) cannot be used: {reason}", env)
    device, said = run(env=env)
    expect(device['name'], 'cpu')
    expect(said, 'computing on the CPU: no GPU that can be used: vulkan:0 (Old) cannot be used: '
           f'{reason}\n')


def small():
    """The least device that Adit promises to run on is no device that is refused; all kernels keep
    to its limits, and a run there leaves the bits of one that has subgroups and room."""
    prepare()
    env = {**shim('devices:1,type:discrete,small'), 'ADIT_CACHE': '0'}
    device = devices(env)['devices'][1]
    expect((device['usable'], device['max-storage-buffer-range']), (True, 1 << 20))
    assert 'subgroup-size' not in device, device
    code, out, err = adit('selftest', '--device', 'vulkan:0', env=env)
    assert code == 0 and ' 0 by a plainer form; ' in out, f'{code}\n{out}{err}'
    run('--run-dir', 'small', '--device', 'vulkan:0', env=env)
    run('--run-dir', 'whole', '--device', 'vulkan:0', env=shim('devices:1,type:discrete'))
    expect(figures('small'), figures('whole'))


def windows():
    """Values and data that are larger than a binding go in parts, to the same bits; a batch whose
    figures are is refused before it is begun."""
    prepare()
    text = PIPELINE.replace('csv: {path: table.csv, target: y, standardize: features, test: 20%}',
                            'moons: {samples: 101000, test: 1000}')
    write('large.yaml', text.replace('units: 1', 'units: 2').replace('units: 8', 'units: 4')
          .replace('mse', 'cross-entropy').replace('batch: 16, epochs: 3', 'batch: 100000, epochs: 1'))
    names = {'small': shim('devices:1,type:discrete,range:1048576'),
             'whole': shim('devices:1,type:discrete')}
    for name, env in names.items():
        succeed('run', 'large.yaml', '--run-dir', name, '--device', 'vulkan:0', '--quiet', env=env)
    expect(figures('small'), figures('whole'))
    code, _, err = adit('run', 'large.yaml', '-o', 'data.moons.samples=300000', '-o',
                        'train.batch=262145', '--device', 'vulkan:0', env=names['small'])
    expect(code, 8)
    assert re.search(r"'note-rows' needs 1\.0\sMiB in one piece, '.*' binds at most 1\.0\sMiB\n",
                     err), err


def verdict():
    """What `adit selftest` found is told until the driver or the build is another one."""
    env = {'XDG_CACHE_HOME': os.path.realpath('cache')}
    name = software(env)['name']
    expect(software(env)['selftest'], 'not run')
    assert f'not run with this driver: adit selftest --device {name}' in succeed('devices', env=env)
    code, _, err = adit('selftest', '--device', name, env=env)
    assert code in (0, 10), f'{code}\n{err}'
    found = software(env)
    expect((found['selftest'], found['selftest-full']), ('failed' if code else 'passed', False))
    expect('wrong-kernels' in found, code == 10)
    told = 'failed: ' if code else 'passed, a few shapes of each kernel\n'
    assert f'          tested  {told}' in succeed('devices', env=env), told


# ---- the choice ----

def bad_names():
    prepare()
    refuse('gpu', 2, f'--device: {CALLED}, got "gpu"')
    refuse('vulkan:first', 2, f'--device: {VULKAN_CALLED}, got "vulkan:first"')
    refuse('vulkan:uuid=12', 2, '--device: a UUID has 32 hexadecimal digits, got "12"')
    refuse('gpu', 2, f'--device: {CALLED}, got "gpu"', verb='eval')
    code, _, err = adit('run', 'small.yaml', env={'ADIT_DEVICE': 'gpu'})
    expect((code, err), (2, f'adit run: error: ADIT_DEVICE: {CALLED}, got "gpu"\n'))


def no_loader():
    """No news by itself: who asks for it is told."""
    prepare()
    env = {**NO_LOADER, **AUTO}
    expect(run(env=env)[1], '')
    expect(run(env=env)[0]['name'], 'cpu')
    code, _, err = adit('run', 'small.yaml', '--verbose', env=env)
    reason = 'this program was built without Vulkan'
    if has_vulkan():
        reason = 'no Vulkan loader: /nonexistent/libvulkan.so: cannot open shared object file: ' \
                 'No such file or directory'
    assert code == 0 and err.startswith(reason + '\n'), err
    refuse('vulkan', 6, f"no device 'vulkan': {reason}", env)
    refuse('vulkan:0', 6, f"no device 'vulkan:0': {reason}", env)
    found = devices(env)
    expect((len(found['devices']), found['vulkan'], found['auto']), (1, False, 'cpu'))
    expect(found['auto-reason'], reason)


def no_driver():
    prepare()
    env = {**NO_DRIVER, **AUTO}
    found = devices(env)
    if len(found['devices']) > 1 or not has_vulkan():
        raise tap.Skip('this loader does not know VK_DRIVER_FILES')
    device, said = run(env=env)
    expect((device['name'], said), ('cpu', f'computing on the CPU: {found["auto-reason"]}\n'))
    refuse('vulkan', 6, f"no device 'vulkan': {found['auto-reason']}", env)


def never_software():
    """A software device is slower than the CPU's own kernels: it is taken only if it is named."""
    prepare()
    software()
    found = devices()
    if found['auto'] != 'cpu':
        raise tap.Skip('there is a GPU')
    expect(run(env=AUTO)[1], 'computing on the CPU: Vulkan finds no GPU\n')
    expect(run('--device', 'auto')[1], 'computing on the CPU: Vulkan finds no GPU\n')
    expect(run()[1], '')
    # it is said of a run, and of nothing else
    expect(adit('run', 'none.yaml', env=AUTO)[2], "adit run: error: no file 'none.yaml'\n")
    folder = succeed('run', 'small.yaml', '--quiet', env=AUTO).splitlines()[-1]
    expect(record(folder)['device']['name'], 'cpu')
    for verb in 'eval', 'predict', 'check':
        code, _, err = adit(verb, 'small.yaml' if verb == 'check' else folder, env=AUTO)
        assert code == 0 and 'computing' not in err, err
    code, _, err = adit('run', 'small.yaml', '--device', 'vulkan')
    expect(code, 6)
    for device in found['devices'][1:]:
        assert f'{device["name"]} ({device["device"]}) ' in err, err


def forms():
    """Each way to name a device; the option stands above the environment."""
    prepare()
    device = software()
    for name in (device['name'], f'vulkan:uuid={device["uuid"]}',
                 f'vulkan:uuid={device["uuid"].replace("-", "").upper()}',
                 f'vulkan:name~={device["device"][1:8].upper()}'):
        kept, said = run('--device', name)
        expect((name, kept['name'], kept['uuid'], said),
               (name, device['name'], device['uuid'], ''))
        expect({key: kept[key] for key in ('type', 'device', 'driver', 'driver-version')},
               {key: device[key] for key in ('type', 'device', 'driver', 'driver-version')})
    expect(run(env={'ADIT_DEVICE': device['name']})[0]['name'], device['name'])
    expect(run('--device', 'cpu', env={'ADIT_DEVICE': device['name']})[0]['name'], 'cpu')
    refuse('vulkan:99', 6, "no device 'vulkan:99': no Vulkan device matches \"99\"; there is "
           + '; '.join(f'{each["name"]} ({each["device"]})' for each in devices()['devices'][1:]))
    code, _, err = adit('run', 'small.yaml', '--device', 'vulkan:name~=no such name')
    expect(code, 6)
    assert "no device 'vulkan:name~=no such name': no Vulkan device matches" in err, err


def best():
    """auto and vulkan take the same device, and say nothing of it."""
    prepare()
    env = shim('devices:3,type:integrated:1,type:discrete:2,name:Two:2')
    for name in ('auto', 'vulkan', 'vulkan:2', 'vulkan:name~=two'):
        kept, said = run('--device', name, env=env)
        expect((name, kept['name'], kept['type'], kept['device'], said),
               (name, 'vulkan:2', 'discrete', 'Two', ''))
    expect(run('--device', 'vulkan:1', env=env)[0]['type'], 'integrated')


def fails():
    """A GPU that cannot be opened is none for auto, and the end for who names it."""
    prepare()
    env = shim('devices:1,type:discrete,name:Full,memory:1+')
    device, said = run(env=env)
    expect(device['name'], 'cpu')
    assert re.fullmatch(r'computing on the CPU: vulkan:0 \(Full\): no memory for .*\n', said), said
    code, _, err = adit('run', 'small.yaml', '--device', 'vulkan', env=env)
    expect(code, 8)
    assert err.startswith('adit run: error: no memory for '), err


def validation():
    """A value that says nothing is refused."""
    prepare()
    name = software()['name']
    refuse(name, 2, '--device: ADIT_VULKAN_VALIDATION must be 0 or 1, got "on"',
           {'ADIT_VULKAN_VALIDATION': 'on'})


# ---- a device that is lost ----

LOST = re.compile(r'^warning: device .* was lost waiting, at or behind (.*), submitted [0-9.]+ s before$',
                  re.M)


def lost():
    """It is opened again, and the run goes on from its last checkpoint to the same figures."""
    prepare()
    run('--run-dir', 'whole', '--device', 'vulkan:0', env=shim('devices:1,type:discrete'))
    # without joined kernels an evaluation is under way by then
    of = '(of|behind)' if os.environ.get('ADIT_FUSE') == '0' else 'of'
    step = f"(kernel '.*'|a transfer|filling with zeros) {of} step [0-9]+|a transfer|filling with zeros"
    for serial, wait, what in (('0', 60, '.*'), ('1', 1500, step)):
        env = {**shim(f'devices:1,type:discrete,lost-wait:{wait}'), 'ADIT_VULKAN_SERIAL': serial}
        code, _, err = adit('run', 'small.yaml', '--run-dir', f'lost{serial}', '--device',
                            'vulkan:0', env=env)
        expect((code, len(LOST.findall(err))), (0, 1))
        assert re.fullmatch(what, LOST.search(err)[1]), err
        assert 'the device is open again: going on from the last checkpoint\n' in err, err
        expect(figures(f'lost{serial}'), figures('whole'))


def lost_at_once():
    """A transfer, or filling with zeros, is of no step: none has been queued."""
    prepare()
    env = shim('devices:1,type:discrete,lost-wait:1:9')
    code, _, err = adit('selftest', '--device', 'vulkan:0', env=env)
    assert code == 7 and 'at or behind filling with zeros before its first step, submitted' in err, err


# ---- going on ----

def begin(*words, env=None):
    """A run that was stopped at once."""
    prepare()
    code, _, err = adit('run', 'small.yaml', '--run-dir', 'run', '--max-time', '1 ms', *words,
                        env=env)
    assert code == 75, f'{code}\n{err}'


def resume(*words, env=None):
    """What it said before it went on."""
    code, _, err = adit('resume', 'run', *words, env=env)
    assert code == 0, f'{code}\n{err}'
    return [line for line in err.splitlines() if line.startswith('warning:')]


def keeps_vulkan():
    """By its UUID: the number is another one's."""
    env = shim('devices:2,name:One:0,name:Two:1,type:discrete:0')
    begin('--device', 'vulkan:1', env=env)
    expect(record('run')['device']['device'], 'Two')
    expect(resume(env=env), [])
    run('--run-dir', 'whole', '--device', 'vulkan:1', env=env)
    expect(figures('run'), figures('whole'))


def keeps_cpu():
    """Also where the environment names another device now."""
    begin('--device', 'cpu')
    run('--run-dir', 'whole', '--device', 'cpu')
    expect(resume(env={'ADIT_DEVICE': software()['name']}), [])
    expect(figures('run'), figures('whole'))


def other_device():
    """Who names another one gets it, is told what that means, and stays there."""
    device = software()
    begin('--device', 'cpu')
    began = record('run')['device']['instruction-set']
    expect(resume('--device', device['name']),
           [f'warning: the run began on cpu ({began}), this '
            f'goes on on {device["name"]} ({device["device"]}, driver {device["driver"]} '
            f'{device["driver-version"]}): the last bits differ'])
    expect(record('run')['device']['name'], device['name'])


def other_instruction_set():
    begin('--device', 'cpu', env={'ADIT_ISA': 'portable'})
    expect(record('run')['device']['instruction-set'], 'portable')
    kept = read('run/run.json')
    expect(resume(), [])
    write('run/run.json', kept.replace('"portable"', '"abacus"'))
    found = resume(env={'ADIT_ISA': 'portable'})
    expect(found, ['warning: the run began on cpu (abacus), this goes on on cpu (portable): the '
                   'last bits differ'])


def other_path():
    """Joined operations have other last bits: the path is kept, and who asks for the other is told."""
    for kept, other in (('walk', 'plain'), ('plain', 'walk')):
        fuse = {'walk': '1', 'plain': '0'}
        for run in ('run', 'whole'):
            shutil.rmtree(run, ignore_errors=True)
        begin('--device', 'cpu', env={'ADIT_FUSE': fuse[kept]})
        device = record('run')['device']
        expect(device['path'], kept)
        if kept == 'plain':
            shutil.copytree('run', 'again', symlinks=True)
            expect((resume(env={'ADIT_FUSE': None}), record('run')['device']['path']), ([], kept))
            shutil.rmtree('run')
            shutil.copytree('again', 'run', symlinks=True)
        found = f'cpu ({device["instruction-set"]}, path '
        expect(resume(env={'ADIT_FUSE': fuse[other]}),
               [f'warning: the run began on {found}{kept}), this goes on on {found}{other}): the last bits differ'])
        expect(record('run')['device']['path'], other)


CONVOLUTIONS = '''adit: 1
params: {epochs: 3}
data: {idx: {folder: images, test: 20%}}
model: {trunk: [{conv: {filters: 2, activation: tanh}}], head: [flatten, {dense: {units: 3}}]}
train: {loss: cross-entropy, optimizer: {sgd: {lr: 0.01}}, batch: 8, epochs: $epochs}
'''
# a library that convolutions are computed by, none, and the same of another version
# plain operations do without the library
LIBRARY = {'ADIT_PLUGIN_PATH': os.environ['ADIT_STAND_INS'], 'ADIT_FUSE': None}
BUILT_IN = {'ADIT_CONVOLUTIONS': 'built-in', 'ADIT_FUSE': None}
NEWER = {**LIBRARY, 'STAND_IN': 'newer'}


def convolve(run, *words, env=None, code=0):
    """What such a run keeps of its device."""
    write('conv.yaml', CONVOLUTIONS)
    make_images('images')
    got, _, err = adit('run', 'conv.yaml', '--run-dir', run, '--device', 'cpu', *words, env=env)
    assert got == code, f'{got}\n{err}'
    return record(run)['device']


def convolutions():
    """What computed them is kept, of runs that have some."""
    for env, name in ((LIBRARY, 'stand-in 1.0'), (NEWER, 'stand-in 1.1'), (BUILT_IN, 'built-in'),
                      ({**LIBRARY, 'ADIT_FUSE': '0'}, 'built-in')):
        shutil.rmtree('run', ignore_errors=True)
        expect(convolve('run', env=env)['convolutions'], name)
    shutil.rmtree('run')
    begin('--device', 'cpu', env=LIBRARY)
    assert 'convolutions' not in record('run')['device'], record('run')


def convolutions_killed():
    """Whoever kills a run at its first checkpoint finds it there."""
    convolve('before')
    process = start('run', 'conv.yaml', 'epochs=100000', '--run-dir', 'run', '--device', 'cpu',
                    env=LIBRARY)
    end = time.monotonic() + PATIENCE
    while process.poll() is None and checkpoints('run') == []:
        assert time.monotonic() < end, 'it hangs'
        time.sleep(0.001)
    process.kill()
    process.communicate(timeout=PATIENCE)
    expect((record('run')['status'], record('run')['device']['convolutions']),
           ('RUNNING', 'stand-in 1.0'))


def keeps_convolutions():
    """Without a library a run goes on without, to the same numbers, and with one with it."""
    for env in (BUILT_IN, LIBRARY):
        for run in ('run', 'whole'):
            shutil.rmtree(run, ignore_errors=True)
        began = convolve('run', '--max-time', '1 ms', env=env, code=75)
        convolve('whole', env=env)
        expect(resume(env=LIBRARY), [])
        expect(record('run')['device'], began)
        expect(figures('run'), figures('whole'))


def other_convolutions():
    """Another version, or none: it is told, and kept."""
    names = {'stand-in 1.0': LIBRARY, 'stand-in 1.1': NEWER, 'built-in': BUILT_IN}
    titles = {name: f'convolutions by {name}' for name in names} | {
        'built-in': 'built-in convolutions'}
    for before, after in (('stand-in 1.0', 'stand-in 1.1'), ('stand-in 1.0', 'built-in')):
        shutil.rmtree('run', ignore_errors=True)
        device = convolve('run', '--max-time', '1 ms', env=names[before], code=75)
        found = f'cpu ({device["instruction-set"]}, '
        expect(resume(env=names[after]),
               [f'warning: the run began on {found}{titles[before]}), this goes on on '
                f'{found}{titles[after]}): the last bits differ'])
        expect(record('run')['device']['convolutions'], after)


def older_run():
    """What a run did not keep nobody can compare; whoever takes it up keeps it."""
    convolve('run', '--max-time', '1 ms', env=BUILT_IN, code=75)
    kept = json.loads(read('run/run.json'))
    del kept['device']['convolutions']
    write('run/run.json', json.dumps(kept))
    expect(resume(env=LIBRARY), [])
    expect(record('run')['device']['convolutions'], 'stand-in 1.0')


def gone():
    """The device is not there any more."""
    device = software()
    begin('--device', device['name'])
    found = resume(env=NO_LOADER)
    expect(len(found), 1)
    assert re.fullmatch(
        re.escape(f'warning: the run began on {device["name"]} ({device["device"]}, driver '
                  f'{device["driver"]} {device["driver-version"]}), this goes on on cpu (')
        + r'\w+\): the last bits differ', found[0]), found


tap.run([(f'/pipelines/devices/{name}', in_folder(case)) for name, case in {
    'list': lists,
    'list/describes': describes,
    'list/kinds': kinds,
    'list/order': order,
    'list/duplicates': duplicates,
    'list/refused': refused,
    'list/small': small,
    'list/verdict': verdict,
    'windows': windows,
    'choice/bad-names': bad_names,
    'choice/no-loader': no_loader,
    'choice/no-driver': no_driver,
    'choice/never-software': never_software,
    'choice/forms': forms,
    'choice/best': best,
    'choice/fails': fails,
    'choice/validation': validation,
    'lost': lost,
    'lost/at-once': lost_at_once,
    'resume/keeps-vulkan': keeps_vulkan,
    'resume/keeps-cpu': keeps_cpu,
    'resume/other-device': other_device,
    'resume/other-instruction-set': other_instruction_set,
    'resume/other-path': other_path,
    'resume/gone': gone,
    'convolutions': convolutions,
    'convolutions/killed': convolutions_killed,
    'resume/keeps-convolutions': keeps_convolutions,
    'resume/other-convolutions': other_convolutions,
    'resume/older-run': older_run,
}.items()])
