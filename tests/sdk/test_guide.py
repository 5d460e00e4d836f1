"""The guide server/AWS.md shows programs that run."""

import sys
from pathlib import Path

import pytest
from market import Market
from shell import Shell

GUIDE = Path(__file__).parents[2] / "server" / "AWS.md"


def block(language: str) -> str:
    """The guide's first block in a language."""
    _, _, rest = GUIDE.read_text().partition(f"```{language}\n")
    shown, end, _ = rest.partition("```\n")
    assert shown and end
    return shown


@pytest.mark.parametrize(
    ("language", "run"), [("python", [sys.executable, "-c"]), ("sh", ["/bin/sh", "-e", "-c"])], ids=["python", "sh"]
)
def test_a_program_of_the_guide_prints_what_the_guide_says(
    market: Market, tmp_path: Path, language: str, run: list[str]
) -> None:
    done = Shell(market, tmp_path).run(*run, block(language))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == block("text").split()
