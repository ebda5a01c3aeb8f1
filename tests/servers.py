"""PostgreSQL and Redis of a test run: a copied cluster without fsync, started in a fraction of a second."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from tagger import cluster, embedded, stack
from tagger.layout import Layout


def _template() -> Layout:
    """A cluster made once for each PostgreSQL release and account, kept in the temporary folder."""
    source = Path(cluster.__file__).read_bytes()
    release = embedded.postgres_binaries().stat().st_mtime_ns
    key = f"{hashlib.sha256(source).hexdigest()[:12]}-{release}-{os.geteuid()}"
    return Layout(Path(tempfile.gettempdir()) / f"tagger-cluster-{key}")


def open_to_accounts(folder: Path) -> None:
    """Let the account of the servers pass through a folder of ours, when the tests run as root."""
    folder.chmod(0o711)


def prepare(layout: Layout) -> None:
    """Folders and a fresh cluster below `layout`, copied from the template."""
    template = _template()
    if not (template.root / "complete").exists():
        fresh = Layout(Path(tempfile.mkdtemp(prefix="tagger-cluster-new-")))
        cluster.prepare_folders(fresh)
        cluster.initialise(fresh, cluster.SETTINGS_FOR_TESTS)
        (fresh.root / "complete").touch()
        try:
            fresh.root.rename(template.root)
        except OSError:  # another run was first
            shutil.rmtree(fresh.root)
    cluster.prepare_folders(layout)
    subprocess.run(["cp", "-a", template.postgres, layout.postgres], check=True)


def running(layout: Layout) -> AbstractContextManager[list[stack.Server]]:
    prepare(layout)
    return stack.servers(layout)
