"""`scripts/bench WHAT`: figures of one run on this machine, side by side, medians of repeated and interleaved measurements."""

import argparse
import json
import sys
from pathlib import Path

from tests.bench import drain, log, orders, service, usage

BENCHES = {"orders": orders, "log": log, "drain": drain, "service": service, "usage": usage}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure and print; nothing here passes or fails.")
    chosen = parser.add_subparsers(dest="what", required=True)
    for name, bench in BENCHES.items():
        one = chosen.add_parser(name, help=bench.MEANING)
        bench.options(one)
        one.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    arguments = parser.parse_args()
    figures = BENCHES[arguments.what].measure(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
