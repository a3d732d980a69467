"""Four packages with plain names: they are the checkout's own, and a wheel holds all they need."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from outreach.planning.versions import CODE_VERSION
from tests.meta.documents import ROOT

PACKAGES = ("outreach", "channels", "consent", "templates")


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_is_that_of_this_checkout(name: str) -> None:
    """What is imported under a name of ours is the folder of this checkout, not an installed copy."""
    place = importlib.import_module(name).__file__
    assert place is not None
    assert Path(place).resolve() == ROOT / name / "__init__.py"


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_brings_a_package_of_that_name(name: str) -> None:
    """Nothing else in the environment provides the name: remove it, or install us in an environment of our own."""
    assert set(packages_distributions().get(name, ())) <= {"outreach"}


def test_decisions_name_the_version_of_the_project() -> None:
    """The code's version that a decision keeps is the project's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == CODE_VERSION


@pytest.mark.slow
def test_the_wheel_holds_code_texts_and_rules(tmp_path: Path) -> None:
    """A wheel has every file of the four packages, data as well as code, and no other package."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path], cwd=ROOT, check=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == ours
    suffixes = {Path(name).suffix for name in held}
    assert {".py", ".toml", ".txt", ".html", ".mako"} <= suffixes
