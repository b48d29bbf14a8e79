# tests/bench/data.py - SPDX-License-Identifier: MIT
"""The numbers that work.yaml trains on: as many as the SGEMM data set has to train on."""

import array
import os
import pathlib
import random
import tempfile

ROWS, FEATURES = 193280, 14


def write_array(path, rows, columns):
    """Numbers of mean 0 and variance 1, as NumPy writes them."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    head = head.ljust(117) + '\n'
    numbers = random.Random(1)
    values = array.array('f', (3.4641 * (numbers.random() - 0.5) for _ in range(rows * columns)))
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(b'\x93NUMPY\x01\x00' + len(head).to_bytes(2, 'little') + head.encode())
        file.write(values.tobytes())
    os.replace(file.name, path)


def make_data(build):
    """The folder of the numbers, made once for a build folder."""
    folder = pathlib.Path(build) / 'bench-data'
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in (('inputs', FEATURES), ('targets', 1)):
        path = folder / f'{name}.npy'
        if not path.exists():
            write_array(path, ROWS, columns)
    return folder
