"""PyTorch, eager, all images in memory as floats, in its own order of axes."""

import numpy as np
import torch
from torch import nn
from turns import SEED, Epoch, Task, take_turns


def make(task: Task) -> Epoch:
    """The network and its training loop."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    model = network(task)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    measure, rng = nn.CrossEntropyLoss(), np.random.default_rng(SEED)
    images = torch.from_numpy(task.images).permute(0, 3, 1, 2).float().contiguous() / 255
    labels = torch.from_numpy(task.labels.astype(np.int64))

    def epoch() -> float:
        total = 0.0
        for chosen in torch.from_numpy(task.order(rng)):
            adam.zero_grad(set_to_none=True)
            loss = measure(model(images[chosen]), labels[chosen])
            loss.backward()
            adam.step()
            total += loss.item() * len(chosen)
        return total / len(labels)

    return epoch


def network(task: Task) -> nn.Sequential:
    """The same as in models/, with Keras's first weights."""
    active = {"relu": nn.ReLU, "tanh": nn.Tanh}[task.network["activation"]]()
    hidden, last = (torch.from_numpy(one) for one in task.weights())
    if task.family == "mlp":
        first: nn.Linear | nn.Conv2d = nn.Linear(*hidden.shape)
        layers = [nn.Flatten(), first, active]
        first.weight.data = hidden.T.contiguous()
    else:
        first = nn.Conv2d(3, hidden.shape[3], hidden.shape[0])
        layers = [first, active, nn.MaxPool2d(2), nn.Flatten()]
        first.weight.data = hidden.permute(3, 2, 0, 1).contiguous()
    final = nn.Linear(*last.shape)
    final.weight.data = last.T.contiguous()
    for layer in (first, final):
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers, final)


if __name__ == "__main__":
    take_turns(make)
