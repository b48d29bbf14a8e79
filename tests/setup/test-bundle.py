#!/usr/bin/env python3
# tests/setup/test-bundle.py - SPDX-License-Identifier: MIT
"""What share/bundle packs of this build: it is small, it is whole, and it runs where there is
nothing but the C library. ADIT_BUILD is the build folder."""

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, os.path.dirname(here))
sys.path.insert(0, os.path.join(os.path.dirname(here), 'pipelines'))
import tap  # noqa: E402
from command import adit, expect, figures, in_folder, read, write  # noqa: E402

BUILD = os.environ['ADIT_BUILD']
MOST_BYTES = 40 * 10**6
NEWEST_LIBC = (2, 36)
LIBC = re.compile(r'(ld-linux.*|lib(c|m|mvec|dl|pthread|rt|util|resolv|anl))\.so\.\d+$')
# One of the installed parts in it, a plugin of most kinds.
PIPELINE = '''adit: 1
data: {moons: {samples: 40, test: 25%}}
model:
  trunk: [{dense: {units: 4}}, {residual-v2: {norm: layer-norm}}]
  head: [{dense: {units: 2}}]
train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 10, epochs: 1}
'''
TUTORIAL = 'share/adit-1.0/pipelines/tutorial/01-moons.yaml'
EPOCHS = ['-o', 'train.epochs=3']


def call(*command, **more):
    return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **more)


def succeed(*command, **more):
    done = call(*command, **more)
    assert done.returncode == 0, f'{command} ended with {done.returncode}\n{done.stderr}'
    return done.stdout


def bundle(*arguments, **more):
    return call(os.path.join(root, 'share', 'bundle'), *arguments, **more)


@functools.lru_cache(maxsize=None)
def unpack():
    """The archive, and the folder it leaves in a folder that is called as people call theirs."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    archive = os.path.join(folder, 'made.tar.gz')
    done = bundle('-C', BUILD, archive)
    assert done.returncode == 0, done.stderr
    place = os.path.join(folder, 'my tools, é')
    os.mkdir(place)
    succeed('tar', '-xf', archive, '-C', place)
    (name,) = os.listdir(place)
    return archive, os.path.join(place, name)


def program():
    return os.path.join(unpack()[1], 'bin', 'adit')


def list_below(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder)
                  for where, _, names in os.walk(folder) for name in names)


def contents():
    archive, top = unpack()
    size = os.path.getsize(archive)
    assert size <= MOST_BYTES, f'{size} bytes, at most {MOST_BYTES}'
    version = succeed(program(), '--version').split()[1]
    expect(os.path.basename(top), f'adit-{version}')
    plugins = [name for name in os.listdir(f'{BUILD}/plugins') if name.endswith('.so')]
    expect(sorted(name for name in os.listdir(f'{top}/lib/adit-1.0') if name.endswith('.so')),
           sorted(plugins))
    files = list_below(f'{root}/pipelines')
    assert 'tutorial/01-moons.yaml' in files, files
    expect(list_below(f'{top}/share/adit-1.0/pipelines'),
           [name for name in files if name.endswith(('.yaml', '.csv'))])
    for name in 'README.md', 'LICENSE', 'share/doc/language.md':
        expect(read(f'{top}/{name}'), read(f'{root}/{name}'))


def licences():
    """Every library that is not ours is listed, and its licence is there."""
    _, top = unpack()
    folder = f'{top}/share/doc/licences'
    listed = dict(line.split('\t') for line in read(f'{folder}/LIBRARIES').splitlines())
    brought = {os.path.basename(name) for name in list_below(f'{top}/lib')
               if re.search(r'\.so\.\d+$', name) and not name.startswith('libadit-')}
    expect(sorted(listed), sorted(brought))
    if not shutil.which('dpkg-query'):
        raise tap.Skip('licences are looked for on Debian and its like alone')
    for library, package in listed.items():
        path = f'{folder}/{package.split()[0].split(":")[0]}'
        assert os.path.getsize(path) > 0, f'{library}: {path} is empty'


def find_loader():
    found = succeed('cc', '-print-file-name=libvulkan.so.1').strip()
    if not os.path.exists(found):
        raise tap.Skip('no libvulkan.so.1 here')
    return os.path.realpath(found)


def brings_loader():
    """Where programs do not find it by themselves: the host's own comes first."""
    _, top = unpack()
    find_loader()
    expect([name for name in list_below(f'{top}/lib') if 'vulkan' in name],
           ['adit-1.0/fallback/libvulkan.so.1'])


