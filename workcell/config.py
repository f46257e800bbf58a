"""YAML to frozen dataclasses, strictly: every mistake is listed at once, before anything starts."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from robot.errors import ConfigError, UnknownName
from workcell.yaml_loader import load_yaml, parse_yaml

T = TypeVar("T")


def config_folder() -> Path:
    """Return the folder of the YAML files: beside the code if installed, else in the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


@dataclass(frozen=True)
class Section:
    """Where one part of a configuration comes from.

    Attributes:
        name: What was chosen, e.g. `talos` for the section `robot`.
        kind: The dataclass that the values must fit.
        file: YAML file with the values; None if they are in the base.
        base: What holds where the file is silent; None if the file must exist.
    """

    name: str
    kind: type[Any]
    file: Path | None
    base: Any = None


@dataclass(frozen=True)
class RunConfig:
    """A resolved configuration: what was chosen, and every value of it.

    Attributes:
        names: What was chosen in each section, e.g. `{"robot": "talos"}`.
        values: The validated dataclass of each section.
    """

    names: Mapping[str, str]
    values: Mapping[str, Any]

    def get(self, section: str, kind: type[T]) -> T:
        """Return the values of a section.

        Args:
            section: E.g. `robot`.
            kind: The dataclass it is known to be.

        Raises:
            UnknownName: If there is no such section.
            TypeError: If it is of another class; a bug in the caller.
        """
        if section not in self.values:
            raise UnknownName("section", section, self.values)
        value = self.values[section]
        if not isinstance(value, kind):
            raise TypeError(f"{section}: expected {kind.__name__}, got {type(value).__name__}")
        return value

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values, for a file beside the results."""
        return {
            section: {"name": self.names[section], "values": plain(value)}
            for section, value in self.values.items()
        }


def resolve(sections: Mapping[str, Section], overrides: Sequence[str] = ()) -> RunConfig:
    """Read, override and validate every section.

    Args:
        sections: By the first word of a dotted key, e.g. `task`.
        overrides: `task.plan.speed=0.1`, each a dotted key and a YAML value.

    Raises:
        ConfigError: With one line for each mistake in any of them.
    """
    mistakes: list[str] = []
    wanted = list(_parse_overrides(overrides, sections, mistakes))
    values: dict[str, Any] = {}
    for key, section in sections.items():
        own = [(path, value) for path, value in wanted if path[0] == key]
        try:
            values[key] = _resolve_section(key, section, own)
        except ConfigError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return RunConfig({key: section.name for key, section in sections.items()}, values)


def file_names(sort: str, folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of all files of one sort, in order.

    Args:
        sort: Name of their folder in `configs`.
        folder: In place of `configs`.
    """
    return tuple(sorted(file.stem for file in ((folder or config_folder()) / sort).glob("*.yaml")))


def load_named(sort: str, name: str, kind: type[T], folder: Path | None = None) -> T:
    """Return the file of a name as one dataclass.

    Args:
        sort: Name of its folder in `configs`.
        name: Of the file, without its ending.
        kind: The dataclass.
        folder: In place of `configs`.

    Raises:
        UnknownName: If there is none of that name.
        ConfigError: With one line for each mistake in its file.
    """
    known = file_names(sort, folder)
    if name not in known:
        raise UnknownName(sort, name, known)
    return load((folder or config_folder()) / sort / f"{name}.yaml", kind)


def load(file: Path, kind: type[T]) -> T:
    """Return one file as one dataclass.

    Raises:
        ConfigError: With one line for each mistake.
    """
    value: T = _resolve_section(file.parent.name, Section(file.stem, kind, file), [])
    return value


def _resolve_section(
    key: str, section: Section, overrides: Sequence[tuple[tuple[str, ...], Any]]
) -> Any:
    data: dict[str, Any] = {}
    if section.base is not None:
        data = plain(section.base)
    if section.file is not None and (section.base is None or section.file.exists()):
        data = _merged(data, load_yaml(section.file))
    overridden = {".".join(path) for path, _ in overrides}
    for path, value in overrides:
        _insert(data, path, value)

    def place(dotted: str) -> str:
        given = any(dotted == o or dotted.startswith(f"{o}.") for o in overridden)
        return "--set" if given or section.file is None else section.file.name

    return validated(data, section.kind, key, place)


