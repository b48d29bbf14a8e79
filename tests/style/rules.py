# tests/style/rules.py - SPDX-License-Identifier: MIT
"""The house rules, each a function from a tree to what breaks it.

A comment `nocheck: RULE` waives a rule on its own line and the next; for a rule about a whole file
it may stand anywhere in it. Waivers are counted and printed; one that waives nothing is an error.
"""

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

import source

C_SUFFIXES = ('.c', '.h')
SHADER_SUFFIXES = ('.comp', '.glsl')
SCRIPT_SUFFIXES = ('.py', '.sh')
TEXT_SUFFIXES = C_SUFFIXES + SHADER_SUFFIXES + SCRIPT_SUFFIXES + (
    '.build', '.def', '.gp', '.in', '.md', '.supp', '.txt', '.yaml', '.yml')
TEXT_NAMES = ('share/bootstrap', 'share/bundle', '.ci/run')
FUNCTION_LINES = 80
NESTING = 4
FILE_LINES = {'core': 900, 'plugins': 350, 'shaders': 250}
LIBRARIES = tuple(os.path.join('plugins', folder, '') for folder in ('algebra', 'kernels'))
KERNEL_LINES = 500
HEADER_LINES = 400
# Plugins read no files, no clock, no environment; numbers are printed and parsed by GLib.
PLUGIN_HEADERS = {'adit/adit-plugin.h', 'assert.h', 'complex.h', 'ctype.h', 'errno.h', 'float.h',
                  'inttypes.h', 'limits.h', 'math.h', 'stdarg.h', 'stdbool.h', 'stddef.h',
                  'stdint.h', 'stdlib.h', 'string.h', 'tgmath.h'}
CLANG_FORMAT_VERSION = 14
WHOLE_FILE = {'clang-format', 'file-length', 'spdx', 'readme'}

PRINTS = re.compile(r'\b(g_print|g_printerr|printf|vprintf|puts|putchar)\s*\(')
GOTO = re.compile(r'\bgoto\b')
MACHINE_PATH = re.compile(r'(?<![\w.~})$*])/(?:home|root|Users|work|mnt)/\w')
UNFINISHED = re.compile(r'\b(?:TO' r'DO|FIX' r'ME)\b')
PLUGIN_NAME = re.compile(r'\b(ADIT_PLUGIN\w*|adit_component_class_describe)\s*'
                         r'\((?:\s*klass\s*,|\s*\w+\(klass\)\s*,)?\s*"([^"]*)"')
WAIVER = re.compile(r'\bnocheck: ([a-z-]+)')


@dataclass(order=True)
class Violation:
    file: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f'{self.file}:{self.line}: {self.rule}: {self.message}'


class Unavailable(Exception):
    """A rule that cannot be tried here, with the reason."""


class Tree:
    """The files of a checkout; `exclude` are folders that stand outside the rules."""

    def __init__(self, root, folders, exclude=()):
        self.root = root
        self.folders = folders  # of the core, in dependency order
        self.files = sorted(self.walk(set(exclude)))

    def walk(self, exclude):
        for where, folders, names in os.walk(self.root):
            here = os.path.relpath(where, self.root)
            folders[:] = [name for name in folders
                          if os.path.normpath(os.path.join(here, name)) not in exclude
                          and name not in ('.git', '__pycache__')
                          and not os.path.exists(os.path.join(where, name, 'meson-private'))]
            for name in names:
                yield os.path.normpath(os.path.join(here, name))

    @functools.lru_cache(maxsize=None)
    def read(self, file):
        with open(os.path.join(self.root, file), encoding='utf-8') as stream:
            return stream.read()

    @functools.lru_cache(maxsize=None)
    def code(self, file):
        return source.hide_comments_and_strings(self.read(file))

    def select(self, suffixes, *tops):
        return [file for file in self.files if file.endswith(suffixes)
                and (not tops or file.split(os.sep)[0] in tops)]

    def c_files(self, *tops):
        return self.select(C_SUFFIXES, *tops)

    def plugins(self, suffixes=C_SUFFIXES):
        """Those of components; others have modules of libraries."""
        return [file for file in self.select(suffixes, 'plugins')
                if not file.startswith(LIBRARIES)]

    def texts(self):
        return [file for file in self.files if file.endswith(TEXT_SUFFIXES) or file in TEXT_NAMES]


