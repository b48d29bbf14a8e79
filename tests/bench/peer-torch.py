#!/usr/bin/env python3
# tests/bench/peer-torch.py - SPDX-License-Identifier: MIT
"""PyTorch's step for peers.py: peer-torch.py WORK eager|compile|graph [cuda]"""

import functools
import json
import sys

import torch
from torch import nn

import peer
import torch_images


class GloNet(nn.Module):
    def __init__(self, work):
        super().__init__()
        width = work['width']
        self.stem = nn.Linear(work['features'], width)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(work['depth']))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        x = self.stem(x)
        total = None
        for block in self.blocks:
            x = torch.relu(block(x))
            total = x if total is None else total + x
        return self.head(total)

    def take(self, weights):
        for block, w, b in zip(self.blocks, weights['w'], weights['b']):
            take_dense(block, w, b)


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        # Keras's momentum of 0.99 is PyTorch's of 0.01
        self.norm = nn.BatchNorm1d(width, eps=peer.NORM_EPSILON, momentum=0.01)
        self.dense = nn.Linear(width, width)

    def forward(self, x):
        return self.dense(torch.relu(self.norm(x)))


class ResNet(nn.Module):
    def __init__(self, work):
        super().__init__()
        width = work['width']
        self.stem = nn.Linear(work['features'], width)
        self.blocks = nn.ModuleList(nn.Sequential(Layer(width), Layer(width))
                                    for _ in range(work['depth'] // 2))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)

    def take(self, weights):
        for i, block in enumerate(self.blocks):
            for j, layer in enumerate(block):
                take_dense(layer.dense, weights['w'][i, j], weights['b'][i, j])
                layer.norm.reset_parameters()


def take_dense(dense, w, b):
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(w).T)
        dense.bias.copy_(torch.from_numpy(b))


def count_parameters(net):
    return sum(parameter.numel() for parameter in net.parameters())


def make_thin(work, mode, device):
    """The step with each of the two forms of Adam that PyTorch has, all of one network: compiling
    takes long enough once. Each begins with the weights that were drawn."""
    weights, x, target = peer.draw(work)
    x, target = torch.from_numpy(x).to(device), torch.from_numpy(target).to(device)
    net = (GloNet if work['arch'] == 'glonet' else ResNet)(work).to(device)

    def compute(x, target):
        return nn.functional.mse_loss(net(x), target)

    if mode == 'compile':
        compute = torch.compile(compute)

    def make(form):
        take_dense(net.stem, weights['stem_w'], weights['stem_b'])
        take_dense(net.head, weights['head_w'], weights['head_b'])
        net.take(weights)
        optimizer = torch.optim.Adam(net.parameters(), lr=peer.RATE, eps=peer.EPSILON,
                                     betas=(peer.BETA_1, peer.BETA_2),
                                     capturable=mode == 'graph', **{form: True})

        def step():
            optimizer.zero_grad()
            loss = compute(x, target)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step if mode != 'graph' else record(step)

    return count_parameters(net), {f'{mode}, {form} Adam': functools.partial(make, form)
                                   for form in ('foreach', 'fused')}


def make_images(work, mode, device):
    net, x, target, optimizer = torch_images.make(work, device)

    def compute(x, target):
        return nn.functional.cross_entropy(net(x), target)

    if mode == 'compile':
        compute = torch.compile(compute)

    def step():
        optimizer.zero_grad()
        loss = compute(x, target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return count_parameters(net), {f'{mode}, channels last':
                                   lambda: step if mode != 'graph' else record(step)}


def record(step):
    """The step as a CUDA graph; its first two runs, which it takes to warm up, tell their losses."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        early = [step().clone() for _ in range(2)]
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        if early:
            return early.pop(0)
        graph.replay()
        return loss

    return replay


def main():
    work, mode = json.loads(sys.argv[1]), sys.argv[2]
    device = sys.argv[3] if len(sys.argv) > 3 else 'cpu'
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    wait = (lambda last: None) if device == 'cpu' else (lambda last: torch.cuda.synchronize())
    if work['set'] == 'images':
        peer.serve(torch.__version__, *make_images(work, mode, device), wait, None)
    else:
        peer.serve(torch.__version__, *make_thin(work, mode, device), wait,
                   peer.compute_loss(work))


if __name__ == '__main__':
    main()
