"""The stand-in in a process of its own: `python -m infra.local --scenario estate:1000x5 --latency-ms 50`."""

import argparse
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from infra.local.clock import real_time
from infra.local.estate_objects import fill
from infra.local.recorded import recorded_world
from infra.local.scenarios import demo_world, estate
from infra.local.server import StandIn
from infra.local.throttle import TokenBuckets
from infra.local.tuning_story import prepare
from infra.local.world import World

_ESTATE = re.compile(r"estate:(?:(\d+)x)?(\d+)x(\d+)")
_EPILOG = """scenarios:
  demo                 the invented company of the demo: 3 subscriptions, 9 accounts
  estate:AxD           A accounts with D deployments each, in one subscription
  estate:SxAxD         the same A accounts, spread over S subscriptions
  recorded:FOLDER      recorded real answers

The first line on standard output is the endpoint, of ARM and of Log Analytics (EVIDENCE_ARM_ENDPOINT, EVIDENCE_LOGS_ENDPOINT). Any request
must carry `Authorization: Bearer <anything>`.
Ctrl-C or SIGTERM ends it and tells on standard error how many requests were answered, and how many were no GET."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="A stand-in for Azure Resource Manager on 127.0.0.1.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--port", type=port, default=0, help="port on 127.0.0.1 (default: any free one)")
    options.add_argument("--scenario", default="demo", help="what it serves, see below (default: demo)")
    options.add_argument("--latency-ms", type=milliseconds, default=0.0, metavar="MS", help="delay of every answer (default: 0)")
    options.add_argument("--gzip", action="store_true", help="compress answers for clients that accept it")
    options.add_argument(
        "--page-size",
        action="append",
        default=[],
        metavar="KIND=N",
        help="give lists of KIND (accounts, deployments, …) in pages of N; may be repeated (default: single pages)",
    )
    options.add_argument("--throttle", action="store_true", help="Azure's read limit: 250 at once, then 25 a second, per subscription")
    options.add_argument(
        "--data-plane",
        choices=("http", "tls"),
        metavar="HOW",
        help="http or tls: give each account an endpoint of its own on loopback, where its files, jobs, models and the rest are",
    )
    options.add_argument("--tls", action="store_const", const="tls", dest="data_plane", help="the same as --data-plane tls")
    options.add_argument("--certificate", metavar="FILE", help="with TLS: write the endpoints' certificate there, for SSL_CERT_FILE")
    options.add_argument(
        "--objects",
        type=count,
        default=0,
        metavar="N",
        help="estate: N files in each account, and jobs, models, batches and the rest in proportion",
    )
    return options


def count(text: str) -> int:
    """A number of objects. Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of objects: from 0 to 1000000")


def port(text: str) -> int:
    """A port, or 0 for any. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 0 (any free one) to 65535")
    return int(text)


def milliseconds(text: str) -> float:
    """A delay of at most a minute. Raises ArgumentTypeError."""
    try:
        if 0 <= float(text) <= 60_000:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a delay: milliseconds, from 0 to 60000")


def world_of(scenario: str, objects: int = 0) -> World:
    """The world that a scenario's name stands for. Raises ValueError for a name that stands for none."""
    if scenario == "demo":
        world = demo_world(real_time)
        prepare(world)
        return world
    if match := _ESTATE.fullmatch(scenario):
        world = estate(int(match[1] or 1), int(match[2]), int(match[3]), real_time)
        fill(world, objects)
        return world
    if scenario.startswith("recorded:"):
        return recorded_world(Path(scenario.removeprefix("recorded:")))
    raise ValueError(f"no such scenario: {scenario}; try demo, estate:1000x5 or recorded:FOLDER")


def page_sizes(given: list[str]) -> dict[str, int]:
    """`deployments=50` and the like. Raises ValueError."""
    sizes = {}
    for one in given:
        kind, _, size = one.partition("=")
        if not size.isdigit() or int(size) < 1:
            raise ValueError(f"--page-size wants KIND=N, such as deployments=50, not {one}")
        sizes[kind] = int(size)
    return sizes


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop."""
    try:
        told = serve(parser().parse_args(arguments), lambda endpoint: print(endpoint, flush=True))
    except CannotServe as error:
        print(error, file=sys.stderr)
        return 2
    print(told, file=sys.stderr)
    return 0


class CannotServe(Exception):
    """What was asked for cannot be served; one line says why."""


def serve(options: argparse.Namespace, listening: Callable[[str], None]) -> str:
    """Serve what `parser()` read, until told to stop; `listening` is told the address. Returns how it was, in a sentence.

    Raises:
        CannotServe: there is no such world, or no such port is free.
    """
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    azure = _stand_in(options)
    try:
        azure.start()
    except OSError as error:
        raise CannotServe(f"cannot listen on port {options.port}: {error.strerror}; choose another with --port") from None
    try:
        if options.certificate:
            _write_certificate(Path(options.certificate), azure.certificate_pem)
        listening(azure.endpoint)
        over.wait()
    finally:
        azure.stop()
    return f"{azure.served} requests answered, {len(azure.violations)} of them no GET"


def _stand_in(options: argparse.Namespace) -> StandIn:
    try:
        return StandIn(
            world_of(options.scenario, options.objects),
            port=options.port,
            latency=options.latency_ms / 1000,
            gzip=options.gzip,
            page_sizes=page_sizes(options.page_size),
            throttle=TokenBuckets() if options.throttle else None,
            keep_requests=False,
            data_plane=options.data_plane,
        )
    except (ValueError, OSError) as error:
        raise CannotServe(str(error)) from None


def _write_certificate(path: Path, pem: bytes) -> None:
    if not pem:
        raise CannotServe("--certificate needs --data-plane tls: without TLS there is no certificate")
    try:
        path.write_bytes(pem)
    except OSError as error:
        raise CannotServe(f"cannot write {path}: {error.strerror}; name another file with --certificate") from None


if __name__ == "__main__":
    sys.exit(main())
