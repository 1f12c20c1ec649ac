"""The models of OpenAI's Responses API that have the tool which draws, as data.

Strategy: one row per live model of the GPT-5 family. These tables belong to the sandbox alone, as those of
the image models do.

Source: https://platform.openai.com/docs/models and
https://platform.openai.com/docs/guides/reasoning
"""

from __future__ import annotations

from dataclasses import dataclass

NO_EFFORT = "none"
DEFAULT_IMAGE_MODEL = "gpt-image-2"

_FIRST_EFFORTS = ("minimal", "low", "medium", "high")
_EFFORTS = (NO_EFFORT, "low", "medium", "high")
_MORE_EFFORTS = (*_EFFORTS, "xhigh")
_ALL_EFFORTS = (*_MORE_EFFORTS, "max")


@dataclass(frozen=True, kw_only=True, eq=False)
class MainlineModel:
    """One live model. `created` is the release of its snapshot, in Unix seconds.

    With an effort other than "none" it thinks before it answers, and takes no temperature and no top_p.
    """

    name: str
    created: int
    snapshots: tuple[str, ...] = ()
    efforts: tuple[str, ...]
    default_effort: str

    @property
    def told_name(self) -> str:
        """The name that replies tell: that of its snapshot, where it has one."""
        return self.snapshots[0] if self.snapshots else self.name


def _model(
    name: str, created: int, efforts: tuple[str, ...], default_effort: str, day: str = ""
) -> MainlineModel:
    return MainlineModel(
        name=name,
        created=created,
        snapshots=(f"{name}-{day}",) if day else (),
        efforts=efforts,
        default_effort=default_effort,
    )


MAINLINE: dict[str, MainlineModel] = {
    model.name: model
    for model in (
        _model("gpt-5.6", 1_783_555_200, _ALL_EFFORTS, "medium"),
        _model("gpt-5.6-sol", 1_783_555_200, _ALL_EFFORTS, "medium"),
        _model("gpt-5.6-terra", 1_783_555_200, _ALL_EFFORTS, "medium"),
        _model("gpt-5.6-luna", 1_783_555_200, _ALL_EFFORTS, "medium"),
        _model("gpt-5.5", 1_776_902_400, _MORE_EFFORTS, "medium", "2026-04-23"),
        _model("gpt-5.4", 1_772_668_800, _MORE_EFFORTS, NO_EFFORT, "2026-03-05"),
        _model("gpt-5.4-mini", 1_773_705_600, _MORE_EFFORTS, NO_EFFORT, "2026-03-17"),
        _model("gpt-5.4-nano", 1_773_705_600, _MORE_EFFORTS, NO_EFFORT, "2026-03-17"),
        _model("gpt-5.2", 1_765_411_200, _MORE_EFFORTS, NO_EFFORT, "2025-12-11"),
        _model("gpt-5.1", 1_762_992_000, _EFFORTS, NO_EFFORT, "2025-11-13"),
        _model("gpt-5", 1_754_524_800, _FIRST_EFFORTS, "medium", "2025-08-07"),
        _model("gpt-5-mini", 1_754_524_800, _FIRST_EFFORTS, "medium", "2025-08-07"),
        _model("gpt-5-nano", 1_754_524_800, _FIRST_EFFORTS, "medium", "2025-08-07"),
    )
}

_BY_EVERY_NAME = {name: model for model in MAINLINE.values() for name in (model.name, *model.snapshots)}


def find_mainline(name: str) -> MainlineModel | None:
    """The live model of this name or snapshot; None when there is none, or it draws no pictures this way."""
    return _BY_EVERY_NAME.get(name)
