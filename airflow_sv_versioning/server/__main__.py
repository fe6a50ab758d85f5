"""``python -m airflow_sv_versioning.server --data DIR``: serve, and say when ready."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from airflow_sv_versioning.server.run import ServerInfo, serve


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m airflow_sv_versioning.server", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the server's data")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free port")
    parser.add_argument("--token", help="API token; kept from the last run, or made, where it is not given")
    arguments = parser.parse_args()
    serve(
        arguments.data,
        host=arguments.host,
        port=arguments.port,
        token=arguments.token,
        on_ready=_print_ready_line,
    )


def _print_ready_line(info: ServerInfo) -> None:
    print(json.dumps(asdict(info)), flush=True)


if __name__ == "__main__":
    main()
