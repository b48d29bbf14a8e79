#!/usr/bin/env python3
# tests/pipelines/test-report.py - SPDX-License-Identifier: MIT
"""The pages of a run, a study and a comparison: well-formed, whole, and in need of nothing else."""

import functools
import html.parser
import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from command import adit, expect, in_folder, read, succeed, write  # noqa: E402

NET = '''adit: 1
title: nets <of> "two" & paths
params: {depth: 3, width: 4}
data: {moons: {samples: 80, noise: 0.1, test: 25%}}
model:
  stem: {dense: {units: $width}}
  trunk: {aggregator: glonet, blocks: [{repeat: {times: $depth, blocks: [{dense: {units: $width, activation: relu}}]}}]}
  head: {dense: {units: 2}}
train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 16, epochs: 3}
probes: [{block-norm: {at: trunk.*}}]
'''
STUDY = '''adit: 1
title: depth <of> nets
study:
  vary: {pipeline: net.yaml, seed: 1..2, depth: [2, 4]}
  report:
    - table: {rows: depth, value: best.test.accuracy, beside: paper.csv}
    - curves: {x: epoch, value: test.loss, lines: depth}
    - counts: {by: depth, value: best.test.accuracy}
'''
GNUPLOT = shutil.which('gnuplot') is not None
# elements and attributes that make a browser load or run something
LOADING = {'src', 'srcset', 'poster', 'data', 'action', 'background', 'formaction', 'ping', 'manifest'}
FORBIDDEN = {'script', 'link', 'iframe', 'object', 'embed', 'base', 'form', 'audio', 'video', 'img', 'input'}
VOID = {'meta', 'br', 'hr'}


class Page(html.parser.HTMLParser):
    """What a page holds, and what is wrong with it."""

    def __init__(self, path):
        super().__init__()
        self.text = read(path)
        self.open, self.ids, self.links, self.headings, self.words, self.wrong = [], [], [], [], [], []
        self.pictures = 0
        self.feed(self.text)
        self.close()
        if self.open:
            self.wrong.append(f'not closed: {self.open}')

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.look(tag, attributes)

    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)

    def look(self, tag, attributes):
        self.pictures += tag == 'svg'
        if tag in FORBIDDEN:
            self.wrong.append(f'<{tag}>')
        for name, value in attributes:
            if name == 'id':
                self.ids.append(value)
            elif name == 'href' and tag == 'a':
                self.links.append(value)
            elif name == 'href' and not (value.startswith('#') or value.startswith('data:image/')):
                self.wrong.append(f'{tag} loads {value}')
            elif name in LOADING or name.startswith('on'):
                self.wrong.append(f'{tag} has {name}')
            if value and re.search(r'https?:|url\((?!#)|javascript:', value) and name != 'content':
                self.wrong.append(f'{tag} {name}={value}')

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f'</{tag}>')

    def handle_data(self, data):
        if self.open and self.open[-1] in ('h1', 'h2', 'h3'):
            self.headings.append(data)
        if 'style' not in self.open:
            self.words.append(data)


def look_at(folder):
    """The page of a folder, held against what every page must be."""
    path = f'{folder}/report.html'
    page = Page(path)
    style = re.search('<style>(.*)</style>', page.text, re.S).group(1)
    expect(page.wrong, [])
    xml.etree.ElementTree.fromstring(page.text.replace('<!DOCTYPE html>', ''))
    expect(len(page.ids), len(set(page.ids)))
    assert not re.search(r'@import|url\(|https?:', style), 'the style loads something'
    expect([wanted for wanted in ('prefers-color-scheme: dark', '@media print', 'max-width') if wanted not in style], [])
    for link in page.links:
        if link.startswith('#'):
            assert link[1:] in page.ids, link
        else:
            assert os.path.exists(f'{folder}/{link}'), f'{path} links {link}, which is not there'
    for name in re.findall(r'var\((--[a-z0-9-]+)\)', page.text):
        assert f'{name}:' in style, name
    return page


def train(folder, *words):
    write('net.yaml', NET)
    succeed('run', 'net.yaml', '--run-dir', folder, '-q', *words)
    return folder


def test_run():
    train('x')
    before = {name: read(f'x/{name}') for name in ('run.json', 'metrics.csv', 'metrics.jsonl')}
    expect(succeed('report', 'x'), 'x/report.html\n')
    page = look_at('x')
    wanted = ['nets <of> "two" & paths', 'Figures', 'Learning curves', 'Probe block-norm', 'Configuration',
              'How it was made', 'Parameters, seeds and times', 'Device', 'Data moons', 'Origin and files']
    expect([title for title in wanted if title not in page.headings], [])
    text = ' '.join(page.words)
    # stem 2 x 4 + 4, three blocks of 4 x 4 + 4, head 4 x 2 + 2
    for fact in ('completed', 'seed 0', 'sha256:', '82', 'batch: 16', 'split-seed',
                 'adit run net.yaml --run-dir x -q'):
        assert fact in text, fact
    expect(page.pictures, 5 if GNUPLOT else 0)
    expect(before, {name: read(f'x/{name}') for name in before})
    if GNUPLOT:
        assert not os.path.exists('x/report/curves-loss.png')
        succeed('report', 'x', '--png')
        expect(read('x/report/curves-loss.png', 'rb')[:4], b'\x89PNG')


