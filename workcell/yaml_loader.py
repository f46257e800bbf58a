"""YAML without its traps: no key twice, and 1e-3 is a number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from robot.errors import ConfigError

# PyYAML follows YAML 1.1, where a float needs a dot and 1e-3 is a string. This is YAML 1.2's rule.
_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Plain values only; a key that stands twice is an error, not the last one wins."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


# Integers are found first, because their resolver stands before this one in the list.
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def parse_yaml(text: str) -> Any:
    """Return the value of a YAML text.

    Raises:
        yaml.YAMLError: If it is none.
    """
    return yaml.load(text, _Loader)


def load_yaml(file: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; an empty file is an empty mapping.

    Raises:
        ConfigError: If the file does not exist, is not YAML or holds something else; names the
            line.
    """
    try:
        data = parse_yaml(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file.name}: expected the file {file}, which does not exist") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file.name}{_problem(error)}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{file.name}: expected keys and values, got {data!r}")
    return data


def read_back(file: Path, remedy: str) -> Any:
    """Return what `yaml.safe_dump` has written into a file, by its own rules.

    Args:
        file: Which; it holds plain values, and nothing else is built of it.
        remedy: What can be done if it is damaged.

    Raises:
        ConfigError: In one line, if it cannot be read or is not YAML; names the line.
    """
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}{_problem(error)}; it is damaged: {remedy}") from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _problem(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    """Return where a text stops being YAML, and why, in one line."""
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark else ""
    told = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{line}: not YAML: {told}"