def core_folders(root):
    """The dependency order, as the build has it."""
    with open(os.path.join(root, 'core', 'meson.build'), encoding='utf-8') as stream:
        body = re.search(r'^core_folders = \[(.*?)\]', stream.read(), re.S | re.M)[1]
    return ['adit', *re.findall(r"'([a-z]+)'", body), 'tool']


def folder_of(file):
    """The core folder of core/FOLDER/..., else None."""
    parts = file.split(os.sep)
    return parts[1] if parts[0] == 'core' and len(parts) > 2 else None


def matches(text, pattern):
    """(line, match) of every occurrence."""
    return [(text.count('\n', 0, match.start()) + 1, match) for match in pattern.finditer(text)]


def find_clang_format():
    for name in (f'clang-format-{CLANG_FORMAT_VERSION}', 'clang-format'):
        if shutil.which(name):
            version = subprocess.run([name, '--version'], stdout=subprocess.PIPE, text=True,
                                     check=True).stdout
            if re.search(rf'version {CLANG_FORMAT_VERSION}\.', version):
                return name
    raise Unavailable(f'clang-format {CLANG_FORMAT_VERSION} is not installed')


def clang_format(tree):
    program = find_clang_format()
    files = tree.c_files()
    if not files:
        return
    done = subprocess.run([program, '--dry-run', *files], cwd=tree.root, text=True, check=True,
                          stderr=subprocess.PIPE)
    seen = set()
    for file, line in re.findall(r'^(\S+?):(\d+):\d+: warning: code should be', done.stderr, re.M):
        if file not in seen:
            seen.add(file)
            yield Violation(file, int(line), 'clang-format', f'run {program} -i {file}')


def folder_order(tree):
    homes = {}
    for header in tree.c_files('core'):
        homes.setdefault(os.path.basename(header), set()).add(folder_of(header))
    rank = {folder: number for number, folder in enumerate(tree.folders)}
    for file in tree.c_files('core'):
        own = folder_of(file)
        for line, quoted, name in source.list_includes(tree.read(file)):
            allowed = [home for home in homes.get(name, ())
                       if rank.get(home, 99) <= rank.get(own, 99)]
            if quoted and name in homes and not allowed:
                yield Violation(file, line, 'folder-order',
                                f'{own} includes {name} of {min(homes[name])}, which is below it')


def include_path(tree):
    for file in tree.c_files('core', 'plugins'):
        for line, quoted, name in source.list_includes(tree.read(file)):
            if quoted and '/' in name:
                yield Violation(file, line, 'include-path',
                                f'"{name}": private headers go by bare name, public by <adit/...>')


def vulkan(tree):
    home = os.path.join('core', 'device', 'vulkan', '')
    for file in tree.c_files():
        for line, _, name in source.list_includes(tree.read(file)):
            if name.startswith('vulkan') and not file.startswith(home):
                yield Violation(file, line, 'vulkan', f'only {home} includes {name}')


def plugin_includes(tree):
    for file in tree.plugins():
        for line, quoted, name in source.list_includes(tree.read(file)):
            if quoted or not (name in PLUGIN_HEADERS or name.startswith('glib')):
                yield Violation(file, line, 'plugin-includes',
                                f'plugins see adit/adit-plugin.h, GLib and math.h, got {name}')


def function_length(tree):
    for file in tree.c_files():
        for function in source.list_functions(tree.read(file)):
            if function.length > FUNCTION_LINES:
                yield Violation(file, function.line, 'function-length',
                                f'{function.name} has {function.length} lines; '
                                f'the limit is {FUNCTION_LINES}')


def nesting(tree):
    for file in tree.c_files():
        for function in source.list_functions(tree.read(file)):
            if function.nesting > NESTING:
                yield Violation(file, function.deepest, 'nesting',
                                f'{function.name} nests {function.nesting} deep, at most {NESTING}')


def file_length(tree):
    for file in tree.select(C_SUFFIXES + SHADER_SUFFIXES, *FILE_LINES):
        most = FILE_LINES[file.split(os.sep)[0]]
        if file.startswith(LIBRARIES):
            most = KERNEL_LINES
        if file.endswith('.h'):
            most = HEADER_LINES
        lines = tree.read(file).count('\n')
        if lines > most:
            yield Violation(file, 1, 'file-length', f'{lines} lines, at most {most}')


