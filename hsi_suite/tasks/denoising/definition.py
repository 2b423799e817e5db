"""The task `denoising`: a network learns to take noise out of images.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...metrics.measures import of_denoisers
from ...runs.folder import MODEL, REPORT
from ...runs.task import Metrics, Scores, Task
from ...schemas.denoising import WITHOUT_SIGMA, DenoisingConfig
from ...schemas.run_metrics import DenoisedMetrics

if TYPE_CHECKING:
    from ...reports.document import Block, Document
    from ...runs.pages import PageFacts

PICTURE = "denoised.png"
_PSNR = "peak_signal_noise_ratio"


class Denoising(Task):
    """The task `denoising`: a network learns to take noise out of images."""

    name = "denoising"
    schema = DenoisingConfig
    metrics_schema = DenoisedMetrics
    recipe = "hsi_suite.pipelines.denoising"
    datasets = ()
    limits_memory = False
    memory_keys = "train.batch_size or train.patch"
    by_content = (("model", "weights"),)
    scored = "validation"
    products = (("model", MODEL), ("picture", PICTURE), ("report", REPORT))

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> DenoisingConfig:
        """See `Task`."""
        from .configuration import denoising_config

        named = {} if config is None else {"config": config}
        return denoising_config(options=options, settings=settings, **named)

    def absent_source(self, config: DenoisingConfig, source: str) -> str | None:
        """See `Task`."""
        from .left_to_chance import absent_source

        return absent_source(config, source)

    def summary(self, metrics: Metrics) -> Sequence[Block]:
        """See `Task`."""
        from ...reports.denoising.content import denoiser_blocks

        return denoiser_blocks(metrics)

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        from ...reports.denoising.content import level_text

        return [
            f"{level_text(result['noise'], level):>5} {kind.title:5} "
            f"{kind.with_unit(scores[kind.name])}   "
            f"stored {kind.with_unit(result['stored'][level].get(kind.name))}"
            for level, scores in result["validation"].items()
            for kind in of_denoisers()
            if kind.name in scores
        ]

    def page(self, facts: PageFacts) -> Document:
        """See `Task`."""
        from .page import page

        return page(facts)

    def variant(self, metrics: Metrics) -> str:
        """The noise that was learnt."""
        noise = metrics["noise"]
        if noise["kind"] in (*WITHOUT_SIGMA, "mixture"):
            return str(noise["kind"])
        low, high = (f"{sigma:g}" for sigma in noise["sigma"])
        return f"{noise['kind']} {low}" if low == high else f"{noise['kind']} {low}-{high}"

    def variant_words(self, variant: str) -> str:
        """See `Task`."""
        return f"{variant} noise" if variant else ""

    def scores(self, metrics: Metrics) -> Scores:
        """PSNR and SSIM at each level of the validation: a σ, or what the level says it is."""
        # In metrics.json ISO goes by its number alone, as σ does.
        iso = "iso_" if metrics["noise"]["kind"] == "camera" else ""
        return {
            f"{kind.name}/{iso}{level}": scores[kind.name]
            for kind in of_denoisers()
            for level, scores in metrics["validation"].items()
            if kind.name in scores
        }

    def headline(self, metrics: Metrics) -> list[str]:
        """The PSNRs; the middle one of the noise levels speaks for a denoiser."""
        ratios = [name for name in self.scores(metrics) if name.startswith(_PSNR)]
        middle = ratios[len(ratios) // 2 : len(ratios) // 2 + 1]
        return [*middle, *(name for name in ratios if name not in middle)]

    def part_sizes(self, metrics: Metrics) -> tuple[Any, Any]:
        """See `Task`."""
        return metrics["train_images"], metrics["validation_images"]


DENOISING = Denoising()
