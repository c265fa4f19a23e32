"""One training step of a reference network in PyTorch, milliseconds: the best of STEPS steps in the better memory layout.
usage: torch_peer.py conv3|resnet9|text|mlp STEPS THREADS"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Conv3(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(i, o, 3, padding=1) for i, o in ((1, 32), (32, 32), (32, 64)))
        self.head = nn.Linear(3136, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.second(F.relu(self.first(x)))), 2)
        return self.head(F.max_pool2d(F.relu(self.third(x)), 2).flatten(1))


def block(i, o, pool=False):
    layers = [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []))


class ResNet9(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(block(3, 64), block(64, 128, True))
        self.early = nn.Sequential(block(128, 128), block(128, 128))
        self.middle = nn.Sequential(block(128, 256, True), block(256, 512, True))
        self.late = nn.Sequential(block(512, 512), block(512, 512))
        self.head = nn.Linear(512, 10)

    def forward(self, x):
        x = self.stem(x)
        x = self.middle(x + self.early(x))
        return self.head((x + self.late(x)).amax((2, 3))) * 0.125


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(20000, 128)
        self.layers = nn.ModuleList(nn.Conv1d(128, 128, 5, padding=2) for _ in range(3))
        self.head = nn.Linear(128, 10)

    def forward(self, ids):
        x = self.table(ids).transpose(1, 2)
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.head(x.amax(2))


def mlp():
    return nn.Sequential(nn.Linear(10000, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


NETWORKS = {
    'conv3': (Conv3, lambda: torch.rand(64, 1, 28, 28)),
    'resnet9': (ResNet9, lambda: torch.rand(128, 3, 32, 32)),
    'text': (Text, lambda: torch.randint(0, 20000, (64, 200))),
    'mlp': (mlp, lambda: torch.rand(256, 10000)),
}


def best_step_ms(name, steps, layout):
    make, inputs = NETWORKS[name]
    model, x = make().to(memory_format=layout), inputs()
    if x.dim() == 4:
        x = x.contiguous(memory_format=layout)
    y = torch.randint(0, 10, (len(x),))
    if name == 'resnet9':
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)
    else:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    best = float('inf')
    for _ in range(steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


if __name__ == '__main__':
    name, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    layouts = [torch.contiguous_format] + ([torch.channels_last] if name in ('conv3', 'resnet9') else [])
    print(min(best_step_ms(name, steps, layout) for layout in layouts))
