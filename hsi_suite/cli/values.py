"""Options that several commands share, and their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:  # before click 8.4 there is no such type
    _Choice = click.Choice

_UNITS = {"": 1, "M": 1e6, "G": 1e9}


class Number(click.FloatRange):
    """A finite number.

    Args:
        least: the smallest allowed; None allows all.
        min_open: whether it must be larger than that.
        nan: nan is a value as well, for options in which it has a meaning of its own.
    """

    name = "number"

    def __init__(
        self, least: float | None = None, *, min_open: bool = False, nan: bool = False
    ) -> None:
        self.nan = nan
        super().__init__(least, min_open=min_open)

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> float:
        """`value` as a number.

        Raises:
            click.BadParameter: it is none, not finite or outside the limits.
        """
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", parameter, context)
        if math.isnan(number) and self.nan:
            return number
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", parameter, context)
        return float(super().convert(number, parameter, context))

    def _describe_range(self) -> str:
        return "" if self.min is None else super()._describe_range()


class Word(_Choice):
    """One of several words, in capitals or not.

    Args:
        words: to choose from, in small letters.
        others: further names of some of them.
    """

    def __init__(self, words: Iterable[str], others: Mapping[str, str] | None = None) -> None:
        super().__init__(tuple(words))
        self.others = dict(others or {})

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> str:
        """`value` as the word that is meant.

        Raises:
            click.BadParameter: it is none of them.
        """
        word = str(value).lower()
        meant = self.others.get(word, word)
        return super().convert(meant if meant in self.choices else value, parameter, context)


NUMBER = Number()
NUMBER_OR_NAN = Number(nan=True)


def auto_or(kind: click.ParamType[Any]) -> Callable[..., Any]:
    """A click callback that turns auto into None and anything else into a value of `kind`."""

    def convert(context: click.Context, parameter: click.Parameter, value: str) -> Any:
        if value.lower() == "auto":
            return None
        try:
            return kind.convert(value, parameter, context)
        except click.BadParameter as error:
            raise click.BadParameter(f"{error.message.rstrip('.')}, nor auto") from None

    return convert


def numbers_or_auto(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[float, ...]:
    """A click callback: "5" or "5,5,8" as numbers, and auto as none.

    Raises:
        click.BadParameter: it is neither.
    """
    one = auto_or(NUMBER)
    if "," not in value:
        number = one(context, parameter, value)
        return () if number is None else (number,)
    return tuple(NUMBER.convert(part.strip(), parameter, context) for part in value.split(","))


def parse_bytes(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    """A click callback: "800M" or "2G" as a number of bytes; None where nothing is given.

    Raises:
        click.BadParameter: it is no amount of memory.
        ConfigError: it is less than any command takes.
    """
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MG]?)B?", value.upper())
    if match is None:
        raise click.BadParameter(f"{value!r} is no amount of memory such as 800M or 2G")
    from ..memory import BARE_PROGRAM_BYTES, check_limit, keep_within

    limit = NUMBER.convert(match[1], parameter, context) * _UNITS[match[2]]
    check_limit(limit, BARE_PROGRAM_BYTES, "the program alone")
    context.call_on_close(keep_within(limit))
    return limit


def memory_limit_option(beyond: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option of every command that keeps within 2 GB unless the user says otherwise.

    Args:
        beyond: what becomes of what is larger, for the help.
    """
    return click.option(
        "--memory-limit",
        callback=parse_bytes,
        default="2G",
        show_default=True,
        metavar="SIZE",
        help=f"Most memory to take, such as 800M or 4G; {beyond}.",
    )


