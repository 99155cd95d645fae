"""The base of everything in report.json, and the texts and values that it may hold."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from reports.text import printable, printable_json

Text = Annotated[str, BeforeValidator(lambda value: printable(value) if isinstance(value, str) else value)]
Json = Annotated[JsonValue, BeforeValidator(printable_json)]


class Entry(BaseModel):
    """Base of everything in report.json: immutable, and no key beyond the published ones."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )
