#!/usr/bin/env python3
# tests/shaders/test-shaders.py - SPDX-License-Identifier: MIT
"""Every compiled kernel in every form: is it valid, and does it keep to shaders/README.md?

usage: test-shaders.py FILE.spv...
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, os.path.dirname(here))
import tap  # noqa: E402

KERNELS = os.path.join(root, 'core', 'device', 'vulkan', 'adit-vulkan-kernels.def')
POINTWISE = os.path.join(root, 'core', 'ops', 'adit-pointwise.def')
FORMS = {'.plain.spv', '.subgroup.spv', '.spv'}
STORAGE_BUFFERS = 8
PUSH_BYTES = 128
INVOCATIONS = 128


def tool(name, *arguments):
    if shutil.which(name) is None:
        raise tap.Skip(f'no {name}')
    done = subprocess.run([name, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    assert done.returncode == 0, f'{name} {" ".join(arguments)}\n{done.stdout}'
    return done.stdout


def valid(file):
    tool('spirv-val', '--target-env', 'vulkan1.2', file)


def keeps_the_rules(file):
    """What the text of a module shows: no atomics, subgroups in their own form alone, and no
    capability, buffer or push constant that a small device lacks."""
    text = tool('spirv-dis', file)
    assert 'OpAtomic' not in text, 'atomics: the order of a sum is the driver\'s'
    allowed = {'Shader'}
    if file.endswith('.subgroup.spv'):
        allowed |= {'GroupNonUniform', 'GroupNonUniformShuffle', 'GroupNonUniformShuffleRelative'}
    capabilities = set(re.findall(r'OpCapability (\w+)', text))
    assert capabilities <= allowed, f'needs {", ".join(sorted(capabilities - allowed))}'
    buffers = re.findall(r'OpDecorate \S+ Binding \d+', text)
    assert len(buffers) <= STORAGE_BUFFERS, f'{len(buffers)} storage buffers'
    for push in re.findall(r'OpTypePointer PushConstant (%\w+)', text):
        offsets = re.findall(rf'OpMemberDecorate {push} \d+ Offset (\d+)', text)
        assert all(int(offset) < PUSH_BYTES for offset in offsets), f'push constants: {offsets}'
    sizes = [int(size) for size in
             re.search(r'OpExecutionMode \S+ LocalSize (\d+) (\d+) (\d+)', text).groups()]
    assert sizes[0] * sizes[1] * sizes[2] <= INVOCATIONS, f'a workgroup of {sizes}'


def workgroup_sizes():
    """glslc takes gl_WorkGroupSize for 1 where the layout that says it comes later: heads use it in
    macros alone."""
    include = os.path.join(root, 'shaders', 'include')
    for name in sorted(os.listdir(include)):
        with open(os.path.join(include, name), encoding='utf-8') as stream:
            text = re.sub(r'^#define(?:.*\\\n)*.*', '', stream.read(), flags=re.M)
        before = re.split(r'^layout\(local_size', text, maxsplit=1, flags=re.M)[0]
        assert 'gl_WorkGroupSize' not in before, f'{name}: gl_WorkGroupSize before its layout'


def kernels():
    """adit-vulkan-kernels.def names shaders that exist, and every shader; none of its kernels is
    called as an operation of adit-pointwise.def, whose shader is pointwise.comp."""
    with open(KERNELS, encoding='utf-8') as stream:
        text = stream.read()
    rows = re.findall(r'^ADIT_VULKAN_KERNEL\("([^"]*)", "([^"]*)", [A-Z_]+\)$', text, re.M)
    products = re.findall(r'"([^"]*)", (?:SLICE_|BATCH_)?TILES\)$', text, re.M)
    with open(POINTWISE, encoding='utf-8') as stream:
        operations = re.findall(r'^ADIT_POINTWISE(?:_HELPER)?\(\s*\w+, "([^"]*)"',
                                stream.read(), re.M)
    assert rows and operations
    names = [name for name, _ in rows] + operations
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f'more than one kernel: {sorted(twice)}'
    named = {shader for _, shader in rows} | {'pointwise'}
    named |= {f'{shader}-direct' for shader in products} # for short sums
    there = {file[:-len('.comp')] for file in os.listdir(os.path.join(root, 'shaders'))
             if file.endswith('.comp')}
    built = {os.path.basename(file).split('.')[0] for file in FILES}
    assert named == there, f'named or there, but not both: {sorted(named ^ there)}'
    assert there == built, f'there or built, but not both: {sorted(there ^ built)}'


def forms():
    """Every kernel is there optimised and not; a form with subgroups where lanes.glsl is used."""
    for file in FILES:
        name, form = os.path.basename(file).split('.', 1)
        assert f'.{form}' in FORMS, file
        with open(os.path.join(root, 'shaders', f'{name}.comp'), encoding='utf-8') as stream:
            has_lanes = '#include "lanes.glsl"' in stream.read()
        has = {other for other in FORMS if f'{os.path.dirname(file)}/{name}{other}' in FILES}
        expected = FORMS if has_lanes else FORMS - {'.subgroup.spv'}
        assert has == expected, f'{name}: expected {sorted(expected)}, got {sorted(has)}'


FILES = sys.argv[1:]
tap.run([('/shaders/kernels', kernels), ('/shaders/forms', forms),
         ('/shaders/workgroup-sizes', workgroup_sizes),
         *((f'/shaders/valid/{os.path.basename(file)}', lambda file=file: valid(file))
           for file in FILES),
         *((f'/shaders/rules/{os.path.basename(file)}', lambda file=file: keeps_the_rules(file))
           for file in FILES)])