def _device(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    from ..engine.device_names import require_device

    if value is not None:
        require_device(value)
    return value


def device_option(
    meaning: str = "auto, cpu, cuda or cuda:N.", default: str | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option of every command that computes; a device that is not there is refused at once.

    Args:
        meaning: for the help.
        default: what it is without the option.
    """
    return click.option(
        "--device",
        metavar="NAME",
        callback=_device,
        default=default,
        show_default=default is not None,
        help=meaning,
    )


def parse_shape(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[int] | None:
    """A click callback: "100,120" as lines and samples; None where nothing is given.

    Raises:
        click.BadParameter: it is no such pair of numbers.
    """
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,9})\s*[,x×]\s*(\d{1,9})\s*", value)
    if match is None or not int(match[1]) or not int(match[2]):
        raise click.BadParameter(f"{value!r} is not lines and samples such as 100,120")
    return [int(match[1]), int(match[2])]


def _axes(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from ..data.formats.array_axes import parse_axes

        parse_axes(value)
    return value


def _bands(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from ..data.band_selection import check_choice

        check_choice(value)
    return value


def band_options_with(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of every command that takes a choice of a cube's bands.

    Args:
        default: what happens without them, for the help.
    """
    options = [
        click.option(
            "--bands",
            callback=_bands,
            metavar="LIST",
            help="Bands to use: good (all but those marked as bad), all, numbers as 1-50,60, or "
            f"wavelengths as 400-1340,1460-1790nm.  [default: {default}]",
        ),
        click.option(
            "--drop-water",
            is_flag=True,
            default=None,
            help="Leave out bands dark from water vapour: 1340-1460, 1790-1960, above 2450 nm.",
        ),
    ]

    def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


band_options = band_options_with("good")


def array_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that takes a cube, which say how its array is read."""
    options = [
        click.option("--scene-variable", metavar="NAME", help="The cube's name inside its file."),
        click.option(
            "--axes",
            callback=_axes,
            metavar="ORDER",
            help="Order of the cube's axes where its file does not say: y,x,band or band,y,x ...",
        ),
        click.option(
            "--shape",
            callback=parse_shape,
            metavar="LINES,SAMPLES",
            help="Size of the scene, where the cube is a matrix of bands × pixels.",
        ),
        click.option(
            "--nodata",
            type=NUMBER_OR_NAN,
            help="The value that marks missing data; nan: nothing is missing or masked.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def require_language(task: str) -> None:
    """Refuse --language for a task whose pages are English alone.

    Raises:
        ConfigError: it is given, and they are.
    """
    from ..reports.languages.speaking import require

    context = click.get_current_context()
    if context.get_parameter_source("language") == click.core.ParameterSource.COMMANDLINE:
        require(task)


def require_page(written: bool, remedy: str) -> None:
    """Refuse --language where no page is written.

    Args:
        written: whether one is.
        remedy: what asks for one.

    Raises:
        ConfigError: it is given, and none is.
    """
    from ..errors import ConfigError

    context = click.get_current_context()
    if (
        not written
        and context.get_parameter_source("language") == click.core.ParameterSource.COMMANDLINE
    ):
        raise ConfigError("--language", "given without a page to write", remedy)


def _wish(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    from ..reports.languages.speaking import wanted, wanting

    # A misspelt variable is said before the work, not after it.
    context.with_resource(wanting(value or wanted()))


language_option = click.option(
    "--language",
    type=Word(["en", "zh"]),
    callback=_wish,
    expose_value=False,
    help="Language of the page: English or Chinese. The variable HSI_LANGUAGE says it for every "
    "command.  [default: en]",
)


unlabelled_option = click.option(
    "--unlabelled",
    type=NUMBER_OR_NAN,
    metavar="VALUE",
    help="The value of unlabelled pixels, 0 if not given; with another, 0 is a class.",
)
warp_labels_option = click.option(
    "--warp-labels",
    is_flag=True,
    default=None,
    help="Bring labels on another grid or in other coordinates to the scene's (nearest neighbour).",
)


def _reference_system(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    from ..data.formats.reprojection import require_system

    if value is not None:
        # Without rasterio, whoever reads the labels says what is missing.
        with suppress(ImportError):
            require_system(value)
    return value


def drawn_label_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how labels are read which people drew."""
    options = [
        click.option(
            "--labels-field", metavar="NAME", help="Of drawn labels: the field with the class."
        ),
        click.option("--labels-layer", metavar="NAME", help="Of drawn labels: the layer."),
        click.option(
            "--labels-buffer",
            type=Number(0),
            metavar="METRES",
            help="Widen drawn points and lines by so much on every side.",
        ),
        click.option(
            "--labels-crs",
            metavar="CRS",
            callback=_reference_system,
            help="EPSG:NUMBER or WKT of drawn labels whose file names no reference system.",
        ),
        click.option(
            "--all-touched",
            is_flag=True,
            default=None,
            help="Label every pixel that a drawn shape touches, not those whose centre it holds.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command