def goto(tree):
    for file in tree.c_files():
        for line, _ in matches(tree.code(file), GOTO):
            yield Violation(file, line, 'goto', 'write a function or a loop')


def printing(tree):
    for file in tree.c_files('core', 'plugins'):
        if folder_of(file) != 'tool':
            for line, match in matches(tree.code(file), PRINTS):
                yield Violation(file, line, 'print',
                                f'{match[1]} outside core/tool; use a GError or g_log')


def machine_path(tree):
    for file in tree.texts():
        for line, match in matches(tree.read(file), MACHINE_PATH):
            yield Violation(file, line, 'machine-path', f'a path of one machine: {match[0]}...')


def spdx(tree):
    for file in tree.texts():
        lines = tree.read(file).split('\n')
        text = f'{file} - SPDX-License-Identifier: MIT'
        if file.endswith(C_SUFFIXES + SHADER_SUFFIXES + ('.def',)):
            expected, got = f'/* {text} */', lines[:1]
        elif file.endswith(SCRIPT_SUFFIXES) or file in TEXT_NAMES:
            expected, got = f'# {text}', lines[:2]
        else:
            continue
        if expected not in got:
            yield Violation(file, 1, 'spdx', f'the first line must be "{expected}"')


def unfinished(tree):
    for file in tree.texts():
        for line, match in matches(tree.read(file), UNFINISHED):
            yield Violation(file, line, 'unfinished', f'{match[0]}: finish it or leave it out')


def readme(tree):
    for folder in sorted({folder_of(file) for file in tree.c_files('core')} - {None}):
        file = os.path.join('core', folder, 'README.md')
        if file not in tree.files:
            yield Violation(file, 1, 'readme', 'missing: what lives here, what enters, what leaves')


def plugin_name(tree):
    for file in tree.plugins(('.c',)):
        stem = os.path.basename(file)[:-len('.c')]
        found = matches(source.hide_comments(tree.read(file)), PLUGIN_NAME)
        if not any(match[1].startswith('ADIT_PLUGIN') for _, match in found):
            yield Violation(file, 1, 'plugin-name', f'no ADIT_PLUGIN("{stem}", ...)')
        for line, match in found:
            if match[2].replace(':', '-') != stem:
                yield Violation(file, line, 'plugin-name',
                                f'"{match[2]}" in {stem}.c: one name, one spelling')


RULES = {
    'clang-format': clang_format,
    'folder-order': folder_order,
    'include-path': include_path,
    'vulkan': vulkan,
    'plugin-includes': plugin_includes,
    'function-length': function_length,
    'nesting': nesting,
    'file-length': file_length,
    'goto': goto,
    'print': printing,
    'machine-path': machine_path,
    'spdx': spdx,
    'unfinished': unfinished,
    'readme': readme,
    'plugin-name': plugin_name,
}


class Waivers:
    """The waivers of a tree and whether each was needed."""

    def __init__(self, tree):
        self.used = {}
        for file in tree.texts():
            if not file.endswith(('.md', *SCRIPT_SUFFIXES)):
                for line, match in matches(tree.read(file), WAIVER):
                    self.used[file, line, match[1]] = False

    def waive(self, violation):
        for file, line, rule in self.used:
            near = violation.rule in WHOLE_FILE or line in (violation.line - 1, violation.line)
            if (file, rule) == (violation.file, violation.rule) and near:
                self.used[file, line, rule] = True
                return True
        return False

    def count(self):
        return sum(self.used.values())

    def idle(self, rules):
        for (file, line, rule), used in self.used.items():
            if not used and (rule in rules or rule not in RULES):
                yield Violation(file, line, 'waiver', f'nothing here breaks rule "{rule}"')


def check(tree):
    """({rule: violations that stand}, {rule: why it could not be tried}, waivers)."""
    waivers, broken, untried = Waivers(tree), {}, {}
    for name, rule in RULES.items():
        try:
            found = list(rule(tree))
        except Unavailable as reason:
            untried[name] = str(reason)
            continue
        broken[name] = sorted(violation for violation in found if not waivers.waive(violation))
    broken['waiver'] = sorted(waivers.idle(broken))
    return broken, untried, waivers
