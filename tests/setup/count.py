#!/usr/bin/env python3
# tests/setup/count.py - SPDX-License-Identifier: MIT
"""Counts what `meson test` ran, test case by test case.

usage: count.py STATUS LOG...

STATUS is the exit code of `meson test`, LOG one of its JSON logs. Lists what failed and closes with
`N passed, N failed, N skipped`. A program that speaks TAP counts by its cases; one that crashed,
ran out of time or stopped before its plan counts as one failure more unless a case of its own says
it failed. Meson's JUnit file would count the cases before a crash as passed and no failure at all.
The exit code is 0 if something ran and nothing failed.
"""

import json
import os
import re
import sys
from dataclasses import dataclass, field

# Unindented lines only: subtests are summed up by a line of their parent.
CASE = re.compile(r'^(not )?ok\b[ \t]*\d*[ \t]*-?[ \t]*(.*?)(?:[ \t]*#[ \t]*(\w+)\b.*)?$')
PLAN_SKIPS = re.compile(r'^1\.\.0\b')
GOOD = {'OK', 'EXPECTEDFAIL'}


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)

    def fail(self, what):
        self.failed += 1
        self.failures.append(what)


def count_cases(tally, program, output):
    """Adds the TAP cases of one program; returns how many lines of it counted."""
    lines = 0
    for line in output.splitlines():
        case = CASE.match(line)
        if case:
            lines += 1
            failed, name, directive = case.groups()
            if directive and directive.upper().startswith('SKIP'):
                tally.skipped += 1
            elif failed:
                tally.fail(f'{program}: {name}')
            else:
                tally.passed += 1
        elif PLAN_SKIPS.match(line):
            lines += 1
            tally.skipped += 1
    return lines


def count_program(tally, record):
    program, result = record['name'], record['result']
    failed_before = tally.failed
    lines = count_cases(tally, program, record.get('stdout') or '')
    if result == 'SKIP':
        tally.skipped += 0 if lines else 1
    elif result in GOOD:
        tally.passed += 0 if lines else 1
    elif tally.failed == failed_before:
        tally.fail(f'{program}: {result.lower()}, exit code {record.get("returncode")}, '
                   f'after {lines} cases')


def count(status, logs):
    tally = Tally()
    for log in logs:
        with open(log, encoding='utf-8') as stream:
            for line in stream:
                if line.strip():
                    count_program(tally, json.loads(line))
    if status != 0 and tally.failed == 0:
        tally.fail(f'meson test ended with exit code {status}')
    return tally


def main(arguments):
    tally = count(int(arguments[0]), [log for log in arguments[1:] if os.path.exists(log)])
    print()
    for failure in tally.failures:
        print(f'failed: {failure}')
    print(f'{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped', flush=True)
    return 1 if tally.failed or not tally.passed + tally.skipped else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
