#!/usr/bin/env python3
# tests/pipelines/test-convert.py - SPDX-License-Identifier: MIT
"""`adit convert`: which blocks come out of which skips, and that the outcome is a pipeline."""

import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import PIPELINES, adit, expect, in_folder, metrics, succeed, write, write_cifar  # noqa: E402

HEAD = '''adit: 1
params: {norm: batch-norm, text: a$$b}
data: {moons: {samples: 40, test: 25%}}
'''
TAIL = '''train: {loss: cross-entropy, optimizer: adam, batch: 10, epochs: 1}
'''


def make(trunk, parts='', width=4):
    write('net.yaml', f'{HEAD}{parts}model:\n  stem: {{dense: {{units: {width}}}}}\n  trunk:\n'
                      f'{trunk}  head: {{dense: {{units: 2}}}}\n{TAIL}')


def words(text):
    """What a piece of YAML says, whether in lines or in brackets."""
    return re.sub(r'[][{},]|(?<!\S)-(?!\S)', ' ', text).split()


def convert(path, *arguments):
    """The network that came out: its summary and its trunk's blocks, as they are printed."""
    text = succeed('convert', path, '--to', 'glonet', *arguments)
    write('out.yaml', text)
    report = json.loads(succeed('check', 'out.yaml', '--json'))
    found = re.search(r'\n  trunk:\n    aggregator: ({glonet: .*})\n    blocks:(.*?)\n  head:', text,
                      re.DOTALL)
    assert found, text
    return report, found[1], words(found[2])


def layers(path, *arguments):
    report = json.loads(succeed('inspect', path, '--layers', '--json', *arguments))
    return {layer['address']: (layer['shape'], layer['parameters']) for layer in report['layers']}


def resnet20():
    """ResNet20's 9 blocks become the 18 of the file's own GloNet, which keep their norms as the
    authors' program does: as many parameters, layer by layer."""
    path, data = f'{PIPELINES}/glonet/resnet20.yaml', ['--data', 'data']
    write_cifar('data/cifar-10')
    report, wiring, _ = convert(path, *data)
    expect((report['parameters'], report['blocks']), (269722, 18))
    # the skips' adapters stay: every second pixel, where the file's own GloNet takes means
    expect(wiring, '{glonet: {adapt: pad, adapt-space: stride, adapt-to: last}}')
    expect(layers('out.yaml'), layers(path, 'arch=glonet', *data))
    succeed('run', 'out.yaml', '--run-dir', 'run', '-q', '-o', 'train.epochs=1', '-o',
            'train.batch=4', '-o', 'inference.batch=8', '--limit-batches', '1')
    expect(len(metrics('run')), 1)


def resnet20_without_norms():
    """As the paper's text has it, without any: what is missing is scale and shift of what the 18
    blocks are fed, 7 times 16 channels, 6 times 32, 5 times 64; and the one in the head stays."""
    write_cifar('data/cifar-10')
    report, _, _ = convert(f'{PIPELINES}/glonet/resnet20.yaml', 'norm=identity', '--data', 'data')
    expect(report['parameters'], 269722 - 2 * (7 * 16 + 6 * 32 + 5 * 64))


def vit():
    """Encoders lose both skips and stay encoders."""
    path, data = f'{PIPELINES}/glonet/vit.yaml', ['--data', 'data']
    write_cifar('data/cifar-10')
    report, _, _ = convert(path, 'encoders=3', *data)
    other = json.loads(succeed('check', path, 'arch=glonet', 'encoders=3', '--json', *data))
    expect((report['parameters'], report['blocks']), (other['parameters'], 3))


def densenet18():
    """Blocks that no longer hand on what they were fed are narrow: what they give is padded."""
    write_cifar('data/cifar-10')
    report, wiring, _ = convert(f'{PIPELINES}/multipath/densenet18.yaml', '--data', 'data')
    expect((report['blocks'], wiring), (7, '{glonet: {adapt: pad, adapt-to: widest}}'))


