"""`matrix-conformance secrets`."""

import stat
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from fixtures.cli.secrets import app
from fixtures.rendering.secrets import load_declarations

LOCAL = str(Path(__file__).parents[2] / "manifests" / "overlays" / "local")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_mint_prints_every_secret_for_the_namespace_of_the_overlay() -> None:
    code, out, _ = run("mint", "--overlay", LOCAL)
    secrets = list(yaml.safe_load_all(out))
    assert code == 0
    assert {each["metadata"]["name"] for each in secrets} == set(load_declarations().keys())
    assert {each["metadata"]["namespace"] for each in secrets} == {"matrix"}


def test_a_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    output = tmp_path / "secrets.yaml"
    code, out, _ = run("mint", "--overlay", LOCAL, "--output", str(output))
    assert (code, out) == (0, "")
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert "kind: Secret" in output.read_text()


def test_a_file_that_exists_is_never_written_over(tmp_path: Path) -> None:
    output = tmp_path / "secrets.yaml"
    output.write_text("precious")
    code, _, err = run("mint", "--overlay", LOCAL, "--output", str(output))
    assert code == 1
    assert "exists already" in err
    assert output.read_text() == "precious"


@pytest.mark.parametrize(
    ("option", "count"), [("--only", 1), ("--skip", len(load_declarations().secrets) - 1)]
)
def test_some_secrets_can_be_chosen(option: str, count: int) -> None:
    code, out, _ = run("mint", "--overlay", LOCAL, option, "redis")
    assert code == 0
    assert len(list(yaml.safe_load_all(out))) == count


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--overlay", LOCAL, "--only", "nothing"), "Secret 'nothing' is not declared"),
        (("--overlay", "/nowhere"), "no kustomization.yaml there"),
        (("--overlay", LOCAL, "--output", "/nowhere/s.yaml"), "cannot be made"),
    ],
)
def test_a_fault_is_one_line(arguments: tuple[str, ...], fault: str) -> None:
    code, out, err = run("mint", *arguments)
    assert (code, out) == (1, "")
    assert fault in err
    assert len(err.splitlines()) == 1


def test_list_shows_no_values() -> None:
    code, out, _ = run("list")
    assert code == 0
    assert "postgresql-synapse" in out
