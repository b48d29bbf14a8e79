# tests/bench/peer.py - SPDX-License-Identifier: MIT
"""What the peers' programs share: the network's numbers, and how they are asked.

A program is given the work as JSON. It makes everything ready, writes a line {"version",
"parameters", "losses", "expected"}, of which the last is the first loss in float64 (of images:
null), and then answers each line on its standard input, a number of seconds, by a line {"times",
"peak-bytes"}: the mean time of a step in each of its variants over so many seconds, and the most
memory it had.
"""

import json
import resource
import sys
import time

import numpy

RATE, BETA_1, BETA_2, EPSILON = 1e-4, 0.9, 0.999, 1e-7  # of Adam
NORM_EPSILON = 1e-3
WARM_UP = 3  # steps, of which the first two losses are told


def draw(work):
    """A batch and the weights, [in, out], of all blocks one behind the other."""
    numbers = numpy.random.default_rng(1)
    width, batch = work['width'], work['batch']
    # block by block: each of ResNetv2's holds two layers
    layers = (work['depth'],) if work['arch'] == 'glonet' else (work['depth'] // 2, 2)

    def normal(*shape):
        scale = (2 / shape[-2]) ** 0.5
        return (scale * numbers.standard_normal(shape)).astype(numpy.float32)

    def zeros(*shape):
        return numpy.zeros(shape, numpy.float32)

    weights = {'stem_w': normal(work['features'], width), 'stem_b': zeros(width),
               'w': normal(*layers, width, width), 'b': zeros(*layers, width),
               'head_w': normal(width, 1), 'head_b': zeros(1)}
    if work['arch'] == 'resnetv2':
        weights['gamma'] = zeros(*layers, width) + 1
        weights['beta'] = zeros(*layers, width)
    x = numbers.standard_normal((batch, work['features'])).astype(numpy.float32)
    target = numbers.standard_normal((batch, 1)).astype(numpy.float32)
    return weights, x, target


def compute_loss(work):
    """The first loss in float64."""
    weights, x, target = draw(work)
    weights = {name: numbers.astype(numpy.float64) for name, numbers in weights.items()}
    x = x @ weights['stem_w'] + weights['stem_b']
    if work['arch'] == 'glonet':
        total = 0
        for w, b in zip(weights['w'], weights['b']):
            x = numpy.maximum(x @ w + b, 0)
            total = total + x
        x = total
    else:
        for ws, bs in zip(weights['w'], weights['b']):
            y = x
            for w, b in zip(ws, bs):  # gamma is 1, beta 0
                y = (y - y.mean(0)) / numpy.sqrt(y.var(0) + NORM_EPSILON)
                y = numpy.maximum(y, 0) @ w + b
            x = x + y
    return float(numpy.square(x @ weights['head_w'] + weights['head_b'] - target).mean())


def measure(step, wait, seconds):
    """Mean time of a step; what is queued when the time is up is waited for."""
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        last = step()
        steps += 1
    wait(last)
    return (time.perf_counter() - begin) / steps


def say(value):
    print(json.dumps(value), flush=True)


def serve(version, parameters, makers, wait, expected):
    """@makers: name -> what makes a step, which returns its loss, of the weights as drawn;
    @expected: the first loss, or None."""
    steps, losses = {}, {}
    for name, make in makers.items():
        steps[name] = make()
        losses[name] = [float(steps[name]()) for _ in range(WARM_UP)][:2]
    say({'version': version, 'parameters': parameters, 'losses': losses, 'expected': expected})
    for line in sys.stdin:
        times = {name: measure(step, wait, float(line)) for name, step in steps.items()}
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        say({'times': times, 'peak-bytes': peak})
