#!/usr/bin/env python3
# tests/bench/peer-jax.py - SPDX-License-Identifier: MIT
"""JAX's step for peers.py, jitted, its blocks scanned over: peer-jax.py WORK"""

import functools
import json
import sys

import jax
import jax.numpy as jnp

import peer


def glonet(weights, x):
    def block(carry, each):
        x, total = carry
        x = jax.nn.relu(x @ each['w'] + each['b'])
        return (x, total + x), None

    blocks = {name: weights[name] for name in ('w', 'b')}
    return jax.lax.scan(block, (x, jnp.zeros_like(x)), blocks)[0][1]


def norm(x, gamma, beta):
    mean = x.mean(0)
    variance = jnp.square(x - mean).mean(0)
    return (x - mean) * jax.lax.rsqrt(variance + peer.NORM_EPSILON) * gamma + beta


def resnet(weights, x):
    def block(x, each):
        y = x
        for j in range(2):
            y = jax.nn.relu(norm(y, each['gamma'][j], each['beta'][j])) @ each['w'][j] + each['b'][j]
        return x + y, None

    blocks = {name: weights[name] for name in ('w', 'b', 'gamma', 'beta')}
    return jax.lax.scan(block, x, blocks)[0]


def make_step(work):
    weights, x, target = jax.tree.map(jnp.asarray, peer.draw(work))
    trunk = glonet if work['arch'] == 'glonet' else resnet

    def compute(weights):
        y = trunk(weights, x @ weights['stem_w'] + weights['stem_b'])
        return jnp.square(y @ weights['head_w'] + weights['head_b'] - target).mean()

    @functools.partial(jax.jit, donate_argnums=0)
    def update(state):
        weights, first, second, n = state
        loss, gradient = jax.value_and_grad(compute)(weights)
        n = n + 1
        first = jax.tree.map(lambda m, g: peer.BETA_1 * m + (1 - peer.BETA_1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: peer.BETA_2 * v + (1 - peer.BETA_2) * g * g, second,
                              gradient)
        rate = peer.RATE / (1 - peer.BETA_1 ** n)
        scale = 1 / jnp.sqrt(1 - peer.BETA_2 ** n)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) * scale + peer.EPSILON), weights, first,
            second)
        return (weights, first, second, n), loss

    state = [(weights, jax.tree.map(jnp.zeros_like, weights),
              jax.tree.map(jnp.zeros_like, weights), jnp.float32(0))]

    def step():
        state[0], loss = update(state[0])
        return loss

    return step


def main():
    work = json.loads(sys.argv[1])
    parameters = sum(numbers.size for numbers in peer.draw(work)[0].values())
    peer.serve(jax.__version__, parameters, {'scan': functools.partial(make_step, work)},
               lambda last: last.block_until_ready(), peer.compute_loss(work))


if __name__ == '__main__':
    main()
