"""The published JSON Schema of report.json, generated from the model: `python -m reports.schema` writes it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from reports.model import SCHEMA_VERSION, Report

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


def generated() -> str:
    """The text that `report.schema.json` must hold."""
    # Mode "validation": a schema of what is accepted, in which the optional keys may be absent.
    schema = Report.model_json_schema(by_alias=True, mode="validation")
    head = {
        "$schema": Draft202012Validator.META_SCHEMA["$schema"],
        "$id": f"urn:matrix-conformance:report:{SCHEMA_VERSION}",
    }
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def violation(document: Any) -> str | None:
    """What the published schema finds most wrong with a document, in one line; None when it is valid."""
    error = best_match(_validator().iter_errors(document))
    return None if error is None else f"{error.json_path}: {error.message}".splitlines()[0][:400]


if __name__ == "__main__":
    SCHEMA_FILE.write_text(generated(), encoding="utf-8")