def residual_v2():
    """One block of two affine maps becomes two blocks of one."""
    make('    aggregator: residual\n'
         '    blocks: [{repeat: {times: 3, blocks: [{residual-v2: {units: 4, norm: $norm}}]}}]\n')
    before = json.loads(succeed('check', 'net.yaml', '--json'))
    report, _, blocks = convert('net.yaml')
    expect((before['blocks'], report['blocks']), (3, 6))
    expect(report['parameters'], before['parameters'])
    expect(blocks[:3], ['repeat:', 'times:', '3'])
    assert 'residual-v2' not in succeed('convert', 'net.yaml', '--to', 'glonet')


DENSE = '{dense: {units: 4, bias: true, order: post}}'
NORM = '{batch-norm: {momentum: 0.99, epsilon: 0.001}}'
SPLIT = [
    # a box is one block
    ('box', f'{{sequence: [{NORM}, relu, {DENSE}, relu, {DENSE}, {NORM}]}}',
     [f'sequence: {NORM} relu {DENSE} relu {DENSE}']),
    # norm and activation as blocks of their own belong to the affine map behind them
    ('pre', 'block', [f'- sequence: [{NORM}, relu, {DENSE}]'] * 2),
    # the norm at the end goes, dropout stays
    ('closing', 'closing', [f'- {{sequence: [{DENSE}, {{dropout: {{rate: 0.5}}}}]}}']),
    ('closing-parameter', '{dense: {units: 4, norm: batch-norm}}', [f'- {DENSE}']),
    ('no-activation', '{dense: {units: 4, norm: batch-norm, activation: identity}}',
     ['dense: units: 4 bias: true activation: identity order: post']),
    ('norm-with-activation', '{dense: {units: 4, norm: $norm, activation: relu}}',
     [f'- dense: {{units: 4, bias: true, norm: {NORM}, activation: relu, order: post}}']),
    # paths lose the skips inside of them; one that is not added is no skip
    ('paths', '{paths: {of: {a: [' + DENSE + '], b: {aggregator: residual, blocks: [' + DENSE + ']}}}}',
     [f'- paths: of: a: {DENSE} b: sequence: {DENSE} join: sum']),
    ('paths-part', 'forked',
     [f'- sequence: paths: of: a: sequence: {DENSE} b: {DENSE} join: mean']),
    ('gate', '{paths: {join: product, of: {gate: {dense: {units: 4}}, value: []}}}',
     [f'- paths: of: gate: {DENSE} value: join: product']),
    ('concat', '{sequence: [{paths: {join: concat, of: {new: {dense: {units: 4}}, old: identity}}}, {dense: {units: 4}}]}',
     [f'- sequence: paths: of: new: {DENSE} old: identity join: concat axis: width {DENSE}']),
    ('index', 'indexed',
     ['- repeat:', 'times: 2', 'index: l',
      'blocks: [{sequence: [' + DENSE + ', {drop-path: {rate: $(0.1 * l)}}]}]']),
]
PARTS = '''parts:
  block: {blocks: [batch-norm, relu, {dense: {units: 4}}, batch-norm, relu, {dense: {units: 4}}]}
  inner: {aggregator: residual, blocks: [{dense: {units: 4}}]}
  forked: {blocks: {paths: {join: mean, of: {a: inner, b: {dense: {units: 4}}}}}}
  closing: {blocks: [{dense: {units: 4}}, batch-norm, {dropout: {rate: 0.5}}]}
  indexed: {blocks: [{repeat: {times: 2, index: l, blocks: [{sequence: [{dense: {units: 4}}, {drop-path: {rate: $(0.1 * l)}}]}]}}]}
'''


def split(name, item, expected):
    make(f'    aggregator: residual\n    blocks: [{item}]\n', PARTS)
    report, _, blocks = convert('net.yaml')
    expect(blocks, words(' '.join(expected)))
    expect(report['blocks'], 2 if name == 'index' else len(expected))


