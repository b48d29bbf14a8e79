#!/usr/bin/env python3
# tests/pipelines/test-receptive-fields.py - SPDX-License-Identifier: MIT
"""What layers see of the input, and networks without their border layers. The numbers were computed
by hand: r + (k - 1) d s along each path, s being the product of the strides before."""

import json
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import adit, expect, in_folder, succeed, write  # noqa: E402

FRAME = '''adit: 1
data: {npy: {inputs: x.npy, targets: y.npy, test: 20%}}
'''
TAIL = '''
  head: [global-pool, {dense: {units: 3}}]
train: {loss: cross-entropy, optimizer: {sgd: {lr: 0.1}}, batch: 4, epochs: 1}
'''
VGG = '''parts:
  unit: {params: {filters: ~}, blocks: {conv: {filters: $filters}}}
  stage:
    params: {filters: ~, convs: 2}
    blocks: [{repeat: {times: $convs, blocks: [{unit: {filters: $filters}}, batch-norm, relu]}}, pool]
model:
  trunk:
    [{stage: {filters: 4}}, {stage: {filters: 8}}, {stage: {filters: 16, convs: 3}},
     {stage: {filters: 16, convs: 3}}, {stage: {filters: 16, convs: 3}}]'''
RESNET = '''parts:
  basic:
    params: {f: ~, s: 1}
    blocks: [{conv: {filters: $f, stride: $s, norm: batch-norm, activation: relu}}, {conv: {filters: $f}}]
model:
  stem: [{conv: {filters: 8, kernel: 7, stride: 2}}, {pool: {size: 3, stride: 2, padding: 1}}]
  trunk:
    aggregator: {residual: {adapt: project, adapt-space: stride}}
    blocks:
      - repeat: {times: 3, blocks: [{basic: {f: 8}}]}
      - basic: {f: 16, s: 2}
      - repeat: {times: 3, blocks: [{basic: {f: 16}}]}
      - basic: {f: 32, s: 2}
      - repeat: {times: 5, blocks: [{basic: {f: 32}}]}
      - basic: {f: 64, s: 2}
      - repeat: {times: 2, blocks: [{basic: {f: 64}}]}'''
# LANGUAGE 3, with one block a stage
MPNET = '''parts:
  layer:
    params: {f: ~, k: ~, s: 1}
    blocks: {conv: {filters: $f, kernel: $k, stride: $s, norm: batch-norm, activation: relu}}
  path:
    params: {n: ~, f: ~, k: ~}
    blocks: [{repeat: {times: $(n - 1), blocks: [{layer: {f: $f, k: $k}}]}}, {layer: {f: $f, k: $k, s: 2}}]
  block:
    params: {f: ~}
    blocks: {paths: {of: {short: {path: {n: 1, k: 3, f: $f}}, long: {path: {n: 4, k: 7, f: $f}}}}}
  stage: {params: {f: ~}, blocks: [{block: {f: $f}}]}
model:
  stem: {conv: {filters: 8}}
  trunk: [{stage: {f: 8}}, {stage: {f: 16}}, {stage: {f: 16}}, {stage: {f: 16}}]'''


def npy(path, shape, kind, body):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    head += ' ' * (63 - (10 + len(head)) % 64) + '\n'
    with open(path, 'wb') as stream:
        stream.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode() + body)


def prepare(text, height=32, width=32):
    npy('x.npy', (20, 3, height, width), '<f4', bytes(20 * 3 * height * width * 4))
    npy('y.npy', (20,), '<i8', b''.join(struct.pack('<q', row % 3) for row in range(20)))
    write('net.yaml', FRAME + text + TAIL)


def fields(*arguments, file='net.yaml'):
    out = succeed('inspect', file, '--receptive-field', '--json', *arguments)
    return {row['address']: row['receptive-field'] for row in json.loads(out)['layers']}


def see(text, *arguments):
    prepare(text)
    return fields(*arguments)


def sides(found, key='min'):
    """{address: one number where both are the same}"""
    return {address: row[key][0] if row[key][0] == row[key][1] else tuple(row[key])
            for address, row in found.items() if key in row}


