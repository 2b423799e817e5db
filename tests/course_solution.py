"""The network of chapter 2 of the course as a student may write it; the pages do not show it."""

from torch import nn


class HybridSN(nn.Module):
    def __init__(self, in_channels, num_classes, window, dropout=0.4):
        super().__init__()
        self.volume = self.convolutions_3d()
        self.image = self.convolution_2d(in_channels)
        self.head = self.connected(num_classes, window, dropout)
        self.start()

    def convolutions_3d(self):
        return nn.Sequential(
            nn.Conv3d(1, 8, (7, 3, 3)),
            nn.ReLU(),
            nn.Conv3d(8, 16, (5, 3, 3)),
            nn.ReLU(),
            nn.Conv3d(16, 32, (3, 3, 3)),
            nn.ReLU(),
        )

    def convolution_2d(self, in_channels):
        return nn.Sequential(nn.Conv2d(32 * (in_channels - 12), 64, 3), nn.ReLU())

    def connected(self, num_classes, window, dropout):
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(64 * (window - 8) ** 2, 256),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(128, num_classes),
        )

    def start(self):
        for layer in self.modules():
            if isinstance(layer, nn.Conv3d | nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, windows):
        volume = self.volume(windows.unsqueeze(1))
        return self.head(self.image(volume.flatten(1, 2)))
