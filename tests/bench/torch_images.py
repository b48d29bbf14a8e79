# tests/bench/torch_images.py - SPDX-License-Identifier: MIT
"""The networks of images of peers.py in PyTorch, as pipelines/ has them."""

import torch
from torch import nn
from torch.nn import functional


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def conv(inputs, filters, kernel=3, stride=1, dilation=1, bias=False):
    return nn.Conv2d(inputs, filters, kernel, stride, dilation * (kernel // 2), dilation, bias=bias)


def layer(inputs, filters, kernel=3, stride=1, bias=False):
    """Convolution, normalisation, rectifier."""
    return nn.Sequential(conv(inputs, filters, kernel, stride, bias=bias), norm(filters), nn.ReLU())


def unit(inputs, filters, kernel=3, stride=1):
    """Normalisation, rectifier, convolution."""
    return nn.Sequential(norm(inputs), nn.ReLU(), conv(inputs, filters, kernel, stride))


class GlobalPool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Residual(nn.Module):
    """@x behind the branch, halved and padded with channels of zeros where the branch is smaller."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.branch = nn.Sequential(unit(inputs, filters, stride=stride), unit(filters, filters))
        self.stride, self.more = stride, filters - inputs

    def forward(self, x):
        y = self.branch(x)
        if self.stride > 1 or self.more > 0:
            x = functional.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.more))
        return x + y


def make_resnet20():
    blocks, inputs = [conv(3, 16)], 16
    for filters in (16, 32, 64):
        for i in range(3):
            blocks.append(Residual(inputs, filters, 2 if filters > 16 and i == 0 else 1))
            inputs = filters
    return nn.Sequential(*blocks, norm(64), nn.ReLU(), GlobalPool(), nn.Linear(64, 10))


def make_vgg16():
    blocks, inputs = [], 3
    for filters, layers in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(layers):
            blocks.append(layer(inputs, filters, bias=True))
            inputs = filters
        blocks.append(nn.MaxPool2d(2))
    return nn.Sequential(*blocks, GlobalPool(), nn.BatchNorm1d(512, eps=1e-3, momentum=0.01),
                         nn.Dropout(0.25), nn.Linear(512, 256), nn.ReLU(),
                         nn.BatchNorm1d(256, eps=1e-3, momentum=0.01), nn.Dropout(0.25),
                         nn.Linear(256, 10))


class DenseBlock(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(unit(inputs + i * growth, 4 * growth, 1), unit(4 * growth, growth))
            for i in range(4))

    def forward(self, x):
        for each in self.layers:
            x = torch.cat((x, each(x)), 1)
        return x


def make_densenet18(growth=32):
    blocks, inputs = [layer(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for i in range(4):
        blocks.append(DenseBlock(inputs, growth))
        inputs += 4 * growth
        if i < 3:
            blocks += [unit(inputs, inputs // 2, 1), nn.AvgPool2d(2)]
            inputs //= 2
    return nn.Sequential(*blocks, norm(inputs), nn.ReLU(), GlobalPool(), nn.Linear(inputs, 10))


class Paths(nn.Module):
    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        return sum(path(x) for path in self.paths)


def make_mpnet(blocks=2, counts=(2, 2), kernels=(3, 7)):
    def path(inputs, filters, stride, n, kernel):
        return nn.Sequential(*(layer(inputs if i == 0 else filters, filters, kernel,
                                     stride if i == n - 1 else 1) for i in range(n)))

    net, inputs = [layer(3, 64)], 64
    for filters in (64, 128, 256, 512):
        for i in range(blocks):
            stride = 2 if i == blocks - 1 else 1
            net.append(Paths(*(path(inputs, filters, stride, n, kernel)
                               for n, kernel in zip(counts, kernels))))
            inputs = filters
    return nn.Sequential(*net, GlobalPool(), nn.Linear(512, 10))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.project = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        batch, tokens, width = x.shape
        parts = self.project(x).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(query, key, value)
        return self.output(y.transpose(1, 2).reshape(batch, tokens, width))


class Encoder(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.attend = nn.Sequential(nn.LayerNorm(width), Attention(width, 4), nn.Dropout(0.1))
        self.mix = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(),
                                 nn.Dropout(0.1), nn.Linear(hidden, width), nn.Dropout(0.1))

    def forward(self, x):
        x = x + self.attend(x)
        return x + self.mix(x)


class VisionTransformer(nn.Module):
    def __init__(self, encoders=6, width=128, hidden=2048):
        super().__init__()
        self.embed = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 65, width))
        self.encoders = nn.Sequential(*(Encoder(width, hidden) for _ in range(encoders)))
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(len(x), -1, -1), x), 1) + self.positions
        return self.head(self.encoders(x)[:, 0])


def make_b_lenet():
    def shrink():
        return nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), nn.ReLU())

    return nn.Sequential(nn.Conv2d(1, 5, 5, padding=3), shrink(),
                         nn.Conv2d(5, 10, 5, padding=3), shrink(),
                         nn.Conv2d(10, 20, 5, padding=3), shrink(),
                         nn.Flatten(), nn.Linear(720, 84), nn.Linear(84, 10))


# network, shape of an image, optimizer
NETWORKS = {
    'resnet20': (make_resnet20, (3, 32, 32), ('SGD', {'lr': 0.1, 'momentum': 0.9,
                                                      'weight_decay': 1e-4})),
    'vgg16': (make_vgg16, (3, 32, 32), ('SGD', {'lr': 0.1})),
    'densenet18': (make_densenet18, (3, 32, 32), ('SGD', {'lr': 0.1})),
    'mpnet': (make_mpnet, (3, 32, 32), ('SGD', {'lr': 0.1})),
    'vit': (VisionTransformer, (3, 32, 32), ('Adam', {'lr': 1e-4})),
    'b-lenet': (make_b_lenet, (1, 28, 28), ('Adam', {'lr': 1e-3})),
}


def make(work, device):
    """A network with its channels last, a batch of noise, the optimizer."""
    torch.manual_seed(1)
    network, shape, (optimizer, settings) = NETWORKS[work['arch']]
    net = network().to(device, memory_format=torch.channels_last)
    x = torch.randn(work['batch'], *shape).to(device, memory_format=torch.channels_last)
    target = torch.randint(0, 10, (work['batch'],)).to(device)
    return net, x, target, getattr(torch.optim, optimizer)(net.parameters(), fused=True, **settings)
