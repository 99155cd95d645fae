"""Containerfiles of our own images say what the catalogue says, so that built and composed images are alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.rendering.catalogue import Image, PyPI, catalogue
from fixtures.rendering.rules.containerfiles import floating_bases

ROOT = Path(__file__).parents[2]
OURS = [image for image in catalogue().images if image.ours]


def containerfile(image: Image) -> str:
    """The last stage of an image's Containerfile, continued lines joined."""
    folder = image.repository.rpartition("/")[2]
    text = (ROOT / "manifests" / "images" / folder / "Containerfile").read_text()
    return re.split(r"(?m)^FROM ", text.replace("\\\n", " "))[-1]


@pytest.mark.parametrize("image", OURS, ids=lambda image: image.repository)
def test_environment_and_user_are_those_of_the_catalogue(image: Image) -> None:
    (environment,) = re.findall(r"(?m)^ENV (.+)$", containerfile(image))
    assert image.layout is not None
    assert dict(pair.split("=", 1) for pair in environment.split()) == {
        "PATH": ":".join(image.layout.path),
        **image.layout.env,
    }
    assert re.findall(r"(?m)^USER (.+)$", containerfile(image)) == [f"{image.user}:{image.user}"]


@pytest.mark.parametrize("image", OURS, ids=lambda image: image.repository)
def test_files_lie_where_the_catalogue_lays_them(image: Image) -> None:
    assert image.layout is not None
    copied = dict(re.findall(r"(?m)^COPY (?:--from=\S+ )?(\S+) (\S+)$", containerfile(image)))
    wanted = {f"manifests/{bind.file}" if bind.file else bind.to: bind.to for bind in image.layout.binds}
    assert copied == wanted


@pytest.mark.parametrize("image", OURS, ids=lambda image: image.repository)
def test_it_is_built_from_the_lock_of_its_environment(image: Image) -> None:
    assert isinstance(image.without_registry, PyPI)
    assert image.layout is not None
    (program,) = [bind.program for bind in image.layout.binds if bind.program]
    text = (ROOT / "manifests" / "images" / image.repository.rpartition("/")[2] / "Containerfile").read_text()
    installs = re.findall(r"pip install .*?(?= && |\n)", text.replace("\\\n", " "))
    assert installs
    assert all("--require-hashes" in install for install in installs)
    assert f"--requirement /locks/{program}.txt" in installs[-1]


ASKED = 'RUN case ${BASE} in *@sha256:*) ;; *) echo "which?" >&2; exit 1 ;; esac'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("FROM debian@sha256:0123\nFROM scratch", None),
        ("ARG BASE=debian:12@sha256:0123\nFROM ${BASE}", None),
        (f"ARG BASE\nFROM ${{BASE}} AS build\nARG BASE\n{ASKED}\nFROM build", None),
        ("FROM debian:12", "has no digest"),
        ("FROM --platform=linux/amd64 debian:12 AS build", "has no digest"),
        ("ARG BASE=debian:12\nFROM $BASE", "is debian:12 where nobody says another"),
        ("ARG BASE\nFROM ${BASE}", "may be said without a digest"),
        (f"ARG BASE\nFROM ${{BASE}}\n{ASKED}\nFROM nginx:1 AS web", "FROM nginx:1: has no digest"),
    ],
)
def test_a_base_has_a_digest(text: str, fault: str | None) -> None:
    """In the file, or by whoever builds."""
    found = list(floating_bases(text))
    assert (not found) if fault is None else (len(found) == 1 and fault in found[0]), found
