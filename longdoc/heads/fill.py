"""Masked language modelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from longdoc.heads.kind import HeadKind

if TYPE_CHECKING:
    from longdoc.heads.modules import FillHead


@dataclass(frozen=True, slots=True, kw_only=True)
class FillConfig:
    """Masked words, predicted through the encoder's own input embeddings."""

    kind: Literal["fill"] = "fill"


def module() -> type[FillHead]:
    """The class of its module, with which torch is imported."""
    from longdoc.heads.modules import FillHead

    return FillHead


FILL = HeadKind(
    config=FillConfig,
    module=module,
    build=lambda config, width, embeddings: module()(width, embeddings),
)
