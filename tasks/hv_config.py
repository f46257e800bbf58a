"""The configuration of high-voltage plugging, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from robot.errors import UnknownName
from tasks.hv_judging import PlugRule
from tasks.hv_packs import PackModel
from tasks.hv_plan_config import HvPlanConfig
from tasks.hv_station_config import HvStationConfig
from tasks.hv_tester import HvTesterConfig
from tasks.parts.hv_connector import ConnectorType
from tasks.task import Demands


@dataclass(frozen=True)
class HvPluggingConfig:
    """The job.

    Attributes:
        connectors: Every type of connector, by name.
        packs: Every model of pack, by name.
        models: Names of the models that come, each as often; all without a connector that is held
            out if empty.
        station: Where things stand.
        plan: How the robot goes about it.
        tester: How the tester goes about it.
        rule: When a plug is mated and unmated.
        time_limit: Longest episode, in s.
        force_limit: Hardest touch of anything but a plug, in N.
        demands: What the job asks of the robot.
    """

    connectors: Mapping[str, ConnectorType] = field(default_factory=dict)
    packs: Mapping[str, PackModel] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    station: HvStationConfig = field(default_factory=HvStationConfig)
    plan: HvPlanConfig = field(default_factory=HvPlanConfig)
    tester: HvTesterConfig = field(default_factory=HvTesterConfig)
    rule: PlugRule = field(default_factory=PlugRule)
    time_limit: float = 120.0
    force_limit: float = 60.0
    demands: Demands = field(
        default_factory=lambda: Demands(
            grip_force=50.0, push_force=115.0, wrist_force=120.0, wrist_peak=200.0
        )
    )

    def __post_init__(self) -> None:
        """Refuse names that do not exist, packs out of reach and numbers out of range."""
        for name, pack in self.packs.items():
            if pack.name != name:
                raise ValueError(f"pack '{name}': name: expected {name}, got {pack.name}")
            pack.check_connectors(self.connectors)
            self.station.check_reach(pack)
        for model in self.models:
            if model not in self.packs:
                raise UnknownName("pack", model, self.packs)
        if len(set(self.models)) != len(self.models):
            raise ValueError(f"models: expected each name once, got {self.models}")
        for name in ("time_limit", "force_limit"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")

    @property
    def coming(self) -> tuple[PackModel, ...]:
        """The models that come, in the order of `pack_index`."""
        if self.models:
            return tuple(self.packs[name] for name in self.models)
        return tuple(p for p in self.packs.values() if not p.is_held_out(self.connectors))
