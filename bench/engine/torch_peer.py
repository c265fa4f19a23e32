"""The reference networks in PyTorch: see peer.py. Variants: both memory layouts, the optimizer as one fused kernel or not, and
torch.compile (only where it is named: it needs a C++ compiler and minutes)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from peer import BATCH, CLASSES, LENGTH, LR, MOMENTUM, TOKENS, WEIGHT_DECAY, arguments, report, report_gemm


class Conv3(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(i, o, 3, padding=1) for i, o in ((1, 32), (32, 32), (32, 64)))
        self.head = nn.Linear(3136, CLASSES)

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
        self.head = nn.Linear(512, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        x = self.middle(x + self.early(x))
        return self.head((x + self.late(x)).amax((2, 3))) * 0.125


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(TOKENS, 128)
        self.layers = nn.ModuleList(nn.Conv1d(128, 128, 5, padding=2) for _ in range(3))
        self.head = nn.Linear(128, CLASSES)

    def forward(self, ids):
        x = self.table(ids).transpose(1, 2)
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.head(x.amax(2))


def mlp():
    return nn.Sequential(nn.Linear(10_000, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, CLASSES))


NETWORKS = {
    'conv3': (Conv3, lambda n: torch.rand(n, 1, 28, 28)),
    'resnet9': (ResNet9, lambda n: torch.rand(n, 3, 32, 32)),
    'text': (Text, lambda n: torch.randint(0, TOKENS, (n, LENGTH))),
    'mlp': (mlp, lambda n: torch.rand(n, 10_000)),
}


def optimizer_for(name, model, fused):
    if name != 'resnet9':
        return torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=fused)
    return torch.optim.SGD(
        model.parameters(), lr=LR, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY, fused=fused
    )


def make(name, device, variant):
    build, inputs = NETWORKS[name]
    layout = torch.channels_last if 'channels_last' in variant else torch.contiguous_format
    model, x = build().to(device, memory_format=layout), inputs(BATCH[name]).to(device)
    if x.dim() == 4:
        x = x.contiguous(memory_format=layout)
    y = torch.randint(0, CLASSES, (len(x),), device=device)
    optimizer = optimizer_for(name, model, True if 'fused' in variant else None)
    forward = torch.compile(model) if 'compile' in variant else model
    wait = torch.cuda.synchronize if device == 'cuda' else lambda: None

    def train():
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(forward(x), y).backward()
        optimizer.step()
        wait()

    def infer():
        model.eval()
        with torch.inference_mode():
            forward(x)
        wait()

    return train, infer


def product(device):
    def of(m, k, n):
        a, b = torch.rand(m, k, device=device), torch.rand(k, n, device=device)

        def run():
            torch.mm(a, b)
            if device == 'cuda':
                torch.cuda.synchronize()

        return run

    return of


if __name__ == '__main__':
    network, steps, threads, device, asked = arguments()
    torch.set_num_threads(threads)
    device = 'cpu' if device == 'cpu' else 'cuda'
    where = f' on {torch.cuda.get_device_name()}' if device == 'cuda' else ''
    version = f'PyTorch {torch.__version__}{where}'
    layouts = ['contiguous', 'channels_last'] if network in ('conv3', 'resnet9') else ['contiguous']
    if network == 'gemm':
        report_gemm(version, product(device))
    else:
        variants = [layout + ending for layout in layouts for ending in ('', ' fused')]
        report(version, network, steps, variants, asked, lambda variant: make(network, device, variant))