def no_runtime():
    """A driver of the host's that is written in C++ must find its own runtime."""
    _, top = unpack()
    if not os.path.exists(succeed('cc', '-print-file-name=libstdc++.a').strip()):
        raise tap.Skip('no archive of the C++ runtime here to link with')
    expect([name for name in list_below(f'{top}/lib')
            if re.match(r'lib(stdc\+\+|gcc_s)\.so', name)], [])
    symbols = succeed('objdump', '-T', f'{top}/lib/libadit-1.0.so.0')
    assert 'adit_graph_new' in symbols, 'no symbol of ours'
    exported = [line for line in symbols.splitlines()
                if re.search(r'\b(_ZN?S|_Unwind_|__cxa_)', line) and '*UND*' not in line]
    expect(exported, [])


def list_foreign(paths):
    """Those of the loaded files that are neither the bundle's nor the C library's."""
    _, top = unpack()
    return sorted(path for path in {*paths}
                  if not os.path.realpath(path).startswith(os.path.realpath(top) + os.sep)
                  and not LIBC.match(os.path.basename(path)))


def own_libraries():
    traced = succeed(program(), env={'LD_TRACE_LOADED_OBJECTS': '1'})
    assert 'libglib-2.0' in traced and 'not found' not in traced, traced
    expect(list_foreign(re.findall(r'=> (.*) \(0x', traced)), [])


def opened_libraries():
    """With all plugins open."""
    with tempfile.TemporaryDirectory() as folder:
        succeed(program(), 'inspect', env={'LD_DEBUG': 'files', 'LD_DEBUG_OUTPUT': f'{folder}/log'})
        (log,) = os.listdir(folder)
        opened = re.findall(r'calling init: (.*)', read(f'{folder}/{log}'))
    assert any('block-dense.so' in path for path in opened), opened
    expect(list_foreign(opened), [])


def try_everything(command, where):
    """The program's answers; command(*arguments) calls it in a folder, which it knows by the name
    `where`."""
    write('small.yaml', PIPELINE)
    assert re.match(r'adit \d', command('--version'))
    assert 'dense' in command('inspect', 'block'), 'no plugin'
    expect(command('inspect', '--broken'), adit('inspect', '--broken')[1])
    assert command('devices').startswith('cpu '), 'no device'
    command('run', f'{where}small.yaml', '--run-dir', f'{where}small')


@in_folder
def empty_environment():
    _, top = unpack()
    tutorial = os.path.join(top, TUTORIAL)

    def command(*arguments):
        return succeed(program(), *arguments, env={})
    try_everything(command, '')
    command('run', tutorial, '--run-dir', 'bundled', *EPOCHS)
    expect(adit('run', tutorial, '--run-dir', 'built', *EPOCHS)[0], 0)
    expect(len(figures('bundled')), 4)
    expect(figures('bundled'), figures('built'))


@in_folder
def other_environment():
    """Libraries that somebody's environment points to are not the program's."""
    os.mkdir('other')
    for name in os.listdir(os.path.join(unpack()[1], 'lib')):
        if '.so' in name:
            write(f'other/{name}', 'no library')
    environment = {'LD_LIBRARY_PATH': os.path.realpath('other')}
    assert 'dense' in succeed(program(), 'inspect', 'block', env=environment)


@in_folder
def by_link():
    os.symlink(program(), 'adit')
    assert 'dense' in succeed('./adit', 'inspect', 'block', env={})


def bare_root(folder):
    """A root folder with the C library, and the bundle in /opt."""
    traced = succeed(program(), env={'LD_TRACE_LOADED_OBJECTS': '1'})
    for path in re.findall(r'^\s*(?:\S+ => )?(/.*) \(0x', traced, re.M):
        if LIBC.match(os.path.basename(path)):
            os.makedirs(folder + os.path.dirname(path), exist_ok=True)
            shutil.copy(path, folder + path)
    for name in 'dev', 'proc', 'opt', 'here':
        os.mkdir(f'{folder}/{name}')
    shutil.copytree(unpack()[1], f'{folder}/opt/adit')


def enter(mounts, place):
    """The words before a command that let it see what the shell's `mounts` of "$1", which is
    `place`, make of the files."""
    words = ['unshare', '--map-root-user', '--mount', 'sh', '-c',
             f'PATH=$PATH:/usr/sbin:/sbin; {{ {mounts}; }} || exit 99; shift; exec "$@"', 'sh',
             place]
    try:
        tried = call(*words, 'true')
    except FileNotFoundError as error:
        raise tap.Skip('no unshare here') from error
    if tried.returncode != 0:
        raise tap.Skip(f'no namespace of one\'s own here: {tried.stderr.strip()}')
    return words


