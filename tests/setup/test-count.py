#!/usr/bin/env python3
# tests/setup/test-count.py - SPDX-License-Identifier: MIT
"""Whether count.py counts what real programs of every fate leave in Meson's log."""

import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(here))
import tap  # noqa: E402


def count(status, *logs):
    done = subprocess.run([sys.executable, os.path.join(here, 'count.py'), str(status), *logs],
                          stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    failures = sorted(line for line in lines if line.startswith('failed: '))
    return done.returncode, failures, lines[-1]


def count_records(*records, status=0):
    with tempfile.NamedTemporaryFile('w', suffix='.json') as log:
        for record in records:
            print(json.dumps(record), file=log)
        log.flush()
        return count(status, log.name)


def expect(got, expected):
    assert got == expected, f'expected {expected}\ngot      {got}'


def every_fate():
    with tempfile.TemporaryDirectory() as build:
        quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
        source = os.path.join(here, 'fixtures', 'programs')
        subprocess.run(['meson', 'setup', build, source], check=True, **quiet)
        status = subprocess.run(['meson', 'test', '-C', build], check=False, **quiet).returncode
        got = count(status, os.path.join(build, 'meson-logs', 'testlog.json'))
    # Passed: 3 passes, 2 each of fails, crashes, skips, leaves and hangs, 1 plain-passes.
    # Skipped: 1 skips, 3 skips-all, 1 plain-skips.
    failures = ['failed: crashes: error, exit code -6, after 2 cases',
                'failed: fails: error, exit code -6, after 2 cases',
                'failed: hangs: timeout, exit code -15, after 2 cases',
                'failed: leaves: error, exit code 0, after 2 cases',
                'failed: plain-fails: fail, exit code 1, after 0 cases']
    expect(got, (1, failures, '14 passed, 5 failed, 5 skipped'))


def failed_cases():
    output = ('1..3\nok 1 /a\nnot ok 2 /b - got 1, expected 2\n# not ok\n    not ok 1 sub\n'
              'ok 3 - /c\n')
    record = {'name': 'p', 'result': 'FAIL', 'stdout': output, 'returncode': 1}
    expect(count_records(record, status=1),
           (1, ['failed: p: /b - got 1, expected 2'], '2 passed, 1 failed, 0 skipped'))


def good_run():
    record = {'name': 'p', 'result': 'OK', 'stdout': '1..1\nok 1 /a\n', 'returncode': 0}
    expect(count_records(record), (0, [], '1 passed, 0 failed, 0 skipped'))


def nothing_ran():
    expect(count(0, '/nonexistent.json'), (1, [], '0 passed, 0 failed, 0 skipped'))


def meson_refused():
    expect(count(2, '/nonexistent.json'),
           (1, ['failed: meson test ended with exit code 2'], '0 passed, 1 failed, 0 skipped'))


def plan_skips_all():
    record = {'name': 'p', 'result': 'SKIP', 'stdout': '1..0 # SKIP no device\n', 'returncode': 0}
    expect(count_records(record), (0, [], '0 passed, 0 failed, 1 skipped'))


tap.run([
    ('/setup/count/every-fate', every_fate),
    ('/setup/count/failed-cases', failed_cases),
    ('/setup/count/good-run', good_run),
    ('/setup/count/nothing-ran', nothing_ran),
    ('/setup/count/meson-refused', meson_refused),
    ('/setup/count/plan-skips-all', plan_skips_all),
])
