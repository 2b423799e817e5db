"""Classification of images: `hsi train` on digits, CIFAR-10 and folders of photographs."""
