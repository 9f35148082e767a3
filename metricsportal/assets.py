"""Static files: which files of npm packages are served, and how file names carry the hash of their content."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder, get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

PREFIX: Final = "vendor"

# (package, folder inside it, file): exactly these are served, as vendor/<file>. Never a whole dist/: the ES modules in
# there import bare names, which collectstatic would read as relative files. Source maps are named by the files' last
# lines, so collectstatic needs them too.
VENDOR_FILES: Final = (
    ("chart.js", "dist", "chart.umd.min.js"),
    ("chart.js", "dist", "chart.umd.min.js.map"),
    ("luxon", "build/global", "luxon.min.js"),
    ("luxon", "build/global", "luxon.min.js.map"),
    ("chartjs-plugin-annotation", "dist", "chartjs-plugin-annotation.min.js"),
    ("chartjs-plugin-zoom", "dist", "chartjs-plugin-zoom.min.js"),
    ("tom-select", "dist/js", "tom-select.complete.min.js"),
    ("tom-select", "dist/js", "tom-select.complete.min.js.map"),
    ("tom-select", "dist/css", "tom-select.min.css"),
    ("tom-select", "dist/css", "tom-select.min.css.map"),
)


class VendorFinder(BaseFinder):
    """Finds the files of VENDOR_FILES in node_modules/ under `vendor/`."""

    def __init__(self, app_names: object = None, *args: object, **kwargs: object) -> None:
        root = Path(settings.BASE_DIR) / "node_modules"
        self.sources = {name: root / package / folder / name for package, folder, name in VENDOR_FILES}

    def find(  # type: ignore[override]  # the stubs say None where Django's own finders return [], which it relies on
        self, path: str, find_all: bool = False, **kwargs: object
    ) -> str | list[str]:
        """Absolute path of `vendor/<file>`; an empty list for other paths or when npm has not run."""
        folder, _, name = path.partition("/")
        source = self.sources.get(name) if folder == PREFIX else None
        if source is None or not source.exists():
            return []
        return [str(source)] if find_all else str(source)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Every file with its storage, for collectstatic. Raises ImproperlyConfigured when one is missing."""
        for name, source in self.sources.items():
            if not source.exists():
                raise ImproperlyConfigured(f"{name} is not in node_modules; install the assets with `make assets`.")
            storage = FileSystemStorage(location=source.parent)
            storage.prefix = PREFIX  # type: ignore[attr-defined]  # the attribute collectstatic reads for the target
            yield name, storage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Names with content hashes, also inside ES modules' imports, and compressed copies for whitenoise."""

    # Without it `import "./x.js"` stays unhashed inside a hashed file: old code after a release.
    support_js_module_import_aggregation = True
    # Django's own patterns run from the word "export" in a comment to the next import; these hold to one statement.
    _js_module_import_aggregation_patterns = (
        "*.js",
        (
            (
                r"""(?m)^(?P<matched>(?P<head>(?:import|export)\b(?:[^"'`;]*\bfrom)?)\s*["'](?P<url>\.[^"']*)["'];)""",
                '%(head)s "%(url)s";',
            ),
            (r"""(?P<matched>import\(["'](?P<url>\.[^"']*)["']\))""", 'import("%(url)s")'),
        ),
    )

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Gzip, and no source maps: brotli, where something else brought it, takes a minute of the first start."""
        skipped = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
        return Compressor(**{**kwargs, "extensions": skipped, "use_brotli": False})


def _sources_digest() -> str:
    """Hash over path, size and time of every source file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(None):
            source = Path(storage.path(path))
            status = source.stat()
            digest.update(f"{source} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _stamp() -> Path:
    return Path(settings.STATIC_ROOT) / ".collected"


def is_stale() -> bool:
    """Whether a source file changed since the last `collect`."""
    stamp = _stamp()
    return not stamp.exists() or stamp.read_text() != _sources_digest()


def collect() -> None:
    """Collect the static files anew, old ones removed."""
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    _stamp().write_text(_sources_digest())
