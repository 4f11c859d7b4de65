"""What the README promises about commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## Tests\n+```bash\n(.+)\n```$", readme, flags=re.MULTILINE)
    assert section is not None
    command = section[1]
    assert command.endswith("&& pytest")
    # Its last line, so that its exit code and pytest's closing line are those of the run.
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == command