def kinds(found, kind):
    return [address for address, row in found.items() if row.get('kind') == kind]


def trunk(blocks):
    return f'model:\n  trunk: [{blocks}]'


def vgg():
    found = see(VGG)
    least = sides(found)
    layers = [address for address, row in found.items() if 'kind' in row]
    expect([least[address] for address in layers],
           [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212])
    expect(least, sides(found, 'max'))
    expect(kinds(found, 'border'), layers[8:])
    expect(found['trunk.3.5'], {'min': [32, 32], 'max': [32, 32], 'stride': [4, 4], 'map': [8, 8]})
    expect(found['head'], {'min': [None, None], 'max': [None, None]})
    expect(found['trunk.2.4']['kind'], 'inside')


def strided():
    """Each axis by itself; space to depth, patches, a resize between pixels, adaptive pooling."""
    found = see(trunk('{conv: {filters: 8, kernel: [3, 5], stride: [2, 1], dilation: [2, 1]}}, '
                      'space-to-depth, {conv: {filters: 8}}, '
                      '{pool: {type: average, size: 3, stride: 2, padding: 1}}, '
                      '{resize: {size: [16, 32]}}, {conv: {filters: 8, kernel: 1}}, {conv: {filters: 8}}, '
                      '{resize: {size: [8, 16], method: nearest}}, {pool: {type: average, to: 4}}, '
                      '{conv: {filters: 4}}'))
    least, stride = sides(found), sides(found, 'stride')
    expect([least[f'trunk.{number}'] for number in range(1, 9)],
           [5, (7, 6), (15, 10), (23, 14), (31, 18), (31, 18), (35, 20), (35, 20)])
    expect([stride[f'trunk.{number}'] for number in range(1, 9)],
           [(2, 1), (4, 2), (4, 2), (8, 4), (2, 1), (2, 1), (2, 1), (4, 2)])
    expect((least['trunk.9'], found['trunk']['kind']), (None, 'whole'))
    expect(found['trunk.7']['kind'], 'partly')


def transformer():
    found = see('model:\n  stem: [{patch-embed: {patch: 4, width: 8}}]\n  trunk: ['
                'layer-norm, {dense: {units: 8}}, {positions: {}}, '
                '{sequence: {aggregator: residual, blocks: [{attention: {heads: 2}}]}}, '
                '{dense: {units: 8}}, {attention: {heads: 2}}, {reshape: {shape: [8, 8, 8]}}]')
    expect([sides(found)[address] for address in ('stem', 'trunk.2', 'trunk.4.1', 'trunk.4', 'trunk.5')],
           [4, 4, None, 4, 4])
    expect((found['stem']['stride'], found['stem']['map']), ([4, 4], [8, 8]))
    expect((sides(found)['trunk.6'], sides(found, 'max')['trunk.4']), (None, None))


def paths():
    """Sum, concatenation and skips keep the least and the most."""
    wide = '{conv: {filters: 3, kernel: 7}}'
    ends = f'{{short: {{conv: {{filters: 3}}}}, long: [{wide}, {wide}], skip: []}}'
    for join in ('sum', 'concat', 'max'):
        found = see(trunk(f'{{paths: {{join: {join}, of: {ends}}}}}, {{conv: {{filters: 3}}}}'))
        expect([(sides(found)[f'trunk.{number}'], sides(found, 'max')[f'trunk.{number}'])
                for number in ('1.short', '1.long.1', '1.long', '1')],
               [(3, 3), (7, 7), (13, 13), (1, 13)])
        expect((sides(found)['trunk'], sides(found, 'max')['trunk']), (3, 15))


def unequal():
    """Paths of unequal strides, joined by a cropped skip: the next layer goes by each path's own."""
    found = see('''model:
  trunk:
    - sequence:
        aggregator: {residual: {adapt-space: crop}}
        blocks: [{conv: {filters: 3, kernel: 5, stride: 2}}]
    - {conv: {filters: 3}}''')
    expect((sides(found)['trunk.1'], sides(found, 'max')['trunk.1']), (1, 5))
    expect((sides(found)['trunk'], sides(found, 'max')['trunk']), (3, 9))


