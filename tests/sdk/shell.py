"""A shell with an environment of its own, in which nothing of the machine's can be seen."""

import subprocess
import sys
from pathlib import Path

from market import CIRRUS, KEYS, Market

# Where the virtual environment has its programs.
PROGRAMS = Path(sys.executable).parent


class Shell:
    """Where a seller's program is called from."""

    def __init__(self, market: Market, home: Path) -> None:
        self.market = market
        self.environment = {
            "HOME": str(home),
            "PATH": str(PROGRAMS),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_CONFIG_FILE": str(home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_MARKETPLACE_METERING": market.endpoint,
            "AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE": market.endpoint,
        }
        self.act_as(CIRRUS)

    def act_as(self, account: str, session_token: str | None = None) -> None:
        """Exports an account's keys."""
        self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"] = KEYS[account]
        if session_token:
            self.environment["AWS_SESSION_TOKEN"] = session_token

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a program, and waits until it ended."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
