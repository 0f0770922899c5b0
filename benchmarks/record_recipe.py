"""The public record recipe for 99% on MNIST, in PyTorch, written from its description.

One epoch over all training images, held in one tensor: batch 256, Adam with betas 0.7 and 0.9,
a one-cycle rate with its peak at 0.01. It is the peer that `benchmarks/speedrun.py` runs beside
`mnist-kit speedrun`; PyTorch is needed for this file alone.
"""

import argparse
import json
import time

import numpy as np
import torch
from torch import nn

BATCH_SIZE = 256
PEAK_RATE = 0.01
MEAN, DEVIATION = 0.1307, 0.3081  # of the training pixels, scaled to [0, 1]


def network():
    """Build the recipe's network: two convolutions with max-pooling, then two dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(24, 32, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(800, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
        nn.LogSoftmax(dim=1),
    )


def train(images, labels, seed):
    """Train for one epoch; return the network and the seconds from first to last step.

    Parameters
    ----------
    images : Tensor, shape (n, 1, 28, 28), float32
        Normalised.
    labels : Tensor, shape (n,), int64
    seed : int
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    model = network()
    steps = -(-len(images) // BATCH_SIZE)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.7, 0.9))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    loss = nn.NLLLoss()
    model.train()
    for batch in torch.randperm(len(images)).split(BATCH_SIZE):
        optimizer.zero_grad()
        loss(model(images[batch]), labels[batch]).backward()
        optimizer.step()
        schedule.step()
    return model, time.perf_counter() - start


def accuracy(model, images, labels):
    """Return the share of images whose digit is recognised."""
    model.eval()
    with torch.no_grad():
        predicted = torch.cat([model(part).argmax(1) for part in images.split(1000)])
    return (predicted == labels).double().mean().item()


def load(path):
    """Read a file in the format of Keras's mnist.npz as normalised tensors."""
    with np.load(path) as arrays:
        return [
            (
                ((torch.from_numpy(arrays[f"x_{part}"]).float() / 255 - MEAN) / DEVIATION)[:, None],
                torch.from_numpy(arrays[f"y_{part}"]).long(),
            )
            for part in ("train", "test")
        ]


def main():
    """Train once for each seed and print one line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="mnist.npz")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, help="default: all cores")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    training, test = load(options.data)
    for seed in options.seeds:
        model, seconds = train(*training, seed)
        row = {"seed": seed, "seconds": seconds, "accuracy": accuracy(model, *test)}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
