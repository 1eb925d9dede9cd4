"""``./casamaps test``: lint, types, the import contract, and all tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from api.cli import assets
from api.cli.console import done, err, note, say
from api.cli.database import forget_postgres_settings, say_packages
from api.cli.packages import ensure
from api.cli.signals import Stopped
from api.settings import PROJECT
from geo.errors import SetupError

ACCEPTANCE = "tests/acceptance"
#: Tests that run side by side at most: each has servers and a browser of its own.
MOST_WORKERS = 4


def shared_data() -> Path:
    """Return the folder of the data that the acceptance tests compare with; it isn't part of the project."""
    named = os.environ.get("CASAMAPS_SHARED_DATA")
    return Path(os.environ.get("CASAMAPS_CWD", "."), named).absolute() if named else PROJECT.parent / "shared"


def environment(*, thorough: bool = False) -> dict[str, str]:
    """Return the environment of the tests: settings of this user's own instance must not change their result."""
    forget_postgres_settings()
    env = {name: value for name, value in os.environ.items() if not name.startswith("CASAMAPS_")}
    env["CASAMAPS_SHARED_DATA"] = str(shared_data())
    if thorough:
        env["CASAMAPS_THOROUGH"] = "1"
    return env


def run(command: list[str], env: dict[str, str], cwd: Path = PROJECT) -> int:
    """Run a step and wait for it, also when we are asked to stop: it ends its own servers and browsers."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        return process.wait()
    except Stopped:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def _steps() -> list[tuple[str, list[str], Path]]:
    """Return the checks that go before the tests, with the folder each runs in."""
    module = [sys.executable, "-m"]
    steps = [
        ("ruff check", [*module, "ruff", "check"], PROJECT),
        ("ruff format", [*module, "ruff", "format", "--check"], PROJECT),
        ("mypy", [*module, "mypy"], PROJECT),
        # By its function, as its script holds the path at which the environment was made.
        (
            "lint-imports",
            [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
            PROJECT,
        ),
    ]
    found = assets.npm()
    if found is not None:
        steps.append(("npm run lint", [*found[0], "run", "--silent", "lint"], assets.SOURCE))
    return steps


def _check(env: dict[str, str]) -> int:
    """Run the checks up to the first that fails, and sum up; return the exit status."""
    found = assets.npm()
    node_path = found[1]["PATH"] if found else env.get("PATH", os.defpath)
    env = {**env, "PATH": f"{assets.WEB / 'node_modules' / '.bin'}{os.pathsep}{node_path}"}
    results: list[tuple[str, bool, float]] = []
    for name, command, folder in _steps():
        begun = time.monotonic()
        note("test.step", step=name)
        status = run(command, env, folder)
        results.append((name, status == 0, time.monotonic() - begun))
        if status != 0:
            break
    console = err()
    console.print()
    for name, passed, seconds in results:
        console.print(f"  {'✓' if passed else '✗'} {name} ({seconds:.1f} s)", markup=False)
    failed = [name for name, passed, _ in results if not passed]
    if failed:
        console.print(f"  {say('test.failed', step=failed[0])}", markup=False)
    console.print()
    return 1 if failed else 0


def _acceptance(arguments: list[str], *, demanded: bool) -> list[str]:
    """Return the arguments that leave the acceptance tests out where their data is absent and nobody demands them."""
    if (shared_data() / "data").is_dir():
        return arguments
    if demanded:
        raise SetupError("setup.shared_data", path=str(shared_data()))
    note("test.no_acceptance", path=shared_data())
    return [*arguments, f"--ignore={ACCEPTANCE}"]


def _side_by_side() -> list[str]:
    """Return the arguments that have whole files of tests run side by side, in their order; none on a single core."""
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    return [f"--numprocesses={workers}", "--dist=loadfile", "--no-loadscope-reorder"] if workers > 1 else []


def test(arguments: list[str], *, thorough: bool, acceptance: bool) -> int:
    """Bring what the tests need, run them, and return the exit status.

    With arguments for pytest, only pytest runs.
    """
    ensure({"postgres", "test", *(["thorough"] if thorough else [])}, say_packages, assets.LOG, ask=True)
    packages = assets.Installation(dev=True)
    try:
        if packages.needed:
            note("assets")
        packages.finish()
    finally:
        packages.cancel()
    env = environment(thorough=thorough)
    demanded = acceptance or os.environ.get("CI", "").lower() in ("1", "true", "yes")
    how = arguments or _side_by_side()
    pytest = _acceptance([sys.executable, "-m", "pytest", *how], demanded=demanded)
    if not arguments:
        if (status := _check(env)) != 0:
            return status
        done("test.pytest")
    return run(pytest, env)
