"""An environment in a process of its own, which steps when it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workcell.peers import PeerFailed, reason_in

_LOOP = Path(__file__).with_name("step_rate.py")
# How long a process may take to build and warm up, and to answer beyond what it measures, in s.
_BUILD_TIME = 300.0
_ANSWER_TIME = 60.0
# On a busy machine a process may be given a fifth of a core.
_LEAST_SHARE = 0.2
_PATIENCE = 3.0


class PeerProcess:
    """An environment in a process of its own; ready inside the context, gone after it.

    Attributes:
        facts: What `step_rate.build` says of it.
    """

    def __init__(self, python: Path, spec: Mapping[str, Any], log: Path, apart: bool) -> None:
        """Say what to run.

        Args:
            python: The interpreter.
            spec: What `step_rate.build` is told.
            log: File for what the process prints.
            apart: Whether it must not see this project.
        """
        self._spec = spec
        self._log = log
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        found = (str(_LOOP.parents[1]), os.environ.get("PYTHONPATH", ""))
        path = {} if apart else {"PYTHONPATH": os.pathsep.join(filter(None, found))}
        # `-I` also keeps out what PYTHONPATH names.
        self._command = [str(python), "-I" if apart else "-P", str(_LOOP)]
        self._environ = {**os.environ, **threads, **path}

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                env=self._environ,
            )
        try:
            self.facts = self._ask(json.dumps(self._spec), _BUILD_TIME)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None  # both were asked for
            pipe.close()

    def measure(self, seconds: float) -> dict[str, float]:
        """Let it step; return what `step_rate.StepLoop.measure` does.

        Args:
            seconds: How long, in s of its own time.
        """
        return self._ask(repr(seconds), seconds / _LEAST_SHARE + _ANSWER_TIME)

    def _ask(self, line: str, patience: float) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None  # it was asked for, and so was the other
        assert process.stdout is not None
        try:
            process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise PeerFailed(self._reason()) from None
        # It answers with one line, and says nothing more before it is asked again.
        ready, _, _ = select.select([process.stdout], [], [], patience)
        if not ready:
            raise PeerFailed(f"no answer within {patience:.0f} s; see {self._log}")
        answer = process.stdout.readline()
        if not answer:
            raise PeerFailed(self._reason())
        told: dict[str, Any] = json.loads(answer)
        return told

    def _reason(self) -> str:
        # Its answers end before it has said on standard error why.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ANSWER_TIME)
        said = reason_in(self._log.read_text(encoding="utf-8", errors="replace"))
        return f"{said}; see {self._log}"
