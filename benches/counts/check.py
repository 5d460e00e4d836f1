"""Counts the instructions of the kernels with callgrind, and compares them with the committed counts.

    python3 benches/counts/check.py            fails when a kernel needs 5 % more than what is committed
    python3 benches/counts/check.py --renew    writes what it counts

Counts are the same on a busy machine as on an idle one. They belong to x86-64 and to the compiler that made them; on
another architecture nothing is compared, and it says so.
"""

import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parent.parent
COMMITTED = FOLDER / "counts.json"
KERNELS = {
    # name: (function, records)
    "apply": ("kernel_apply", 98_304),
    "apply_scattered": ("kernel_apply", 98_304),
    "repeat": ("kernel_repeat", 98_304),
    "decide": ("kernel_decide", 98_304),
    "sums": ("kernel_sums", 98_304),
    "overflow": ("kernel_sums", 98_304),
}
MORE = 1.05


def count(binary: pathlib.Path, kernel: str, function: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
            "--collect-atstart=no", f"--toggle-collect=*{function}*", str(binary), kernel,
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not collected or int(collected[1]) == 0:
        sys.exit(f"{kernel} could not be counted:\n{run.stderr}")
    return int(collected[1])


def main() -> None:
    if platform.machine() != "x86_64":
        print(f"the committed counts are of x86-64, this machine is {platform.machine()}: nothing is compared")
        return
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "-p", "souk-core", "--example", "counts"], cwd=ROOT, check=True
    )
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    binary = pathlib.Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "examples" / "counts"
    found = {kernel: count(binary, kernel, function) for kernel, (function, _) in KERNELS.items()}
    if "--renew" in sys.argv:
        COMMITTED.write_text(json.dumps(found, indent=2) + "\n")
    committed = json.loads(COMMITTED.read_text())
    worse = []
    print(f"{'kernel':16} {'instructions':>13} {'committed':>13} {'ratio':>6} {'a record':>9}")
    for kernel, instructions in found.items():
        ratio = instructions / committed[kernel]
        print(
            f"{kernel:16} {instructions:13,} {committed[kernel]:13,} {ratio:6.3f} "
            f"{instructions / KERNELS[kernel][1]:9.2f}"
        )
        if ratio > MORE:
            worse.append(kernel)
    if worse:
        sys.exit(f"more instructions than committed: {', '.join(worse)}; find out why, or renew with --renew")


if __name__ == "__main__":
    main()