def along_one_axis():
    """An operation over the columns sees them all, and one line."""
    found = see(trunk('{conv: {filters: 3}}, layer-norm, {conv: {filters: 3}}'))
    expect((found['trunk.1']['min'], found['trunk.2']['min']), ([3, 3], [3, None]))
    expect(found['trunk']['kind'], 'whole')


def loops():
    """Iterations are gone through one by one, and are what they would be written out."""
    cell = '{paths: {of: {a: {conv: {filters: 3}}, b: [{repeat: {times: 3, blocks: [{conv: {filters: 3}}]}}]}}}'
    rolled = see(trunk(f'{{repeat: {{times: 12, blocks: [{cell}]}}}}'))
    written = see(trunk(', '.join([cell] * 12)))
    # the last iteration of a loop is a tensor of its own
    del rolled['trunk.12']
    expect(rolled, written)
    expect((rolled['trunk.11']['min'], rolled['trunk.11']['max']), ([23, 23], [67, 67]))


def resnet():
    found = see(RESNET)
    least, most = sides(found), sides(found, 'max')
    blocks = ('stem', 'trunk.1.1', 'trunk.1', 'trunk.4.1', 'trunk.4', 'trunk.8.1', 'trunk.8', 'trunk.14.1')
    expect([least[address] for address in blocks], [11, 19, 27, 19, 35, 27, 59, 43])
    expect([most[address] for address in blocks], [11, 19, 27, 67, 83, 195, 227, 579])
    expect((least['trunk'], most['trunk']), (11, 899))
    expect(len(kinds(found, 'border')), 17)
    expect(kinds(found, 'critical'), ['trunk.4', 'trunk.5', 'trunk.6', 'trunk.7'])
    at_224 = fields('--resolution', '224')
    expect((sides(at_224), kinds(at_224, 'border'), at_224['stem']['map']), (least, [], [56, 56]))


def mpnet():
    found = see(MPNET)
    least, most = sides(found), sides(found, 'max')
    long = [least[f'trunk.{stage}.1.long{layer}'] for stage in (1, 2, 3, 4) for layer in ('.1', '.2', '.3', '')]
    expect(long, [9, 15, 21, 27, 17, 29, 41, 53, 33, 57, 81, 105, 65, 113, 161, 209])
    expect([least[f'trunk.{stage}.1.short'] for stage in (1, 2, 3, 4)], [5, 9, 17, 33])
    expect([most[f'trunk.{stage}'] for stage in (1, 2, 3)], [27, 75, 171])
    expect(kinds(found, 'border'), ['trunk.2.1.long', 'trunk.3.1.long.2', 'trunk.3.1.long.3', 'trunk.3.1.long']
           + [f'trunk.4.1.long{layer}' for layer in ('.1', '.2', '.3', '')])
    expect(kinds(found, 'critical'), ['trunk.2.1.long.3', 'trunk.3.1.long.1', 'trunk.4.1.short'])


def judged():
    """A kernel over its whole map; 1x1; one axis alone."""
    conv = '{conv: {filters: 3, kernel: %s}}'
    text = trunk(', '.join([conv % 31, conv % 3, conv % 1, conv % 3, '{conv: {filters: 3, stride: 16}}',
                            conv % 1, '{pool: {size: 2}}', conv % 1]))
    found = see(text)
    expect([found[f'trunk.{number}']['kind'] for number in range(1, 8)],
           ['inside', 'critical', 'border', 'border', 'border', 'border', 'border'])
    found = fields('--except-1x1')
    expect([found[f'trunk.{number}']['kind'] for number in range(1, 8)],
           ['inside', 'critical', 'critical', 'border', 'border', 'critical', 'border'])
    expect(found['trunk']['kind'], 'critical')
    see(trunk(f'{conv % 31}, {conv % 3}'))
    found = fields('--resolution', '16x64')
    expect([found[address]['kind'] for address in ('trunk.1', 'trunk')], ['partly', 'partly'])
    expect(see(trunk('{conv: {filters: 3, kernel: 11, dilation: 4}}'))['trunk']['kind'], 'border')