def test_study():
    write('net.yaml', NET)
    write('study.yaml', STUDY)
    write('paper.csv', 'depth,best.test.accuracy\n2,0.87\n')
    out = succeed('sweep', 'study.yaml', '-q', '--jobs', '1')
    expect(out.splitlines()[-2:], ['studies/study/report/index.md', 'studies/study/report.html'])
    first = look_at('studies/study')
    os.remove('studies/study/report.html')
    # from the folder alone
    os.remove('study.yaml')
    os.remove('net.yaml')
    succeed('report', f'studies/study/runs/{os.listdir("studies/study/runs")[0]}')
    expect(succeed('report', 'studies/study/'), 'studies/study/report.html\n')
    page = look_at('studies/study')
    expect(page.headings, first.headings)
    wanted = ['depth <of> nets', 'Table: best.test.accuracy', 'Curves: test.loss over epoch',
              'Counts: best.test.accuracy', 'Runs', 'Files']
    expect([title for title in wanted if title not in page.headings], [])
    expect(page.pictures, 2 if GNUPLOT else 0)
    assert '0.87' in page.words and 'published' in page.words
    links = [link for link in page.links if '/runs/' in link and not link.endswith('metrics.csv')]
    expect(len(links), 4)
    expect(len([link for link in links if link.endswith('/report.html')]), 1)


def test_several():
    train('x')
    write('no/file', '')
    code, out, err = adit('report', 'no', 'x', 'nothing')
    expect((code, out), (3, 'x/report.html\n'))
    expect(sorted(err.splitlines()), [
        'adit report: error: no: expected the folder of a run or a study, got one without run.json and sweep.csv',
        'adit report: error: nothing: expected the folder of a run or a study, got nothing that exists'])
    expect(os.listdir('no'), ['file'])


def test_damaged():
    train('x')
    shutil.copytree('x', 'y')
    write('y/run.json', read('x/run.json')[:100])
    code, out, err = adit('report', 'y')
    expect((code, out), (4, ''))
    assert err.startswith('adit report: error: y/run.json: '), err
    assert not os.path.exists('y/report.html')
    write('x/metrics.csv', read('x/metrics.csv')[:-30])
    write('x/metrics.jsonl', '{torn\n' + read('x/metrics.jsonl'))
    succeed('report', 'x')
    text = ' '.join(look_at('x').words)
    assert 'The figures are those of metrics.jsonl' in text and 'metrics.jsonl:1: ' in text, text
    os.remove('x/metrics.csv')
    os.remove('x/metrics.jsonl')
    succeed('report', 'x')
    assert 'There are no metrics' in ' '.join(look_at('x').words)


def test_without_gnuplot():
    train('x')
    os.mkdir('empty')
    code, out, err = adit('report', 'x', env={'PATH': os.path.abspath('empty')})
    expect((code, out), (0, 'x/report.html\n'))
    assert 'no gnuplot' in err, err
    page = look_at('x')
    expect(page.pictures, 0)
    assert 'There was no gnuplot' in ' '.join(page.words)
    assert os.path.exists('x/report/curves-loss.csv')


def test_compare():
    for depth in (2, 4):
        for seed in (1, 2):
            train(f'd{depth}-{seed}', f'depth={depth}', '-o', f'seed={seed}')
    runs = ['d2-1', 'd2-2', 'd4-1', 'd4-2']
    code, out, err = adit('compare', *runs)
    expect(code, 0)
    for line in (r'times 2 +1 +completed +d2-1', r'model\.trunk\.blocks\.repeat\.times +2 +4',
                 r'best\.test\.accuracy +[0-9.]+', r'runs +2 +2'):
        assert re.search(f'^{line}', out, re.M), f'{line} is not in\n{out}'
    assert '--output' in err, err
    found = json.loads(succeed('compare', *runs, '--json', '-q'))['configurations']
    expect([(each['name'], each['runs']) for each in found], [('times 2', runs[:2]), ('times 4', runs[2:])])
    expect(found[0]['figures']['best.test.accuracy']['n'], 2)
    succeed('compare', *runs, '--output', 'out', '-q')
    page = look_at('out')
    wanted = ['Comparison of runs', 'Figures', 'Differences', 'Runs', 'Learning curves', 'Probe block-norm']
    expect([title for title in wanted if title not in page.headings], [])
    expect(page.pictures, 7 if GNUPLOT else 0)


def test_compare_refused():
    train('x')
    for words, expected, message in (
            (['x'], 2, 'too few arguments'),
            (['x', 'nothing'], 3, "nothing/run.json"),
            (['x', 'x', '--output', 'x'], 2, "got that of a run, whose report.html it would replace")):
        code, out, err = adit('compare', *words)
        expect((code, out), (expected, ''))
        assert message in err, err
    assert not os.path.exists('x/report.html')


tap.run([(f'/pipelines/report/{name}', in_folder(functools.partial(case))) for name, case in (
    ('run', test_run),
    ('study', test_study),
    ('several', test_several),
    ('damaged', test_damaged),
    ('without-gnuplot', test_without_gnuplot),
    ('compare', test_compare),
    ('compare-refused', test_compare_refused),
)])
