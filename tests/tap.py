# tests/tap.py - SPDX-License-Identifier: MIT
"""The Test Anything Protocol for tests that are no C programs: run([(path, function), ...]).

A case fails by an exception (assert), and is skipped by raising Skip(reason).
"""

import os
import sys
import traceback


class Skip(Exception):
    pass


def run(cases):
    # Child processes and print() must not write between the lines of the protocol.
    out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    failed = 0
    print(f'1..{len(cases)}', file=out, flush=True)
    for number, (path, case) in enumerate(cases, 1):
        try:
            case()
            line = f'ok {number} {path}'
        except Skip as reason:
            line = f'ok {number} {path} # SKIP {reason}'
        except Exception as error:
            failed += 1
            text = str(error) if isinstance(error, AssertionError) and str(error) \
                else traceback.format_exc()
            for part in text.rstrip('\n').split('\n'):
                print(f'# {part}', file=out)
            line = f'not ok {number} {path}'
        print(line, file=out, flush=True)
    sys.exit(1 if failed else 0)
