"""Policies on the disk: folders of `policy.json` and `weights.safetensors`, and nothing that runs.

Neither file can hold code. Everything is checked before a policy is made of it: format and version,
every value, the hash of every file, names, shapes and types of all arrays, and that the network
does with one observation what it did when it was written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from policies.contract import Contract
from policies.learned import LearnedPolicy, PolicySource, kind_named
from policies.network import Mlp
from robot.errors import ConfigError, UnknownName
from workcell import __version__
from workcell.config import plain, validated
from workcell.files import replace_file, write_onto_disk
from workcell.policy_manifest import (
    EvaluationRecord,
    Manifest,
    Probe,
    TrainingRecord,
    parse_manifest,
)

MANIFEST, WEIGHTS = "policy.json", "weights.safetensors"
# Formats that can run code when they are loaded. Nothing here would load one, but a folder that
# holds one was not written by this project, and somebody may load it with something else.
_CODE = (".pkl", ".pickle", ".pt", ".pth", ".zip", ".joblib", ".ckpt", ".bin", ".npy", ".npz")
_LARGEST_MANIFEST, _LARGEST_FILE = 4 << 20, 256 << 20
# The same network on another machine: float32 sums in another order.
_PROBE_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class StoredPolicy:
    """A policy that was read and found to be what it says it is.

    Attributes:
        path: Its folder.
        manifest: What `policy.json` says.
        config: Of its kind's configuration class, with the source filled in.
        network: What it learned.
    """

    path: Path
    manifest: Manifest
    config: Any
    network: Mlp

    def policy(self, config: Any = None) -> LearnedPolicy:
        """Return it ready to act.

        Args:
            config: Other values of the configuration; those of the file if omitted.

        Raises:
            ConfigError: If they do not fit the network, or are of another file.
        """
        config = config or self.config
        self.config.source.refuse_unless(config.source, self.path)
        return _built(self.path, self.manifest, config, self.network)


def refuse_taken(path: Path, overwrite: bool) -> None:
    """Refuse a folder that no policy may be written to; called before one is taught, too.

    Args:
        path: Where it would be written.
        overwrite: Whether a policy that is there may be replaced.

    Raises:
        ConfigError: If a policy is there that may not be replaced, or something that is none.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise ConfigError(
            f"{path}: exists and is not overwritten; name one that does not exist, or ask to "
            "overwrite it"
        )
    if path.is_symlink() or not (path / MANIFEST).is_file():
        raise ConfigError(
            f"{path}: is no policy's folder and is not replaced by one; name one that does not "
            "exist"
        )


def read_policy(path: Path) -> StoredPolicy:
    """Read a policy and check all of it.

    Args:
        path: Its folder.

    Raises:
        ConfigError: In one line: what was expected, what was found, where, what to do.
    """
    if not path.is_dir():
        raise ConfigError(
            f"{path}: expected the folder of a policy, which holds {MANIFEST} and {WEIGHTS}; "
            "`workcell list` names those that come along"
        )
    _refuse_code(path)
    text = _bytes(path / MANIFEST, _LARGEST_MANIFEST).decode("utf-8", errors="replace")
    manifest = parse_manifest(text, str(path / MANIFEST))
    if WEIGHTS not in manifest.files:
        raise ConfigError(f"{path / MANIFEST}: files: expected a hash of {WEIGHTS}, got none")
    contents = {name: _checked(path, name, digest) for name, digest in manifest.files.items()}
    network = _network(path / WEIGHTS, contents[WEIGHTS], manifest)
    config = _config(path, manifest)
    # Whether network, contract and configuration fit together is the kind's to say.
    _built(path, manifest, config, network)
    return StoredPolicy(path, manifest, config, network)