def table():
    """The columns of a person, beside those of --layers or without them."""
    prepare(trunk('{conv: {filters: 3, kernel: [3, 5], stride: 2}}'))
    expect(succeed('inspect', 'net.yaml', '--receptive-field').splitlines()[:3],
           ['address    shape  field  largest  stride    map  kind',
            'stem     3x32x32      1        1       1  32x32',
            'trunk    3x16x16    3x5      3x5       2  16x16  inside'])
    both = succeed('inspect', 'net.yaml', '--receptive-field', '--layers').splitlines()
    expect(both[0].split(), ['address', 'shape', 'parameters', 'multiply-adds', 'field', 'largest', 'stride',
                             'map', 'kind', 'ports'])
    expect((both[-2].split()[4:], both[-1].split()),
           (['whole', 'whole', 'in', 'head.2:linear', 'collect'], ['total', '150', '34,569']))


def refused():
    prepare(trunk('{conv: {filters: 3}}'))
    for arguments, message in (
            (('--resolution', '32'), '--resolution goes with --receptive-field: adit inspect FILE --receptive-field'),
            (('--except-1x1',), '--except-1x1 goes with --receptive-field: adit inspect FILE --receptive-field'),
            (('--receptive-field', '--resolution', '32by'),
             '\'--resolution\' must be 32 or 24x32 (height x width), of 1..65536, got "32by"'),
            (('--receptive-field', '--resolution', '0'),
             '\'--resolution\' must be 32 or 24x32 (height x width), of 1..65536, got "0"')):
        expect(adit('inspect', 'net.yaml', *arguments), (2, '', f'adit inspect: error: {message}\n'))
    prepare(trunk('{conv: {filters: 3, kernel: 9, padding: valid}}'))
    code, _, err = adit('inspect', 'net.yaml', '--receptive-field', '--resolution', '8')
    assert code == 2 and 'error: at a resolution of 8: conv2d' in err, err
    npy('x.npy', (20, 7), '<f4', bytes(20 * 7 * 4))
    write('net.yaml', FRAME + 'model: {head: {dense: {units: 3}}}\n')
    for more, what in (((), 'receptive fields are of images'), (('--resolution', '8'), "'--resolution' is that of images")):
        expect(adit('inspect', 'net.yaml', '--receptive-field', *more),
               (2, '', f'adit inspect: error: {what}: expected an input of channels x height x width, got 7\n'))


def prune(*arguments):
    code, out, err = adit('prune', 'net.yaml', '--border-layers', *arguments)
    assert code == 0, err
    write('pruned.yaml', out)
    succeed('check', 'pruned.yaml')
    return err.splitlines(), out


def pruned_chain():
    """A chain loses its end, with norms and activations; what is left has no border layer."""
    prepare(VGG)
    said, _ = prune()
    expect(said, ['10 border layers dropped: trunk.3.7, trunk.3.10, trunk.4.1, trunk.4.4, trunk.4.7, trunk.4.10, '
                  'trunk.5.1, trunk.5.4, trunk.5.7, trunk.5.10',
                  'parameters 21,255 -> 4,791, multiply-adds 986,160 -> 700,464'])
    found = fields(file='pruned.yaml')
    expect(list(found)[-8:], ['trunk.3.1', 'trunk.3.2', 'trunk.3.3', 'trunk.3.4', 'trunk.3.5', 'trunk',
                              'head.1', 'head'])
    expect(kinds(found, 'border'), [])
    expect(sides(found)['trunk'], 32)
    expect(prune('--resolution', '224')[0], ['no layer of stem and trunk is a border layer; nothing is dropped'])
    expect(prune('--resolution', '33')[0][0].split(':')[0], '9 border layers dropped')


def pruned_residual():
    """Items of a sum go, alone or from a repeat, and what their blocks hold besides."""
    prepare(RESNET)
    said, out = prune()
    expect(said[0].split(':')[0], '17 border layers dropped')
    expect(list(fields(file='pruned.yaml'))[-5:], ['trunk.7', 'trunk.8', 'trunk', 'head.1', 'head'])
    assert '{repeat: {times: 3, blocks: [{basic: {f: 16}}]}}' in out, out


