"""Documents that last: links lead somewhere, decisions are whole, and nothing tells of anybody's machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from outreach.intake.mapping import FileMapping, Section, load_mapping
from outreach.intake.reading import read_facts
from outreach.intake.rows import FactKind
from outreach.intake.tables import CLAIMS, FACTS, PAYMENTS
from tests.meta.documents import ROOT, blocks, documents, files

HEADINGS = ["Context", "Decision", "Consequences", "Alternatives"]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
IMPORT = (ROOT / "docs/import.md").read_text("utf-8")

# In pieces, so that this file passes its own test.
FORBIDDEN = (
    *(f"/{name}/" for name in ("work", "root", "home", "Users")),
    *(f"/opt/{name}" for name in ("pypi", "wheels")),
    *(f"{name}.{end}" for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("ghcr", "io"))),
)


def by_name(path: Path) -> str:
    """Return a path as a test's name shows it."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", documents(), ids=by_name)
def test_links_lead_to_files(path: Path) -> None:
    """A link to another file of the repository finds it."""
    text = path.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("path", DECISIONS, ids=by_name)
def test_a_decision_is_whole_and_short(path: Path) -> None:
    """A decision has a number, the four headings in their order, something below each, and fits on a page."""
    text = path.read_text("utf-8")
    number = int(path.name[:4])
    assert text.startswith(f"# {number}. ")
    parts = re.split(r"^## (.+)\n", text, flags=re.M)[1:]
    assert parts[::2] == HEADINGS
    assert all(part.strip() for part in parts[1::2])
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_in_order() -> None:
    """Numbers begin at 1, without a gap or a second of the same."""
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_architecture_names_files_that_exist() -> None:
    """Each path in ARCHITECTURE.md is there, and each function it names stands in its file."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    paths = re.findall(r"`((?:outreach|channels|consent|templates|tests|docs)/[\w./]+)`", text)
    assert paths
    assert not [path for path in paths if not (ROOT / path).exists()]
    named = re.findall(r"`(\w+)` in\s`([\w/]+\.py)`", text)
    assert named
    assert not [name for name, path in named if f"def {name}(" not in (ROOT / path).read_text("utf-8")]


def test_the_architecture_lists_the_floors() -> None:
    """The floors in ARCHITECTURE.md are those that the import rules hold, in their order."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(rule["layers"] for rule in rules if "containers" in rule)
    text = " ".join((ROOT / "ARCHITECTURE.md").read_text("utf-8").split())
    told = re.search(r"In `outreach`, from the top: (.+?)\.", text)
    assert told
    assert told[1].replace("`", "").split(" · ") == layers


@pytest.mark.parametrize("table", [CLAIMS, PAYMENTS, FACTS], ids=lambda table: table.name)
def test_every_column_is_documented(table: object) -> None:
    """Each column that an import knows stands in docs/import.md."""
    names = {*table.columns, *table.called} - {*table.called.values()}  # type: ignore[attr-defined]
    assert not {name for name in names if f"`{name}`" not in IMPORT}


def test_the_example_of_facts_is_taken(tmp_path: Path) -> None:
    """Every row of the example is a good one, and the table below it tells every kind."""
    [example] = [block.body for block in blocks(IMPORT) if block.body.startswith("debtor_id,")]
    path = tmp_path / "facts.csv"
    path.write_text(example, "utf-8")
    [batch] = read_facts(path)
    assert (len(batch.rows), batch.rejects) == (example.count("\n") - 1, [])
    assert not {kind for kind in FactKind if f"`{kind}`" not in IMPORT}


def test_the_mapping_in_the_documents_is_the_shipped_one_in_short(tmp_path: Path) -> None:
    """The example of a mapping can be loaded, and says nothing that the shipped file does not say."""
    [example] = [block.body for block in blocks(IMPORT) if block.kind == "toml"]
    path = tmp_path / "example.toml"
    path.write_text(example, "utf-8")
    short, shipped = load_mapping(path), load_mapping("receivables")
    assert (short.formats, short.ignore) == (shipped.formats, shipped.ignore)
    for name in ("claims", "payments"):
        ours, theirs = _facts(short, name), _facts(shipped, name)
        assert ours <= theirs


def _facts(mapping: FileMapping, name: str) -> set[tuple[str, str, str]]:
    """Return what a section says, one fact a pair."""
    section: Section = mapping.section(name)
    pairs = {(theirs, one) for theirs, ours in section.columns.items() for one in ours}
    found = {("columns", theirs, one) for theirs, one in pairs}
    found |= {("constants", *item) for item in section.constants.items()}
    found |= {("derive", one, str(template)) for one, template in section.derive.items()}
    found |= {("values", one, str(sorted(words.items()))) for one, words in section.values.items()}
    return found | {("when_present", one, "") for one in section.when_present}


def test_no_file_tells_of_a_machine_or_a_registry() -> None:
    """No path of anybody's machine and no registry's address is in the repository; the lock file must have one."""
    found = [
        (by_name(path), word)
        for path in files()
        if path.name != "uv.lock"
        for word in FORBIDDEN
        if word in path.read_text("utf-8", errors="replace")
    ]
    assert not found
