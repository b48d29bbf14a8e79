#!/usr/bin/env python3
# tests/plugins/tutorial/test-tutorial.py - SPDX-License-Identifier: MIT
"""share/doc/plugin-tutorial.md, done as a reader does it: its files are taken from the page, compiled
against an installed Adit outside the tree, loaded, and trained with.

Arguments: Meson, the build folder, the C compiler's words."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
tests = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, tests)
import tap  # noqa: E402

PAGE = os.path.join(os.path.dirname(tests), 'share', 'doc', 'plugin-tutorial.md')
MODULES = ['aggregator-acme-mean', 'block-acme-highway', 'block-acme-smooth', 'probe-acme-idle',
           'regularizer-acme-cauchy', 'schedule-acme-inverse-root']
MAX_LINES = 50

# What section 10 says of mistakes: the module's name, the file, (old, new) and what is told.
BROKEN = {
    'wrong-file-name': ('block-highway', 'highway.c', ('', ''),
                        "it holds 'acme:highway', its file says 'highway'"),
    'two-names': ('block-acme-highway', 'highway.c', ('(klass, "acme:highway"', '(klass, "highway"'),
                  "none of its types is called 'acme:highway'"),
    'undescribed': ('block-acme-highway', 'highway.c',
                    ('adit_component_class_describe(klass, "acme:highway", "Gated mix of a layer '
                     'and its input");', ''), "none of its types is called 'acme:highway'"),
    'wrong-kind': ('loss-acme-highway', 'highway.c', ('', ''),
                   'its component is of kind block, its file name says loss'),
    'no-descriptor': ('block-acme-highway', 'highway.c', ('ADIT_PLUGIN(', 'extern int none; //'),
                      'no symbol adit_plugin_descriptor'),
}
REFUSED = {
    'nothing-built': ('return adit_add(x, adit_mul(t, adit_sub(h, x)));', 'return NULL;',
                      "block 'acme:highway' built nothing"),
    'same-prefix': ('"transform"', '"gate"', "parameter 'trunk.1.gate.weight' is made twice"),
    'bad-shapes': ('adit_dense(x, width, TRUE, NULL, NULL, "gate")',
                   'adit_dense(x, 2 * width, TRUE, NULL, NULL, "gate")',
                   'cannot mul 16 and 8'),
}


def read_page():
    """The page's text and its files: blocks whose first line says ```LANGUAGE FILE."""
    with open(PAGE, encoding='utf-8') as stream:
        text = stream.read()
    blocks = re.findall(r'^```[a-z]+ ([^\s`]+)\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    return text, dict(blocks)


class Reader:
    """A folder of the reader's, and an Adit installed for them."""

    def __init__(self, folder, meson, build, compiler):
        self.text, self.files = read_page()
        self.folder = folder
        self.meson = meson
        self.build = build
        self.compiler = compiler
        self.root = os.path.join(folder, 'root')
        self.environment = dict(os.environ, CC=' '.join(compiler), NO_COLOR='1',
                                ADIT_DEVICE='cpu')
        for name in ('ADIT_PLUGIN_PATH', 'ADIT_PLUGIN_SYSTEM_PATH', 'ADIT_PIPELINES_DIR',
                     'ADIT_PLOTS_DIR', 'ADIT_DATA', 'DESTDIR', 'G_DEBUG'):
            self.environment.pop(name, None)

    def path(self, *words):
        return os.path.join(self.folder, *words)

    def run(self, command, folder=None, code=0):
        """Standard output and error of a command that must end with `code`."""
        result = subprocess.run(command, cwd=folder or self.folder, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                check=False)
        words = command if isinstance(command, str) else ' '.join(command)
        assert result.returncode == code, \
            f'{words}: {result.returncode}, expected {code}\n{result.stdout}'
        return result.stdout

    def write(self, folder, name, text):
        os.makedirs(self.path(folder), exist_ok=True)
        with open(self.path(folder, name), 'w', encoding='utf-8') as stream:
            stream.write(text)

    def variable(self, name):
        return self.run(['pkg-config', f'--variable={name}', 'adit-1.0']).strip()

    def install(self):
        self.run([self.meson, 'install', '--no-rebuild', '--tags', 'devel,runtime', '--destdir',
                  self.root, '-C', self.build])
        found = [os.path.join(place, 'adit-1.0.pc') for place, _, names in os.walk(self.root)
                 if 'adit-1.0.pc' in names]
        assert len(found) == 1, f'{len(found)} files adit-1.0.pc were installed'
        self.environment['PKG_CONFIG_PATH'] = os.path.dirname(found[0])
        self.environment['LD_LIBRARY_PATH'] = self.variable('libdir')
        self.environment['ADIT_PLUGIN_SYSTEM_PATH'] = self.variable('pluginsdir')
        self.environment['HOME'] = self.folder

    def adit(self, words, plugins, folder=None, code=0):
        command = os.path.join(self.variable('prefix'), 'bin', 'adit')
        if not os.path.exists(command):
            raise tap.Skip('this build has no command adit')
        self.environment['ADIT_PLUGIN_PATH'] = self.path(plugins)
        return self.run([command, *words], folder, code)

    def compile(self, folder, module, name, text):
        """The page's own command, for another module where a mistake is made on purpose."""
        self.write(folder, name, text)
        command = self.files['compile.sh'].replace('block-acme-highway', module)
        command = command.replace('highway.c', name)
        assert command.startswith('cc '), command
        self.run(['sh', '-ec', ' '.join(self.compiler) + command[2:]], self.path(folder))
        assert os.path.exists(self.path(folder, module + '.so'))


def make_cases(reader):
    cases = []

    def case(path):
        def keep(function):
            cases.append(('/tutorial/' + path, function))
            return function
        return keep

    @case('installs')
    def installs():
        reader.install()
        for name in ('pluginsdir', 'includedir', 'libdir'):
            assert os.path.isdir(reader.variable(name)), name
        assert os.path.exists(os.path.join(reader.variable('pluginsdir'), 'block-dense.so'))
        header = os.path.join(reader.variable('includedir'), 'adit-1.0', 'adit', 'adit-plugin.h')
        assert os.path.exists(header), header
        # Everything that the headers include must be asked for by the file itself.
        reader.write('header', 'header.c', '#include <adit/adit.h>\n')
        reader.run(['sh', '-ec', ' '.join(reader.compiler) + ' -Wall -Werror -fsyntax-only '
                    'header/header.c $(pkg-config --cflags adit-1.0)'])

    @case('highway/is-short')
    def is_short():
        count = len(reader.files['highway.c'].splitlines())
        assert count <= MAX_LINES, f'highway.c has {count} lines, expected at most {MAX_LINES}'

    @case('highway/compiles')
    def compiles():
        reader.compile('plugins', 'block-acme-highway', 'highway.c', reader.files['highway.c'])

    @case('all/compile-with-meson')
    def compile_with_meson():
        for name, text in reader.files.items():
            if name.endswith('.c') or name == 'meson.build':
                reader.write('project', name, text)
        reader.run([reader.meson, 'setup', '--werror', '-Dprefix=/usr', 'build'],
                   reader.path('project'))
        reader.run([reader.meson, 'compile', '-C', 'build'], reader.path('project'))
        made = [name[:-3] for name in sorted(os.listdir(reader.path('project', 'build')))
                if name.endswith('.so')]
        assert made == MODULES, made

    @case('highway/is-found')
    def is_found():
        text = reader.adit(['inspect', 'acme:highway'], 'plugins')
        for word in ('acme:highway', 'Gated mix of a layer and its input', 'gate-bias', '-10', '-2',
                     'Bias that the gate starts from'):
            assert word in text, f"no '{word}' in\n{text}"

    @case('highway/trains')
    def trains():
        reader.write('plugins', 'highway.yaml', reader.files['highway.yaml'])
        folder = reader.path('plugins')
        reader.adit(['check', 'highway.yaml'], 'plugins', folder)
        layers = reader.adit(['inspect', 'highway.yaml', '--layers'], 'plugins', folder)
        assert 'trunk.10' in layers, layers
        reader.adit(['run', 'highway.yaml', '--run-dir', 'run', '--threads', '1'], 'plugins', folder)
        with open(reader.path('plugins', 'run', 'metrics.csv'), encoding='utf-8') as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == 20, f'{len(rows)} epochs'
        accuracy = float(rows[-1]['test.accuracy'])
        assert accuracy > 0.95, f'test accuracy {accuracy}'

    @case('all/train')
    def train():
        reader.write('project', 'kinds.yaml', reader.files['kinds.yaml'])
        plugins = os.path.join('project', 'build')
        reader.adit(['run', 'kinds.yaml', '--run-dir', 'run', '--threads', '1'], plugins,
                    reader.path('project'))
        with open(reader.path('project', 'run', 'metrics.csv'), encoding='utf-8') as stream:
            rows = list(csv.DictReader(stream))
        # the schedule: the last update of epoch e is made after e x 15 - 1 steps
        for epoch, row in enumerate(rows, 1):
            expected = 0.02 / (1 + (epoch * 15 - 1) / 15) ** 0.5
            assert abs(float(row['learning-rate']) - expected) < 1e-8, row
        with open(reader.path('project', 'run', 'probes', 'acme-idle.csv'),
                  encoding='utf-8') as stream:
            rows = list(csv.DictReader(stream))
        assert [row['address'] for row in rows] == [f'trunk.{i}' for i in range(1, 7)], rows
        assert all(float(row['units']) == 8 for row in rows), rows

    @case('operation/conforms')
    def conforms():
        program = os.path.join(reader.build, 'tests', 'conformance', 'test-conformance')
        reader.environment['ADIT_PLUGIN_PATH'] = reader.path('project', 'build')
        told = reader.run([program, '-p', '/conformance/block/acme:smooth'])
        for what in ('gradient', 'evaluation', 'training'):
            assert re.search(rf'^ok \d+ /conformance/block/acme:smooth/{what}', told,
                             re.MULTILINE), told

    def train_smooth(device, name):
        reader.write('project', 'smooth.yaml', reader.files['smooth.yaml'])
        told = reader.adit(['run', 'smooth.yaml', '--run-dir', name, '--threads', '1',
                            '--device', device],
                           os.path.join('project', 'build'), reader.path('project'))
        assert 'computing on the CPU' not in told, told

    def read_losses(name):
        with open(reader.path('project', name, 'metrics.csv'), encoding='utf-8') as stream:
            return [float(row['train.loss']) for row in csv.DictReader(stream)]

    @case('operation/trains')
    def operation_trains():
        train_smooth('cpu', 'smooth')
        losses = read_losses('smooth')
        assert len(losses) == 5 and losses[-1] < 0.8 * losses[0], losses

    def need_vulkan():
        if not os.environ.get('ADIT_TEST_SHADERC'):
            raise tap.Skip('this build has no shaderc')
        devices = json.loads(reader.adit(['devices', '--json'], 'plugins'))['devices']
        if not any(device['name'] == 'vulkan:0' and device['usable'] for device in devices):
            raise tap.Skip('no Vulkan device')

    @case('operation/trains-on-vulkan')
    def operation_trains_on_vulkan():
        need_vulkan()
        train_smooth('vulkan:0', 'smooth-vulkan')
        for here, there in zip(read_losses('smooth'), read_losses('smooth-vulkan'), strict=True):
            assert abs(there - here) < 1e-4 * here, (here, there)

    @case('mistakes/shader')
    def shader_mistake():
        message = ("cannot compile the shader acme:smooth:3: 'rank' : no matching overloaded "
                   'function found')
        assert f'`{message}`' in reader.text, f'the page does not say: {message}'
        need_vulkan()
        text = reader.files['smooth.c'].replace('adit_rank(0)', 'rank(0)', 1)
        reader.compile('shader', 'block-acme-smooth', 'smooth.c', text)
        reader.write('shader', 'smooth.yaml', reader.files['smooth.yaml'])
        told = reader.adit(['run', 'smooth.yaml', '--run-dir', 'run', '--device', 'vulkan:0'],
                           'shader', reader.path('shader'), 12)
        assert message in told, told

    def add_broken(name, module, file, change, reason):
        @case('mistakes/' + name)
        def mistake():
            assert f'`{reason}`' in reader.text, f'the page does not say: {reason}'
            text = reader.files[file]
            assert change[0] in text, change[0]
            reader.compile(name, module, file, text.replace(change[0], change[1], 1))
            listed = reader.adit(['inspect', '--broken'], name)
            assert module + '.so' in listed and reason in listed, listed

    def add_refused(name, old, new, message):
        @case('mistakes/' + name)
        def mistake():
            assert f'`{message}`' in reader.text, f'the page does not say: {message}'
            assert old in reader.files['highway.c'], old
            reader.compile(name, 'block-acme-highway', 'highway.c',
                           reader.files['highway.c'].replace(old, new, 1))
            reader.write(name, 'highway.yaml', reader.files['highway.yaml'])
            told = reader.adit(['check', 'highway.yaml'], name, reader.path(name), 2)
            assert re.search(r'^highway\.yaml:7:\d+: error: ' + re.escape(message), told,
                             re.MULTILINE), told

    for name, row in BROKEN.items():
        add_broken(name, *row)
    for name, row in REFUSED.items():
        add_refused(name, *row)
    return cases


def main():
    folder = tempfile.mkdtemp(prefix='adit-tutorial-')
    try:
        tap.run(make_cases(Reader(folder, sys.argv[1], sys.argv[2], sys.argv[3:])))
    finally:
        shutil.rmtree(folder)


if __name__ == '__main__':
    main()