def write_policy(
    path: Path,
    kind: str,
    config: Any,
    contract: Contract,
    network: Mlp,
    training: TrainingRecord,
    *,
    evaluation: Sequence[EvaluationRecord] = (),
    description: str = "",
    overwrite: bool = False,
) -> StoredPolicy:
    """Write a policy, whole or not at all, and read it again.

    Args:
        path: Its folder.
        kind: One of `policies.learned.KINDS`.
        config: Of the kind's configuration class.
        contract: What it was made for.
        network: What it learned.
        training: How it came about.
        evaluation: How it did on seeds that it was not trained on.
        description: For people, in one line.
        overwrite: Whether a policy that is there may be replaced.

    Raises:
        ConfigError: If something is there that may not be replaced, or the parts do not fit.
    """
    refuse_taken(path, overwrite)
    weights = save({name: np.ascontiguousarray(array) for name, array in network.tensors.items()})
    values = plain(config)
    # Found when it is read, not told.
    del values["source"]
    manifest = Manifest(
        kind=kind,
        project=__version__,
        contract=contract,
        network=network.spec,
        normalization=network.normalization,
        config=values,
        training=training,
        probe=_probe(network),
        files={WEIGHTS: hashlib.sha256(weights).hexdigest()},
        description=description,
        evaluation=tuple(evaluation),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    try:
        unfinished.chmod(0o755)
        write_onto_disk(unfinished / WEIGHTS, weights)
        write_onto_disk(unfinished / MANIFEST, manifest.text().encode())
        # What cannot be read is not put in place of anything.
        read_policy(unfinished)
        _put_in_place(unfinished, path, overwrite)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return read_policy(path)


def add_evaluation(path: Path, record: EvaluationRecord) -> StoredPolicy:
    """Note in a policy's folder how it did; the policy stays the same one.

    What is noted already stays once, in its place; if it was noted without its conditions, it gets
    them.

    Args:
        path: Its folder.
        record: What was measured.

    Raises:
        ConfigError: If the folder does not hold a sound policy.
    """
    manifest = read_policy(path).manifest
    bare = dataclasses.replace(record, overrides=(), config_hash="")
    before = (record if old == bare else old for old in manifest.evaluation)
    noted = dataclasses.replace(manifest, evaluation=tuple(dict.fromkeys((*before, record))))
    replace_file(path / MANIFEST, noted.text().encode())
    return read_policy(path)


def _refuse_code(path: Path) -> None:
    found = sorted(file.name for file in path.iterdir() if file.suffix.lower() in _CODE)
    if found:
        raise ConfigError(
            f"{path / found[0]}: a file of this kind can run code when it is loaded, and is never "
            f"read; remove it: a policy is {MANIFEST} and {WEIGHTS}"
        )


def _bytes(file: Path, largest: int) -> bytes:
    """Return what is in a regular file; never follows a link out of the folder."""
    try:
        described = file.lstat()
        if not stat.S_ISREG(described.st_mode):
            raise ConfigError(f"{file}: expected a regular file, got a link or a device")
        if described.st_size > largest:
            raise ConfigError(f"{file}: expected at most {largest} bytes, got {described.st_size}")
        return file.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{file}: missing. A policy is {MANIFEST} and {WEIGHTS}; copy the whole folder"
        ) from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _checked(path: Path, name: str, digest: str) -> bytes:
    if Path(name).name != name or name in (MANIFEST, ".", ".."):
        raise ConfigError(f"{path / MANIFEST}: files: expected plain names, got {name!r}")
    content = _bytes(path / name, _LARGEST_FILE)
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ConfigError(
            f"{path / name}: expected SHA-256 {digest[:12]}…, found {found[:12]}…: it is not the "
            "file that the policy was written with. Copy the folder again from where it came"
        )
    return content


def _network(file: Path, content: bytes, manifest: Manifest) -> Mlp:
    try:
        tensors: Mapping[str, NDArray[Any]] = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file}: expected safetensors: {error}") from None
    other = {name: array.dtype for name, array in tensors.items() if array.dtype != np.float32}
    if other:
        name, kind = next(iter(other.items()))
        raise ConfigError(f"{file}: {name}: expected float32, got {kind}")
    try:
        network = Mlp(manifest.network, tensors, manifest.normalization)
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    probe = manifest.probe
    sizes = (len(probe.observation), len(probe.action))
    if sizes != (manifest.network.inputs, manifest.network.outputs):
        raise ConfigError(
            f"{file.parent / MANIFEST}: probe: expected {manifest.network.inputs} and "
            f"{manifest.network.outputs} numbers, got {sizes[0]} and {sizes[1]}"
        )
    action = network(np.array(probe.observation, np.float32))
    furthest = float(np.abs(action - np.array(probe.action)).max())
    if not furthest <= _PROBE_TOLERANCE:
        raise ConfigError(
            f"{file}: the network's answer to the probe is off by {furthest:.2g}, at most "
            f"{_PROBE_TOLERANCE:g} is rounding: it is run in another way than it was written"
        )
    return network


def _probe(network: Mlp) -> Probe:
    """Return what a network does with an observation like those that it was trained on."""
    normalization = network.normalization
    drawn = np.random.default_rng(0).normal(normalization.mean, normalization.std)
    seen: NDArray[np.float32] = drawn.astype(np.float32)
    return Probe(tuple(seen.tolist()), tuple(network(seen).tolist()))


def _config(path: Path, manifest: Manifest) -> Any:
    """Return the kind's configuration, with where it was read from."""
    place = str(path / MANIFEST)
    try:
        _, config_class = kind_named(manifest.kind)
    except UnknownName as error:
        raise ConfigError(f"{place}: kind: {error}") from None
    if "source" in manifest.config:
        raise ConfigError(f"{place}: config.source: unknown key; it is found, not told")
    try:
        config = validated(manifest.config, config_class, "config", lambda dotted: place)
    except ConfigError as error:
        raise ConfigError(str(error).splitlines()[0]) from None
    source = PolicySource(manifest.fingerprint, dict(manifest.files))
    return dataclasses.replace(config, source=source)


def _built(path: Path, manifest: Manifest, config: Any, network: Mlp) -> LearnedPolicy:
    made, _ = kind_named(manifest.kind)
    try:
        return made(config, manifest.contract, network)
    except ValueError as error:
        raise ConfigError(f"{path / MANIFEST}: {error}") from None


def _put_in_place(unfinished: Path, path: Path, overwrite: bool) -> None:
    refuse_taken(path, overwrite)
    if path.exists():
        # The old one is whole beside the new one until the new one is there.
        old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
        path.replace(old / path.name)
        unfinished.replace(path)
        shutil.rmtree(old)
    else:
        unfinished.replace(path)