def validated(data: Mapping[str, Any], kind: Any, key: str, place: Callable[[str], str]) -> Any:
    """Return plain values as the dataclass that they must fit.

    Args:
        data: Nested mappings and lists.
        kind: The dataclass.
        key: First word of every dotted key, e.g. `task`.
        place: Returns where a dotted key stands, e.g. the name of a file.

    Raises:
        ConfigError: With one line for each mistake: place, dotted key, what is allowed.
    """
    mistakes = [
        f"{place(dotted)}: {dotted}: {problem}"
        for dotted, problem in chain(_unknown_keys(data, kind, key), _not_finite(data, key))
    ]
    try:
        # As JSON, because strict JSON is what YAML means here: a list may become a tuple, an
        # integer a float, and nothing else is converted.
        value = TypeAdapter(kind).validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        for detail in error.errors():
            dotted = ".".join([key, *(str(part) for part in detail["loc"])])
            dotted, problem = _problem(dotted, detail)
            mistakes.append(f"{place(dotted)}: {dotted}: {problem}")
    except UnknownName as error:
        # The check that looked the name up does not say in which field it stands.
        dotted = next(_keys_of(data, error.name, key), key)
        mistakes.append(f"{place(dotted)}: {dotted}: {error}")
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return value


def plain(value: Any) -> dict[str, Any]:
    """Return a dataclass as nested mappings and lists of what JSON can hold."""
    dumped: dict[str, Any] = TypeAdapter(type(value)).dump_python(value, mode="json")
    return dumped


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one; where both have a value, the one above holds."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _parse_overrides(
    overrides: Sequence[str], sections: Mapping[str, Section], mistakes: list[str]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for text in overrides:
        dotted, equals, raw = text.partition("=")
        path = tuple(dotted.strip().split("."))
        if not equals or len(path) < 2 or not all(path):
            mistakes.append(f"--set: {text}: expected section.key=value, e.g. task.time_limit=60")
        elif path[0] not in sections:
            mistakes.append(f"--set: {dotted}: {UnknownName('section', path[0], sections)}")
        else:
            try:
                yield path, parse_yaml(raw)
            except yaml.YAMLError:
                mistakes.append(f"--set: {dotted}: expected a YAML value, got {raw}")


def _insert(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a value of a nested mapping; the first word of the path is the section."""
    *parents, last = path[1:]
    for parent in parents:
        child = data.get(parent)
        # Copied on the way down: defaults and files are not changed through an alias.
        data[parent] = dict(child) if isinstance(child, Mapping) else {}
        data = data[parent]
    data[last] = value


def _unknown_keys(value: Any, kind: Any, dotted: str) -> Iterator[tuple[str, str]]:
    """Yield dotted key and remedy for every key that no field takes, at any depth."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _unknown_keys(value, get_args(kind)[0], dotted)
    elif origin in (Union, types.UnionType):
        for option in get_args(kind):
            yield from _unknown_keys(value, option, dotted)
    elif dataclasses.is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        hints = get_type_hints(kind, include_extras=True)
        known = [field.name for field in dataclasses.fields(kind) if field.init]
        for key, item in value.items():
            if key in known:
                yield from _unknown_keys(item, hints[key], f"{dotted}.{key}")
                continue
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            yield f"{dotted}.{key}", f"unknown key.{hint} Known: {', '.join(known)}"
    elif isinstance(value, Mapping) and len(get_args(kind)) == 2:
        for key, item in value.items():
            yield from _unknown_keys(item, get_args(kind)[1], f"{dotted}.{key}")
    elif isinstance(value, list) and get_args(kind):
        for index, item in enumerate(value):
            yield from _unknown_keys(item, get_args(kind)[0], f"{dotted}.{index}")


def _not_finite(value: Any, dotted: str) -> Iterator[tuple[str, str]]:
    """Yield dotted key and remedy for every number that is none."""
    if isinstance(value, float) and not math.isfinite(value):
        yield dotted, f"expected a finite number, got {value}"
    for key, item in _items(value):
        yield from _not_finite(item, f"{dotted}.{key}")


def _keys_of(value: Any, wanted: Any, dotted: str) -> Iterator[str]:
    """Yield the dotted key of every place that holds a value."""
    if value == wanted:
        yield dotted
    for key, item in _items(value):
        yield from _keys_of(item, wanted, f"{dotted}.{key}")


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what a mapping or a list holds, with keys or indices; nothing for anything else."""
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _problem(dotted: str, detail: Any) -> tuple[str, str]:
    """Return the dotted key of a mistake, and what is wrong and what is allowed."""
    if detail["type"] == "missing":
        return dotted, "required, and not given"
    if detail["type"] == "value_error":
        # A check of a whole dataclass names its field and the value: `speed: expected ..., got -1`.
        message = detail["msg"].removeprefix("Value error, ")
        field, colon, problem = message.partition(": ")
        named = colon and isinstance(detail["input"], Mapping) and field.isidentifier()
        return (f"{dotted}.{field}", problem) if named else (dotted, message)
    message = detail["msg"].replace("Input should be ", "expected ", 1)
    return dotted, f"{message}, got {json.dumps(detail['input'])}"
