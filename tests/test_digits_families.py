"""Small variants of the classic families on scikit-learn's digits: one here, all by the script."""

from dataclasses import replace

import pytest
from benchmark_scripts import loaded

from hsi_suite.models.classic_classifier import CLASSIC_MODELS, ClassicClassifier


@pytest.fixture(scope="module")
def families():
    with loaded("digits_families") as module:
        yield module


def test_every_family_has_a_small_variant(families):
    def family(name):
        return name.rstrip("0123456789").rstrip("_")

    assert set(families.VARIANTS) <= set(CLASSIC_MODELS)
    covered, known = (
        {family(name) for name in names} for names in (families.VARIANTS, CLASSIC_MODELS)
    )
    assert covered == known
    for name, variant in families.VARIANTS.items():
        network = ClassicClassifier(name)(
            in_channels=1, num_classes=10, window=families.SIZE, **variant.options
        )
        assert sum(p.numel() for p in network.parameters()) < 2_500_000


def test_an_unknown_network_is_refused(families):
    with pytest.raises(SystemExit, match="unknown: lenet"):
        families.main(["lenet"])


@pytest.mark.slow
def test_a_small_variant_reaches_97_percent(families, tmp_path):
    variant = replace(families.VARIANTS["resnet_18"], epochs=6)
    run = families.train("resnet_18", variant, str(tmp_path))
    assert run.metrics["validation"]["overall_accuracy"] >= 0.97
    assert run.metrics["test"]["overall_accuracy"] >= 0.96
