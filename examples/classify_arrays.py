"""Three classifiers side by side on one's own cube and labels, on a split with a guard."""

import matplotlib.pyplot as plt
from my_data import cube, labels  # lines × samples × bands, lines × samples with 0 = unlabelled
from my_network import Mine  # an nn.Module that takes in_channels, num_classes, window
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hsi_suite as hsi

split = hsi.splits.disjoint(labels, guard=4, train=0.5)
print(hsi.audit(labels, split, window=9))
networks = {"hybridsn_separable": 9, Mine: 5}
models = [
    hsi.SceneClassifier(network, window=window, epochs=2, settings={"reduction.components": 13})
    for network, window in networks.items()
]
scores = {
    str(m.model): [m.fit(cube, labels, split=split).score(cube, labels, split=split)]
    for m in models
}
spectra, classes = cube.reshape(-1, cube.shape[2]), labels.reshape(-1)
svm = make_pipeline(StandardScaler(), SVC()).fit(spectra[split.train], classes[split.train])
scores["svm"] = [svm.score(spectra[split.test], classes[split.test])]
print(scores, hsi.compare(scores), sep="\n")
plt.imsave("map.png", models[0].predict(cube), cmap="tab20")
