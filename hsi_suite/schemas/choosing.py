"""The keys of `--model auto`: what is tried on the training side, and how it is judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ..config import Section

AUTO = "auto"
"""The model's name by which a run chooses one."""
Judging = Literal["mean", "overall_accuracy", "average_accuracy"]


class Candidate(Section):
    """A configuration that is tried; hsi writes it in the place of its name, with all it holds.

    Attributes:
        name: how it was named.
        keys: those of model, reduction and train that are not at their defaults.
    """

    name: str
    keys: dict[str, Any]


class AutoConfig(Section):
    """What `--model auto` tries.

    Attributes:
        candidates: names of shipped configurations or files of others, each perhaps with settings
            behind it, as in "wide_svm model.window=5", in order of preference.
        folds: spatial folds of the training pixels, on which each is trained and tested.
        score: what decides: overall or average accuracy over all folds, or the mean of both.
        rule: first takes the first of the list that is not told apart from the best, so that the
            list is in order of preference; best the one with the best score.
    """

    candidates: Annotated[list[str | Candidate], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    score: Judging = "mean"
    rule: Literal["first", "best"] = "first"

    @field_validator("candidates", mode="before")
    @classmethod
    def _some(cls, value: object) -> object:
        if value == []:
            raise ValueError("at least one candidate, such as lda")
        return value

    @field_validator("candidates")
    @classmethod
    def _different(cls, value: list[str | Candidate]) -> list[str | Candidate]:
        names = [each if isinstance(each, str) else each.name for each in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"different candidates; {name!r} is there twice")
            if not name.split() or name.split()[0] in (AUTO, f"classification/{AUTO}"):
                raise ValueError("names of configurations, of which auto itself is none")
        return value