BYPASS = '[{paths: {of: {long: {dense: {units: 4}}, short: []}}}]'
REFUSED = [
    ('no-skips', '    [{dense: {units: 4}}]\n', [],
     "net.yaml: no aggregator in 'trunk' makes skips, so there is nothing to convert"),
    ('one-component', '    {dense: {units: 4}}\n', [],
     "net.yaml: no aggregator in 'trunk' makes skips, so there is nothing to convert"),
    ('paths', f'    {BYPASS}\n', [],
     "net.yaml: path 'short' is a skip made of paths; write the blocks under an aggregator"),
    ('paths-identity', '    [{paths: {of: {long: {dense: {units: 4}}, short: identity}}}]\n', [],
     "net.yaml: path 'short' is a skip made of paths; write the blocks under an aggregator"),
    ('paths-nothing', '    [{paths: {join: mean, of: {long: {dense: {units: 4}}, short: [{repeat: {times: 0, '
     'blocks: [{dense: {units: 4}}]}}, {sequence: [identity]}]}}}]\n', [],
     "net.yaml: path 'short' is a skip made of paths; write the blocks under an aggregator"),
    ('paths-alone', '    {paths: {of: {long: {dense: {units: 4}}, short: []}}}\n', [],
     "net.yaml: path 'short' is a skip made of paths; write the blocks under an aggregator"),
    ('paths-in-a-path', '    [{paths: {of: {long: {dense: {units: 4}}, short: {paths: {of: {a: {dense: {units: '
     '4}}, b: []}}}}}}]\n', [],
     "net.yaml: path 'b' is a skip made of paths; write the blocks under an aggregator"),
    ('paths-within', f'    {{aggregator: residual, blocks: [{{sequence: {BYPASS}}}]}}\n', [],
     "net.yaml: path 'short' is a skip made of paths; write the blocks under an aggregator"),
    ('to-skips', '    []\n', ['--to', 'residual'],
     "skips are what is taken away, and 'residual' makes some"),
    ('to-unknown', '    []\n', ['--to', 'glonett'],
     "unknown aggregator 'glonett'; did you mean 'glonet'?"),
    ('to-nothing', '    []\n', None, '--to is needed: adit convert net.yaml --to glonet'),
]


def refused(trunk, to, message):
    make(trunk)
    arguments = [] if to is None else to or ['--to', 'glonet']
    expect(adit('convert', 'net.yaml', *arguments), (2, '', f'adit convert: error: {message}\n'))


def wrong_file():
    """A file that is wrong is not converted."""
    make('    aggregator: residual\n    blocks: [{densee: {units: 4}}]\n')
    code, out, err = adit('convert', 'net.yaml', '--to', 'glonet')
    expect((code, out), (2, ''))
    assert "unknown block 'densee'; did you mean 'dense'?" in err, err


def names():
    """A block that stays whole keeps its name, so that addresses find it."""
    parts = """parts:
  encoder: {aggregator: residual, blocks: [{dense: {units: 4}}, {sequence: [{dense: {units: 4}}, batch-norm]}]}
"""
    make('    [{encoder: {name: first}}, {sequence: {name: second, aggregator: residual, blocks: [{dense: {units: 4}}, batch-norm]}}]\n', parts)
    before = json.loads(succeed('check', 'net.yaml', '--json'))
    write('probe.yaml', open('net.yaml', encoding='utf-8').read()
          + 'probes: [{block-norm: {at: [trunk.first, trunk.second]}}]\n')
    report, _, blocks = convert('probe.yaml')
    expect(report['blocks'], 2)
    expect([blocks[i + 1] for i, word in enumerate(blocks) if word == 'name:'], ['first', 'second'])
    # each lost a scale and a shift of 4 channels
    expect(before['parameters'] - report['parameters'], 16)


def vanilla():
    """Any aggregator without skips will do: the baseline without them."""
    make('    aggregator: residual\n    blocks: [{repeat: {times: 3, blocks: [{residual-v2: {units: 4}}]}}]\n')
    write('out.yaml', succeed('convert', 'net.yaml', '--to', 'chain'))
    report = json.loads(succeed('check', 'out.yaml', '--json'))
    expect(report['blocks'], 6)


cases = [(f'/convert/{function.__name__.replace("_", "-")}', in_folder(function))
         for function in (resnet20, resnet20_without_norms, vit, densenet18, residual_v2, names, wrong_file, vanilla)]
cases += [(f'/convert/split/{name}', in_folder(lambda each=(name, item, expected): split(*each)))
          for name, item, expected in SPLIT]
cases += [(f'/convert/refused/{name}',
           in_folder(lambda trunk=trunk, to=to, message=message: refused(trunk, to, message)))
          for name, trunk, to, message in REFUSED]
tap.run(cases)