def pruned_paths():
    """The stride of a path stays, a path of which nothing is left goes."""
    prepare(MPNET)
    said, out = prune()
    expect(said[:2], ['6 border layers dropped: trunk.3.1.long.2, trunk.3.1.long.3, trunk.4.1.long.1, '
                      'trunk.4.1.long.2, trunk.4.1.long.3, trunk.4.1.long.4',
                      '2 border layers kept as 1x1, for their shape: trunk.2.1.long.4, trunk.3.1.long.4'])
    assert 'short: {path: {n: 1, f: 16, k: 3}}' in out, out
    found = fields(file='pruned.yaml')
    expect([address for address in found if address.startswith(('trunk.3', 'trunk.4'))],
           ['trunk.3.1.short', 'trunk.3.1.long.1', 'trunk.3.1.long', 'trunk.3'])
    expect(found['trunk.3']['map'], [4, 4])
    expect(sides(found, 'max')['trunk'], 103)


def pruned_repeat():
    """Iterations that lose the same stay a repeat."""
    cell = '[{conv: {filters: 3}}, {conv: {filters: 3, name: second}}]'
    prepare(trunk(f'{{conv: {{filters: 3, kernel: 23}}}}, {{repeat: {{times: 6, blocks: [{{sequence: {cell}}}]}}}}'))
    said, out = prune()
    expect(said[0], '7 border layers dropped: trunk.4.2, trunk.5.1, trunk.5.2, trunk.6.1, trunk.6.2, trunk.7.1, '
                    'trunk.7.2')
    found = fields(file='pruned.yaml')
    expect(kinds(found, 'border'), [])
    assert 'times: 2' in out, out


def pruned_not():
    """What cannot be is refused, and says why."""
    def refuse(text, *arguments, code=2):
        prepare(text)
        got = adit('prune', 'net.yaml', *arguments)
        expect(got[:2], (code, ''))
        return got[2]

    expect(refuse(VGG), 'adit prune: error: say what is dropped: adit prune FILE --border-layers\n')
    expect(refuse(VGG, '--border-layers', '-o', 'probes=[{block-norm: {at: trunk.5.1}}]'),
           "adit prune: error: without its border layers this is no pipeline that runs: nothing is at "
           "'trunk.5.1'; 'trunk' has 3 items; -o 'probes=~' leaves the probes out\n")
    shrinks = trunk('{paths: {of: {a: [{conv: {filters: 3, kernel: 31}}, {conv: {filters: 3}}, '
                    '{conv: {filters: 3, padding: valid}}], b: {centre-crop: {size: 30}}}}}')
    expect(refuse(shrinks, '--border-layers'),
           "adit prune: error: without its border layers this is no pipeline that runs: the paths give "
           "'a' 3x32x32, 'b' 3x30x30; 'sum' joins equal shapes\n")
    tied = trunk('{repeat: {times: 6, tied: true, blocks: [{conv: {filters: 3, kernel: 9}}]}}')
    expect(refuse(tied, '--border-layers'),
           "adit prune: error: a repeat in 'trunk' is tied and has border layers; its instances share their "
           "weights and cannot become different\n")
    prepare(trunk('{conv: {filters: 3}}'))
    succeed('run', 'net.yaml', '--run-dir', 'run', '-q')
    write('net.yaml', FRAME + 'model: {from: run}\n')
    expect(adit('prune', 'net.yaml', '--border-layers'),
           (2, '', "adit prune: error: 'model.from' takes weights from a run, where items have other addresses; "
                   "prune the pipeline that was trained there\n"))


CASES = {'vgg': vgg, 'strided': strided, 'transformer': transformer, 'paths': paths,
         'unequal': unequal, 'along-one-axis': along_one_axis, 'loops': loops,
         'resnet': resnet, 'mpnet': mpnet, 'judged': judged, 'table': table, 'refused': refused,
         'pruned-chain': pruned_chain, 'pruned-residual': pruned_residual, 'pruned-paths': pruned_paths,
         'pruned-repeat': pruned_repeat, 'pruned-not': pruned_not}
tap.run([(f'/pipelines/receptive-fields/{name}', in_folder(case)) for name, case in CASES.items()])
