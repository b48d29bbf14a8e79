#!/usr/bin/env python3
# tests/setup/test-bootstrap.py - SPDX-License-Identifier: MIT
"""What share/bootstrap does on systems of every kind: a copy of it runs in a tree of its own, with
stand-ins for the programs it calls and nothing else in PATH than a few plain tools."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, os.path.dirname(here))
import tap  # noqa: E402

TOOLS = ['sh', 'cat', 'chmod', 'dirname', 'env', 'find', 'mkdir', 'mktemp', 'rm', 'sort', 'tail',
         'touch']

# Each stand-in writes its call to the log; "missing" names what pkg-config does not find until an
# installation has emptied that file.
STAND_INS = {
    'cc': 'exit 0',
    'glib-compile-resources': 'exit 0',
    'glslc': 'exit 0',
    'spirv-val': 'exit 0',
    'gnuplot': 'exit 0',
    'ninja': 'log; [ ! -e "$TREE/broken" ] || { echo "error: broken"; exit 1; }',
    'meson': '''case $1 in
--version) echo 1.0.1 ;;
setup)
    log
    for word; do folder=$next next=$word; done
    mkdir -p "$folder"
    touch "$folder/build.ninja"
    ;;
*) log ;;
esac''',
    'pkg-config': 'case " $(cat "$TREE/missing") " in *" $2 "*) exit 1 ;; esac',
    'apt-get': 'log; case "$*" in *install*) : >"$TREE/missing" ;; esac',
    'dnf': 'log; : >"$TREE/missing"',
    'pacman': 'log; echo "error: no mirror"; exit 1',
    'sudo': 'log; "$@"',
    'id': 'echo "$ADIT_TEST_UID"',
}
PLAIN = ['cc', 'gnuplot', 'glib-compile-resources', 'glslc', 'ninja', 'meson', 'pkg-config',
         'spirv-val', 'id']
DRIVER = 'data/vulkan/icd.d/lvp_icd.x86_64.json'
LAYER = 'data/vulkan/explicit_layer.d/VkLayer_khronos_validation.json'


class Machine:
    """A tree with the script and a system that has the stand-ins `programs`."""

    def __init__(self, folder, programs=(), missing='', uid=0):
        self.tree = os.path.join(folder, 'tree')
        bin_folder = os.path.join(folder, 'bin')
        os.makedirs(os.path.join(self.tree, 'share'))
        os.makedirs(bin_folder)
        shutil.copy(os.path.join(root, 'share', 'bootstrap'), os.path.join(self.tree, 'share'))
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(bin_folder, tool))
        for name in [*PLAIN, *programs]:
            path = os.path.join(bin_folder, name)
            with open(path, 'w', encoding='utf-8') as stream:
                print('#!/bin/sh\nlog() { echo "${0##*/} $args" >>"$TREE/calls"; }\nargs=$*\n'
                      + STAND_INS[name], file=stream)
            os.chmod(path, 0o755)
        self.write('missing', missing)
        self.write('calls', '')
        self.write(DRIVER, '')
        self.write(LAYER, '')
        self.environment = {'PATH': bin_folder, 'TREE': self.tree, 'ADIT_TEST_UID': str(uid),
                            'XDG_DATA_DIRS': f'{folder}/none:{self.tree}/data'}

    def path(self, name):
        return os.path.join(self.tree, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w', encoding='utf-8') as stream:
            stream.write(text)

    def calls(self):
        with open(self.path('calls'), encoding='utf-8') as stream:
            lines = stream.read().replace(self.tree, 'TREE').splitlines()
        self.write('calls', '')
        return lines

    def run(self, *arguments):
        return subprocess.run(['/bin/sh', self.path('share/bootstrap'), *arguments], text=True,
                              env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)


def on_machine(**machine):
    def decorate(case):
        def run():
            with tempfile.TemporaryDirectory() as folder:
                case(Machine(folder, **machine))
        return run
    return decorate


def expect(got, expected):
    assert got == expected, f'expected {expected!r}\ngot      {got!r}'


@on_machine(programs=['apt-get'])
def nothing_missing(machine):
    done = machine.run('build')
    expect((done.returncode, done.stdout), (0, ''))
    expect(machine.calls(), ['meson setup TREE/build TREE', 'ninja -C TREE/build'])
    expect(done.stderr, 'bootstrap: configuring build/\nbootstrap: building build/\n')
    expect(machine.run().returncode, 0)
    expect(machine.calls(), ['ninja -C TREE/build'])


@on_machine(programs=['apt-get', 'dnf', 'pacman'], missing='yaml-0.1 liblzma')
def debian(machine):
    expect(machine.run('build').returncode, 0)
    expect(machine.calls()[:2], [
        'apt-get update', 'apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends '
                          'libyaml-dev liblzma-dev'])


@on_machine(programs=['apt-get', 'sudo'], missing='yaml-0.1', uid=1000)
def debian_sudo(machine):
    expect(machine.run('build').returncode, 0)
    calls = machine.calls()
    expect(calls[0], 'sudo apt-get update')
    expect(calls[2][:49], 'sudo env DEBIAN_FRONTEND=noninteractive apt-get -')


@on_machine(programs=['apt-get'], missing='yaml-0.1', uid=1000)
def no_rights(machine):
    done = machine.run('build')
    expect((done.returncode, machine.calls()), (1, []))
    expect(done.stderr, 'bootstrap: missing: libyaml; run this as root, then this script again:\n'
                        '  apt-get update\n'
                        '  apt-get -o DPkg::Lock::Timeout=300 install -y '
                        '--no-install-recommends libyaml-dev\n')


@on_machine(programs=['dnf'], missing='glib-2.0 json-glib-1.0')
def fedora(machine):
    expect(machine.run('build').returncode, 0)
    expect(machine.calls()[0],
           'dnf install -y --setopt=install_weak_deps=False glib2-devel json-glib-devel')


@on_machine(programs=['apt-get'])
def without_vulkan(machine):
    for need in [DRIVER, LAYER, '../bin/glslc']:
        os.remove(machine.path(need))
    done = machine.run('build')
    expect((done.returncode, machine.calls()[1]), (
        1, 'apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends '
           'glslc mesa-vulkan-drivers vulkan-validationlayers'))
    expect(done.stderr.splitlines()[-1], 'bootstrap: still missing after installing: glslc, '
           'a software Vulkan device, the Vulkan validation layer; this system\'s version may be '
           'too old')


@on_machine(programs=['pacman'], missing='liblzma')
def failed_installation(machine):
    done = machine.run('build')
    expect((done.returncode, machine.calls()), (1, ['pacman -S --needed --noconfirm xz']))
    expect(done.stderr, 'bootstrap: installing xz\nerror: no mirror\nbootstrap: this failed with '
                        'exit code 1: env DEBIAN_FRONTEND=noninteractive pacman -S --needed '
                        '--noconfirm xz\n')


@on_machine(missing='zlib')
def no_manager(machine):
    done = machine.run('build')
    expect(done.returncode, 1)
    expect(done.stderr, 'bootstrap: missing: zlib; no apt-get, dnf or pacman here: install them, '
                        'then run this again\n')


@on_machine()
def configures_anew(machine):
    machine.run('build')
    machine.write('build/bootstrap.stamp', '/elsewhere 0.9')
    machine.calls()
    machine.run('build')
    expect(machine.calls()[0], 'meson setup --wipe TREE/build TREE')
    machine.write('tests/new/meson.build', '')
    machine.run('build')
    expect(machine.calls()[0], 'meson setup --reconfigure TREE/build TREE')
    machine.run('build')
    expect(machine.calls(), ['ninja -C TREE/build'])


@on_machine()
def hands_on(machine):
    machine.write('build/core/tool/adit', '''#!/bin/sh
printf '<%s>' "$@"
echo "$ADIT_PLUGIN_SYSTEM_PATH $ADIT_PIPELINES_DIR $ADIT_PLOTS_DIR"
exit 75
''')
    os.chmod(machine.path('build/core/tool/adit'), 0o755)
    done = machine.run('run', 'a file.yaml', '-o', 'x=1')
    tree = machine.tree
    expect(done.stdout, f'<run><a file.yaml><-o><x=1>{tree}/build/plugins {tree}/pipelines '
           f'{tree}/share/plots\n')
    expect(done.returncode, 75)


@on_machine()
def broken_build(machine):
    machine.write('broken', '')
    for verb in 'test', 'sanitize':
        done = machine.run(verb)
        expect((done.returncode, done.stdout), (1, '0 passed, 1 failed, 0 skipped\n'))
        expect(done.stderr.splitlines()[-2], 'error: broken')
    done = machine.run('run', 'x.yaml')
    expect((done.returncode, done.stdout), (1, ''))


@on_machine()
def prints_help(machine):
    done = machine.run('help')
    expect((done.returncode, machine.calls(), done.stderr), (0, [], ''))
    assert done.stdout.startswith('usage: share/bootstrap'), done.stdout


tap.run([(f'/setup/bootstrap/{case}', function) for case, function in {
    'nothing-missing': nothing_missing,
    'debian': debian,
    'debian-sudo': debian_sudo,
    'no-rights': no_rights,
    'fedora': fedora,
    'without-vulkan': without_vulkan,
    'failed-installation': failed_installation,
    'no-manager': no_manager,
    'configures-anew': configures_anew,
    'hands-on': hands_on,
    'broken-build': broken_build,
    'help': prints_help,
}.items()])
