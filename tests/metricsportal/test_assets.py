"""Static files, collected for real."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from metricsportal import assets

installed = pytest.mark.skipif(
    not Path(finders.find("vendor/chart.umd.min.js") or "/none").exists(), reason="node_modules/ is not installed"
)
IMPORT = re.compile(r"""^\s*(?:import|export)\b(?:[^"';]*\bfrom)?\s*["']([^"']+)["']""", re.MULTILINE)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All static files as production serves them."""
    root = tmp_path_factory.mktemp("static")
    storages = {"staticfiles": {"BACKEND": "metricsportal.assets.HashedStorage"}}
    with override_settings(STATIC_ROOT=root, STORAGES=storages):
        assets.collect()
        assert not assets.is_stale()
        yield root


@installed
def test_every_vendor_file_is_served_under_a_name_with_its_hash(collected: Path) -> None:
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    names = [f"vendor/{name}" for _, _, name in assets.VENDOR_FILES]
    assert sorted(name for name in manifest if name.startswith("vendor/")) == sorted(names)
    for name in names:
        assert re.search(r"\.[0-9a-f]{12}\.", manifest[name])
        assert (collected / manifest[name]).stat().st_size > 1000
        assert staticfiles_storage.url(name) == f"/static/{manifest[name]}"
    assert (collected / (manifest["vendor/chart.umd.min.js"] + ".gz")).exists()


@installed
def test_what_takes_long_to_compress_and_nobody_asks_for_is_not_compressed(collected: Path) -> None:
    compressed = {path.name for path in collected.rglob("*") if path.suffix in (".gz", ".br")}
    assert any(name.endswith(".js.gz") for name in compressed)
    assert [name for name in compressed if name.endswith((".br", ".map.gz"))] == []


@installed
def test_no_module_imports_an_unhashed_file(collected: Path) -> None:
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    own = [name for name in manifest if name.endswith(".js") and not name.startswith(("vendor/", "admin/", "drf_"))]
    for name in own:
        for target in IMPORT.findall((collected / manifest[name]).read_text()):
            assert re.search(r"\.[0-9a-f]{12}\.js$", target), f"{name} imports {target}"


@installed
def test_a_changed_source_makes_the_collection_stale(collected: Path) -> None:
    stamp = collected / ".collected"
    kept = stamp.read_text()
    stamp.write_text("of other sources")
    assert assets.is_stale()
    stamp.write_text(kept)
    assert not assets.is_stale()


def test_modules_are_rewritten_to_hashed_names(tmp_path: Path) -> None:
    storage = assets.HashedStorage(location=tmp_path, base_url="/static/")
    page = """// Draws. The export of pictures is elsewhere.
import "./charts.js";
import {
  draw,
} from "./charts.js";
import * as charts from './charts.js';
export { draw } from "./charts.js";
export const NAME = "./not-an-import.js";
const later = () => import("./charts.js");
"""
    (tmp_path / "page.js").write_text(page)
    (tmp_path / "charts.js").write_text("export function draw() {}\n")
    sources = {name: (storage, name) for name in ("page.js", "charts.js")}
    list(storage.post_process(sources))
    written = (tmp_path / storage.hashed_files["page.js"]).read_text()
    assert written == page.replace("charts.js", storage.hashed_files["charts.js"]).replace("'", '"')


@pytest.mark.parametrize(
    "path", ["vendor/package.json", "chart.umd.min.js", "vendor/../package.json", "vendor/", "vendor"]
)
def test_nothing_else_of_node_modules_is_found(path: str) -> None:
    assert assets.VendorFinder().find(path) == []
    assert assets.VendorFinder().find(path, find_all=True) == []


def test_missing_packages_are_named(tmp_path: Path) -> None:
    with override_settings(BASE_DIR=tmp_path):
        finder = assets.VendorFinder()
    assert finder.find("vendor/luxon.min.js") == []
    with pytest.raises(ImproperlyConfigured, match=r"chart\.umd\.min\.js is not in node_modules"):
        list(finder.list(None))
