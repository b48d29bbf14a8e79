#!/usr/bin/env python3
# tests/bench/step.py - SPDX-License-Identifier: MIT
"""The bars of a training step on the CPU: what was measured, what is expected, whether it is met.

    tests/bench/step.py [BUILD]

The GloNet of work.yaml, batch 1024. Ends with 1 if a bar is missed.
"""

import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
import data  # noqa: E402
import quiet  # noqa: E402

SECONDS = 0.3
BATCH = 1024
# shares of the FMA peak of one thread
DEPTHS = {24: 0.7, 50: 0.7, 100: 0.7, 200: 0.7, 600: 0.7, 1000: 0.65}
WIDTHS = {3: 0.4, 8: 0.5, 16: 0.6, 25: 0.6, 32: 0.6, 64: 0.6}
# two threads over one, where the processor gives as much for multiply-adds alone
SCALING = 1.8
# of the core's time that a step must have had
QUIET = 0.95
# seconds at depth 1000
START, COLD, WARM = 0.3, 1.5, 0.3
# over what depth 1000 has to keep; a panel is so many rows of all layers' outputs
MEMORY, PANEL_ROWS, SLICES, ADAM_SLOTS = 1.2, 64, 8, 2


class Bars:
    def __init__(self):
        self.missed = 0

    def tell(self, what, got, bar, met, note=''):
        self.missed += not met
        print(f'{what:44} {got:>12} {bar:>12}  {"ok" if met else "MISSED"}{note}', flush=True)

    def skip(self, what, got, bar, reason):
        print(f'{what:44} {got:>12} {bar:>12}  not judged: {reason}', flush=True)


def name(work):
    return f'depth {work["depth"]}, width {work["width"]}'


def tell_share(bars, result, work, bar):
    step = result['step']
    share, rate = step['share-of-peak'], 1e-9 * step['flop-rate']
    note = f'  {1e3 * step["best"]:.3f} ms, {rate:.1f} GFLOP/s'
    if step['share-of-cores'] < QUIET:
        note += f'; others had {100 * (1 - step["share-of-cores"]):.0f} % of the core'
    bars.tell(f'{name(work)}: FMA peak, one thread', f'{100 * share:.1f} %', f'{100 * bar:.0f} %',
              share >= bar, note)


def tell_scaling(bars, result, work):
    one = result['one-thread']
    what = f'{name(work)}: two threads over one'
    if one['fma-speed-up'] < SCALING:
        bars.skip(what, f'{one["speed-up"]:.2f}x', f'{SCALING}x',
                  f'multiply-adds alone {one["fma-speed-up"]:.2f}x')
    else:
        bars.tell(what, f'{one["speed-up"]:.2f}x', f'{SCALING}x', one['speed-up'] >= SCALING,
                  f'  multiply-adds alone {one["fma-speed-up"]:.2f}x')


def tell_seconds(bars, what, got, bar):
    bars.tell(what, f'{got:.3f} s', f'{bar} s', got <= bar)


def tell_memory(bars, result, work, threads):
    """Arenas and data; what the program itself takes is the same for every network."""
    parameters = 4 * result['parameters']
    panel = 4 * PANEL_ROWS * (work['depth'] + 1) * work['width']
    kept = result['memory']['data-bytes']
    bound = MEMORY * (parameters * (1 + ADAM_SLOTS + SLICES) + kept + threads * panel)
    got = result['memory']['device-bytes'] + kept
    bars.tell(f'{name(work)}: memory, {threads} thread{"s" * (threads > 1)}',
              f'{1e-6 * got:.1f} MB', f'{1e-6 * bound:.1f} MB', got <= bound,
              f'  whole process {1e-6 * result["memory"]["peak-bytes"]:.1f} MB')


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'build').resolve()
    numbers = data.make_data(build)
    core = quiet.find_quiet_core()
    bars = Bars()

    def measure(work, cores, env=None):
        return quiet.measure(build, numbers, work, cores, SECONDS, env=env)

    for depth, bar in DEPTHS.items():
        work = quiet.make_work('glonet', depth, 16)
        tell_share(bars, measure(work, {core}), work, bar)
    for width, bar in WIDTHS.items():
        work = quiet.make_work('glonet', 100, width)
        tell_share(bars, measure(work, {core}), work, bar)
    cores = sorted(os.sched_getaffinity(0))
    for depth in (100, 1000):
        work = quiet.make_work('glonet', depth, 16)
        if len(cores) < 2:
            bars.skip(f'{name(work)}: two threads over one', '', f'{SCALING}x', 'one core')
        else:
            tell_scaling(bars, measure(work, set(cores[:2])), work)
    work = quiet.make_work('glonet', 1000, 16)
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = (measure(work, {core}, {'XDG_CACHE_HOME': cache}) for _ in range(2))
    start = warm['start']['check'] + warm['start']['compile']
    tell_seconds(bars, f'{name(work)}: check and compile', start, START)
    tell_seconds(bars, f'{name(work)}: first step, cold', cold['start']['first-step'], COLD)
    tell_seconds(bars, f'{name(work)}: first step, warm', warm['start']['first-step'], WARM)
    tell_memory(bars, warm, work, 1)
    print(f'{bars.missed} missed; {warm["machine"]["processor"]}, '
          f'{warm["machine"]["instruction-set"]}, FMA peak of one thread '
          f'{1e-9 * warm["machine"]["fma"]["one"]:.1f} GFLOP/s, load {os.getloadavg()[0]:.1f}')
    return 1 if bars.missed else 0


if __name__ == '__main__':
    sys.exit(main())
