#!/usr/bin/env python3
# tests/style/test-style.py - SPDX-License-Identifier: MIT
"""The house rules over the whole tree, and whether each rule catches what it is for.

Every folder of fixtures/ is a small tree; its file `expected` lists what must be found in it, one
`FILE:LINE: RULE` a line. Limits are tried at both sides by generated files.
"""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
sys.path[:0] = [here, os.path.dirname(here)]
import rules  # noqa: E402
import tap  # noqa: E402

FIXTURES = os.path.join(here, 'fixtures')
FOLDERS = rules.core_folders(root)


def tree_case(name, tree_result):
    def case():
        broken, untried, waivers = tree_result
        if name in untried:
            raise tap.Skip(untried[name])
        if name == 'waiver':
            print(f'# {waivers.count()} waivers')
        found = broken[name]
        assert not found, '\n'.join(map(str, found))
    return f'/style/tree/{name}', case


def find_all(folder):
    broken, untried, _ = rules.check(rules.Tree(folder, FOLDERS))
    return [violation for found in broken.values() for violation in found], untried


def expect(found, expected):
    got = sorted(f'{violation.file}:{violation.line}: {violation.rule}' for violation in found)
    assert got == sorted(expected), 'expected: {}\nfound: {}'.format(
        ', '.join(expected) or 'nothing', ', '.join(map(str, found)) or 'nothing')


def fixture_case(name):
    def case():
        folder = os.path.join(FIXTURES, name)
        found, untried = find_all(folder)
        with open(os.path.join(folder, 'expected'), encoding='utf-8') as stream:
            expected = stream.read().splitlines()
        if name in untried:
            raise tap.Skip(untried[name])
        expect(found, expected)
    return f'/style/fixtures/{name}', case


def limit_case(rule, make, most):
    """make(n) is {file: text} with n of what is limited; the violation stands in the last file."""
    def case():
        for n, breaks in ((most, False), (most + 1, True)):
            with tempfile.TemporaryDirectory() as folder:
                files = make(n)
                for file, text in files.items():
                    path = os.path.join(folder, file)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, 'w', encoding='utf-8') as stream:
                        stream.write(text)
                found = [violation for violation in rules.RULES[rule](rules.Tree(folder, FOLDERS))]
                assert [v.file for v in found] == [list(files)[-1]] * breaks, \
                    f'{n} with limit {most}: found {list(map(str, found))}'
    return f'/style/limits/{rule}-{most}', case


def function_of(lines):
    body = '    x();\n' * (lines - 4)
    return {'core/base/a.c': f'#include <a.h>\n\nstatic void\nf(void)\n{{\n{body}}}\n\nint x;\n'}


def nested(depth):
    kinds = ['if (x) {', 'for (;;) {', 'while (x)', 'switch (x) {\ncase 1:', 'G_FOREACH(x, y) {']
    opened = [kinds[level % len(kinds)] for level in range(depth)]
    closed = '}\n' * sum(kind.count('{') for kind in opened)
    start = 'int\nf(void)\n{\nif (x)\ny = (T){1};\nelse if (x)\nz();\n'
    return {'core/base/a.c': start + '\n'.join(opened) + '\nx();\n' + closed + '}\n'}


def file_of(name):
    return lambda lines: {name: 'int x;\n' * lines}


def main():
    result = rules.check(rules.Tree(root, FOLDERS, exclude=[os.path.relpath(FIXTURES, root)]))
    cases = [tree_case(name, result) for name in [*rules.RULES, 'waiver']]
    cases += [fixture_case(name) for name in sorted(os.listdir(FIXTURES))]
    cases += [
        limit_case('function-length', function_of, 80),
        limit_case('nesting', nested, 4),
        limit_case('file-length', file_of('core/base/a.c'), 900),
        limit_case('file-length', file_of('plugins/blocks/a.c'), 350),
        limit_case('file-length', file_of('plugins/kernels/a.c'), 500),
        limit_case('file-length', file_of('shaders/a.comp'), 250),
        limit_case('file-length', file_of('core/base/a.h'), 400),
    ]
    tap.run(cases)


main()
