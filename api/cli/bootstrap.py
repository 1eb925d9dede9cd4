"""Makes the private Python environment, then starts the command line in it.

Run by the launcher with the machine's own Python whenever the environment is missing or out of date: nothing but the
standard library here, and so no message catalogue either.
"""

from __future__ import annotations

import ast
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from api.cli import packages
from geo.errors import SetupError

PROJECT = Path(__file__).resolve().parents[2]
HOME = PROJECT / ".casamaps"
VENV = HOME / "venv"
PYTHON = VENV / "bin" / "python"
LOG = HOME / "setup.log"
INSTALLING = VENV / "installing"
IN_USE = "in-use"
LOCKS = ("runtime", "test")
#: Commands that need the packages of the tests.
TESTING = ("test", "bench")

# pip's own configuration (a mirror, certificates, a proxy) in uv's words.
_UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}


class Failure(Exception):
    """What to tell the user, and the line to type."""


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _run(*command: str | Path, env: dict[str, str] | None = None) -> bool:
    """Run a step; its output goes to the log. A process group of its own lets us end all of it."""
    with LOG.open("ab") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        log.flush()
        process = subprocess.Popen(  # noqa: S603 - our own steps
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            start_new_session=True,
        )
        try:
            return process.wait() == 0
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise


@contextmanager
def use_environment(*, alone: bool = False) -> Iterator[None]:
    """Mark the environment as in use for the time of a block; nobody may then replace or remove it.

    Raises
    ------
    BlockingIOError
        With ``alone``, if a command is using it.
    """
    HOME.mkdir(exist_ok=True)
    with (HOME / IN_USE).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        yield


def is_current(lock: str) -> bool:
    """Tell whether the environment was made from this lock file as it is now; the launcher asks the same in shell."""
    try:
        return PYTHON.exists() and (VENV / f"casamaps-{lock}.txt").read_bytes() == _lock(lock).read_bytes()
    except OSError:
        return False


def _lock(lock: str) -> Path:
    return PROJECT / "requirements" / f"{lock}.txt"


def uv_environment(configuration: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment in which uv obeys pip's configuration, given as ``pip config list`` prints it."""
    result = {**environment, "UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1"}
    for line in configuration.splitlines():
        key, separator, value = line.partition("=")
        name = _UV_NAMES.get(key.rpartition(".")[2])
        if separator and name and name not in environment:
            try:
                text = str(ast.literal_eval(value))
            except (ValueError, SyntaxError):
                continue
            # uv wants indexes and links apart by single spaces, pip has them on lines.
            result[name] = " ".join(text.split()) if name != "SSL_CERT_FILE" else text
    return result


def _make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    # By its real path: a python3 that later becomes another version doesn't silently change under the environment.
    if not _run(os.path.realpath(sys.executable), "-m", "venv", VENV):
        raise Failure(f"The Python environment could not be made in {VENV}.")


def _install(lock: str) -> None:
    """Install a lock file, hashes demanded: with uv, three times as fast as pip, or with pip itself."""
    INSTALLING.touch()
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-q",
        "--require-hashes",
        "-r",
    ]
    uv = VENV / "bin" / "uv"
    done = False
    if uv.exists() or _run(*pip, PROJECT / "requirements" / "installer.txt"):
        listed = subprocess.run(  # noqa: S603 - pip of our own environment
            [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
        )
        env = uv_environment(listed.stdout, dict(os.environ))
        arguments: list[str | Path] = [
            "pip",
            "install",
            "--require-hashes",
            "--compile-bytecode",
            "--python",
            PYTHON,
            "-r",
            _lock(lock),
        ]
        done = _run(uv, *arguments, env=env)
    if not done and not _run(*pip, _lock(lock)):
        raise Failure("The Python packages could not be installed.")
    for name in LOCKS if lock == "test" else (lock,):
        draft = VENV / f"casamaps-{name}.new"
        shutil.copyfile(_lock(name), draft)
        draft.replace(VENV / f"casamaps-{name}.txt")
    INSTALLING.unlink()


def build(lock: str) -> None:
    """Bring the environment up to a lock file; whatever an interrupted or older one left is made anew."""
    if not is_current("runtime") or INSTALLING.exists():
        try:
            with use_environment(alone=True):
                _make_venv()
        except BlockingIOError as error:
            raise Failure(
                "The Python packages of this checkout have changed; stop its running commands first."
            ) from error
    if not is_current(lock):
        _install(lock)


def _ensure_venv_module() -> None:
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        try:
            packages.ensure({"venv"}, packages.say_plainly, LOG, ask=True)
        except SetupError as error:
            hint = (
                f"Type:  {error.params['remedy']}"
                if shutil.which("apt-get")
                else "Install your system's package for Python's venv."
            )
            raise Failure(
                f"This Python can't make environments: its modules venv and ensurepip are missing.\n{hint}"
            ) from error


def _system_packages(command: str) -> subprocess.Popen[bytes] | None:
    """Begin to install the system's packages beside the environment, where nobody has to be asked for it."""
    kinds = {
        "up": ["postgres"],
        "ingest": ["postgres"],
        "test": ["postgres", "test"],
        "bench": ["postgres", "bench"],
    }.get(command, [])
    if command not in TESTING and os.environ.get("CASAMAPS_DATABASE_URL"):
        kinds = []
    if not kinds or packages.privilege(ask=False) is None:
        return None
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "api.cli.packages", *kinds], stdin=subprocess.DEVNULL, start_new_session=True
    )


def prepare(command: str) -> None:
    """Make everything that Python code of ours needs before it can run."""
    lock = "test" if command in TESTING else "runtime"
    begun = time.monotonic()
    _say("· Python packages: installing the locked ones")
    _ensure_venv_module()
    other = _system_packages(command)
    try:
        build(lock)
        _say(f"✓ Python packages ({time.monotonic() - begun:.0f} s)")
        if other is not None:
            other.wait()
    except BaseException:
        if other is not None:
            other.terminate()  # it lets dpkg finish
            other.wait()
        raise


def main(arguments: list[str]) -> int:
    """Prepare under a lock, then become the command line."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    command = arguments[0] if arguments else ""
    try:
        HOME.mkdir(exist_ok=True)
        with (HOME / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another first start of this checkout goes before
            if not is_current("test" if command in TESTING else "runtime"):
                print("CasaMaps sets itself up in .casamaps (done once):", file=sys.stderr, flush=True)
                prepare(command)
    except Failure as failure:
        print(f"casamaps: {failure}\nDetails are in {LOG}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"casamaps: the environment could not be made: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execv(PYTHON, [str(PYTHON), "-m", "api.cli", *arguments])  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
