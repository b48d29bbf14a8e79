#!/usr/bin/env python3
# tests/bench/peers.py - SPDX-License-Identifier: MIT
"""A training step of the GloNet of sgemm.yaml beside PyTorch's eager mode, on one thread of one core.

    tests/bench/peers.py [BUILD] [DEPTH...]

Both take turns on the same core: five rounds each, in which the shortest of five means of 0.1 s
counts. PyTorch comes from the package index into BUILD/bench-venv; without the index, whatever is
installed there is taken.
"""

import os
import pathlib
import re
import subprocess
import sys
import venv

ROUNDS = 5
SECONDS = 0.1
FEATURES, WIDTH, BATCH = 14, 16, 1024

PEER = '''
import sys, time
import torch
from torch import nn

depth, features, width, batch, seconds = (float(text) for text in sys.argv[1:])
depth, features, width, batch = int(depth), int(features), int(width), int(batch)
torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.manual_seed(1)


class GloNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(features, width)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        x = self.stem(x)
        total = None
        for block in self.blocks:
            x = torch.relu(block(x))
            total = x if total is None else total + x
        return self.head(total)


net = GloNet()
for layer in [net.stem, *net.blocks, net.head]:
    nn.init.kaiming_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-7)
x, target = torch.randn(batch, features), torch.randn(batch, 1)


def step():
    optimizer.zero_grad()
    nn.functional.mse_loss(net(x), target).backward()
    optimizer.step()


for _ in range(10):
    step()
best = float('inf')
for _ in range(5):
    begin, n = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        step()
        n += 1
    best = min(best, (time.perf_counter() - begin) / n)
print(torch.__version__, best)
'''


def peer_python(build):
    """The interpreter of an environment that has PyTorch, or None."""
    folder = build / 'bench-venv'
    python = folder / 'bin' / 'python3'
    if not python.exists():
        venv.create(folder, with_pip=True, system_site_packages=True)
    if subprocess.run([python, '-c', 'import torch'], capture_output=True).returncode != 0:
        subprocess.run([python, '-m', 'pip', 'install', '--quiet', 'torch', 'numpy'])
    if subprocess.run([python, '-c', 'import torch'], capture_output=True).returncode != 0:
        return None
    return python


def run(command, core):
    environment = dict(os.environ, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
    environment.setdefault('ADIT_PLUGIN_SYSTEM_PATH', str(pathlib.Path(command[0]).resolve().parents[2]
                                                          / 'plugins'))
    return subprocess.run([str(part) for part in command], env=environment, check=True, text=True,
                          stdout=subprocess.PIPE,
                          preexec_fn=lambda: os.sched_setaffinity(0, {core})).stdout


def main():
    words = sys.argv[1:]
    build = pathlib.Path(words.pop(0) if words and not words[0].isdigit() else 'build')
    depths = [int(word) for word in words] or [50]
    ours = build / 'tests' / 'bench' / 'bench-step'
    python = peer_python(build)
    if python is None:
        sys.exit('no PyTorch: the package index is out of reach and none is installed')
    core = max(os.sched_getaffinity(0))
    for depth in depths:
        mine, theirs, version = [], [], ''
        for _ in range(ROUNDS):
            text = run([ours, depth], core)
            mine.append(float(re.search(r'([\d.]+) ms', text)[1]))
            version, seconds = run([python, '-c', PEER, depth, FEATURES, WIDTH, BATCH, SECONDS],
                                   core).split()
            theirs.append(1e3 * float(seconds))
        print(f'glonet depth {depth}  width {WIDTH}  batch {BATCH}  one thread: '
              f'adit {min(mine):.3f} ms, PyTorch {version} eager {min(theirs):.3f} ms, '
              f'ratio {min(theirs) / min(mine):.2f} '
              f'(rounds: {", ".join(f"{b / a:.2f}" for a, b in zip(mine, theirs))})')


if __name__ == '__main__':
    main()
