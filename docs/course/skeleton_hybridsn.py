"""HybridSN, for you to write: chapter 2 of the course.

Copy this file to my_hybridsn.py, replace each `raise` by your code and check as often as you like:

    python docs/course/check_hybridsn.py my_hybridsn.py

The network (Roy et al., IEEE GRSL 2020, table I), for a window of 25 × 25 pixels, 30 components
and 16 classes; every convolution has stride 1 and no padding, and ReLU follows every layer but
the last:

    layer       kernels  size       output              parameters
    input                           1 × 30 × 25 × 25
    3-D conv 1        8  7 × 3 × 3  8 × 24 × 23 × 23           512
    3-D conv 2       16  5 × 3 × 3  16 × 20 × 21 × 21        5,776
    3-D conv 3       32  3 × 3 × 3  32 × 18 × 19 × 19       13,856
    join                            576 × 19 × 19
    2-D conv         64  3 × 3      64 × 17 × 17           331,840
    flatten                         18,496
    linear 1                        256                  4,735,232
    dropout 0.4
    linear 2                        128                     32,896
    dropout 0.4
    linear 3                        16                       2,064
    together                                             5,122,176
"""

from torch import nn


class HybridSN(nn.Module):
    """3-D, then 2-D convolutions over a window of components.

    Takes windows (N, in_channels, window, window), gives logits (N, num_classes).
    """

    def __init__(self, in_channels, num_classes, window, dropout=0.4):
        super().__init__()
        self.volume = self.convolutions_3d()
        self.image = self.convolution_2d(in_channels)
        self.head = self.connected(num_classes, window, dropout)
        self.start()

    def convolutions_3d(self):
        """Step 1: three nn.Conv3d, each with its ReLU, as one nn.Sequential."""
        raise NotImplementedError("step 1: the three 3-D convolutions")

    def convolution_2d(self, in_channels):
        """Step 2: nn.Conv2d and ReLU. How many channels come in? Compute it from in_channels."""
        raise NotImplementedError("step 2: the 2-D convolution")

    def connected(self, num_classes, window, dropout):
        """Step 3: flatten, three nn.Linear with ReLU and dropout between them."""
        raise NotImplementedError("step 3: the fully connected layers")

    def start(self):
        """Step 4: weights by Glorot (nn.init.xavier_uniform_), biases 0, as Keras begins."""
        raise NotImplementedError("step 4: the initial weights")

    def forward(self, windows):
        """Step 5: (N, in_channels, window, window) to (N, num_classes).

        A 3-D convolution takes five axes, (N, 1, in_channels, window, window); a 2-D one takes
        four: what becomes of kernels and components between the two?
        """
        raise NotImplementedError("step 5: the way through the layers")
