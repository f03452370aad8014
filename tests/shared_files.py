"""Where the files of the tests lie: the project's own, and public models and data that are not part of it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SMALTI_SHARED", ROOT.parent / "shared"))
