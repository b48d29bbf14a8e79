# tests/bench/quiet.py - SPDX-License-Identifier: MIT
"""What peers.py and step.py share: `adit bench` on a work, and a core that is left alone."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def read_busy(cores):
    """Ticks that each core has been busy for."""
    busy = {}
    with open('/proc/stat', encoding='ascii') as stream:
        for line in stream:
            found = re.match(r'cpu(\d+) (.*)', line)
            if found and int(found[1]) in cores:
                ticks = [int(text) for text in found[2].split()]
                busy[int(found[1])] = sum(ticks) - ticks[3] - ticks[4]
    return busy


def find_quiet_core():
    cores = os.sched_getaffinity(0)
    before = read_busy(cores)
    time.sleep(0.5)
    after = read_busy(cores)
    return min(cores, key=lambda core: (after[core] - before[core], -core))


def raise_priority(process, tasks):
    """Before all others, where that is allowed: tasks within their session, and the session."""
    try:
        for task in tasks:
            os.setpriority(os.PRIO_PROCESS, task, -20)
        pathlib.Path(f'/proc/{process}/autogroup').write_text('-20', encoding='ascii')
    except OSError:
        pass


def take_cores(cores):
    """In a new process: a session of its own on these cores."""
    os.setsid()
    os.sched_setaffinity(0, cores)
    raise_priority('self', [0])


def make_work(arch, depth, width):
    return {'arch': arch, 'depth': depth, 'width': width, 'file': str(HERE / 'work.yaml'),
            'words': [f'arch={arch}', f'depth={depth}', f'width={width}']}


def measure(build, data, work, cores, seconds, device='cpu', env=None):
    """What `adit bench` says of a work: a pipeline (`file`) and the words behind it; a thread for
    each core. @data: None: ADIT_DATA."""
    command = [build / 'core' / 'tool' / 'adit', 'bench', work['file'], *work['words'],
               *(['--data', data] if data else []), '--threads', len(cores), '--device', device,
               '--time', f'{seconds} s', '--json', '--quiet']
    environment = {**os.environ, **(env or {})}
    environment.setdefault('ADIT_PLUGIN_SYSTEM_PATH', str(build / 'plugins'))
    environment.setdefault('ADIT_PIPELINES_DIR', str(HERE.parents[1] / 'pipelines'))
    done = subprocess.run([str(word) for word in command], env=environment, text=True, check=False,
                          stdout=subprocess.PIPE, preexec_fn=lambda: take_cores(cores))
    if done.returncode != 0:
        sys.exit(f'adit bench ended with {done.returncode}')
    return json.loads(done.stdout)
