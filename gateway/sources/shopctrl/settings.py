"""The keys of a configured source that ShopCtrl alone has."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

_Id = Annotated[int, Field(gt=0, strict=True)]


class ShopctrlOptions(BaseModel):
    """Which part of an installation the source is: the shops whose orders are looked up, and the owner of its customers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shop_ids: Annotated[tuple[_Id, ...], Field(min_length=1)]
    shop_owner_id: _Id

    @field_validator("shop_ids")
    @classmethod
    def _each_once(cls, shop_ids: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(shop_ids)) != len(shop_ids):
            raise ValueError("a shop is named twice")
        return shop_ids