def host_without_loader():
    """The same devices with the bundle's loader as with the system's, whose file is hidden here."""
    def describe(*words):
        return succeed(*words, program(), 'devices', env={'PATH': os.environ['PATH']})
    words = enter('mount --bind /dev/null "$1"', find_loader())
    devices = [line for line in describe().splitlines() if line.startswith('vulkan:')]
    if not devices:
        raise tap.Skip('no Vulkan device here')
    for device in devices:
        assert device in describe(*words), f'no {device}'


@in_folder
def bare_host():
    """Nothing but the C library, /dev and /proc."""
    bare_root(os.path.realpath('.'))
    words = enter('mount --rbind /dev "$1/dev" && mount --rbind /proc "$1/proc"', os.getcwd())
    words += ['chroot', os.getcwd(), '/opt/adit/bin/adit']

    def command(*arguments):
        return succeed(*words, *arguments, env={'PATH': os.environ['PATH']})
    os.chdir('here')
    try_everything(command, '/here/')
    command('run', f'/opt/adit/{TUTORIAL}', '--run-dir', '/here/run', *EPOCHS)
    expect(len(figures('run')), 4)


def old_libc():
    """What the last line of share/bundle says: no symbol is of a newer C library."""
    _, top = unpack()
    binaries = [f'{top}/bin/adit', *(f'{top}/lib/{name}' for name in list_below(f'{top}/lib'))]
    symbols = succeed('objdump', '-T', *binaries)
    needed = {tuple(map(int, version.split('.')))
              for version in re.findall(r'\bGLIBC_([\d.]+)', symbols)}
    assert needed, 'no symbol of the C library'
    here_is = tuple(map(int, os.confstr('CS_GNU_LIBC_VERSION').split()[1].split('.')))
    if here_is > NEWEST_LIBC:
        raise tap.Skip(f'built with glibc {here_is}, newer than {NEWEST_LIBC}')
    assert max(needed) <= NEWEST_LIBC, f'glibc {max(needed)}, at most {NEWEST_LIBC}'


def other_packing():
    """Another name, another packing, and nothing lies beside it."""
    with tempfile.TemporaryDirectory() as folder:
        done = bundle('-C', BUILD, 'a name.tar.xz', cwd=folder, env={**os.environ, 'XZ_OPT': '-0'})
        expect(done.returncode, 0)
        expect(os.listdir(folder), ['a name.tar.xz'])
        last = done.stderr.splitlines()[-1]
        assert re.fullmatch(rf'bundle: {os.path.realpath(folder)}/a name\.tar\.xz: \d+ KiB, '
                            r'for glibc 2\.\d+ or newer', last), last
        assert 'adit-' in succeed('tar', '-tJf', f'{folder}/a name.tar.xz')


def wrong_calls():
    for arguments, message in (
            (['a.zip'], "bundle: FILE must end in .tar.gz or .tar.xz, got 'a.zip'"),
            (['.tar.gz'], "bundle: FILE must end in .tar.gz or .tar.xz, got '.tar.gz'"),
            (['a.tar.gz', 'b.tar.gz'], 'bundle: one FILE is expected, got 2'),
            (['-x'], 'bundle: unknown option or missing argument: -x'),
            (['-C'], 'bundle: unknown option or missing argument: -C')):
        done = bundle(*arguments)
        expect((done.returncode, done.stderr.splitlines()[0]), (2, message))
    with tempfile.TemporaryDirectory() as folder:
        done = bundle('-C', folder, f'{folder}/a.tar.gz')
        expect((done.returncode, os.listdir(folder)), (1, []))
        expect(done.stderr.splitlines()[-1], f'bundle: {folder} is no build folder of Meson')
    done = bundle('-h')
    expect((done.returncode, done.stderr), (0, ''))
    assert done.stdout.startswith('usage: share/bundle'), done.stdout


tap.run([(f'/setup/bundle/{name}', case) for name, case in {
    'contents': contents,
    'licences': licences,
    'brings-loader': brings_loader,
    'no-runtime': no_runtime,
    'own-libraries': own_libraries,
    'opened-libraries': opened_libraries,
    'empty-environment': empty_environment,
    'other-environment': other_environment,
    'by-link': by_link,
    'host-without-loader': host_without_loader,
    'bare-host': bare_host,
    'old-libc': old_libc,
    'other-packing': other_packing,
    'wrong-calls': wrong_calls,
}.items()])
