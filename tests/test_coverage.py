"""Everything that the course has to teach stands in a section that exists."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TAUGHT = runpy.run_path(ROOT / ".ci" / "what_is_taught.py")
ITEMS = TAUGHT["items"]()


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: f"{item['stage']}: {item['item']}")
def test_item_is_taught_under_its_heading(item):
    path = ROOT / "notebooks" / f"{item['notebook']}.ipynb"
    assert item["heading"] in TAUGHT["headings"](path)


@pytest.mark.parametrize("stage", TAUGHT["STAGES"])
def test_every_stage_has_items(stage):
    assert [item for item in ITEMS if item["stage"] == stage]


def test_no_item_stands_twice():
    names = [(item["stage"], item["item"]) for item in ITEMS]
    assert len(names) == len(set(names))


def test_every_notebook_teaches_something():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    assert notebooks == {item["notebook"] for item in ITEMS}


def test_table_in_the_readme_is_up_to_date():
    written = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert written == TAUGHT["page"](), "run `make taught`"


def test_pictures_of_the_readme_are_the_notebooks_own():
    pictures = runpy.run_path(ROOT / ".ci" / "readme_pictures.py")
    for name, notebook, words in pictures["PICTURES"]:
        stored = (ROOT / "notebooks" / "pictures" / f"{name}.png").read_bytes()
        assert stored == pictures["figure"](notebook, words), "run `make taught`"
