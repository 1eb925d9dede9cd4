"""The command line as its users meet it: the launcher, its errors, and the way from start to stop."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.cli import assets, bootstrap
from api.cli.reset import reset
from api.settings import PROJECT, Settings
from layers import home
from layers.cluster import Cluster

LAUNCHER = PROJECT / "casamaps"


@pytest.fixture(scope="module", autouse=True)
def _environment_is_made() -> None:
    """Let the launcher make what it makes once, so that it doesn't count in the times below."""
    subprocess.run([LAUNCHER, "--version"], check=True, capture_output=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="casamaps test "))
    folder.chmod(0o755)
    yield folder / "instance"
    home.remove(folder / "instance")
    shutil.rmtree(folder, ignore_errors=True)


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    return {**os.environ, "CASAMAPS_DATA_DIR": str(data_dir), "COLUMNS": "200", **settings}


def run(
    data_dir: Path, *arguments: str | Path, cwd: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LAUNCHER, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env=environment(data_dir, **settings),
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def up(data_dir: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Start the service and wait until it is ready; it is stopped in the end, if it still runs."""
    command = [LAUNCHER, "up", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(data_dir, **settings)
    ) as process:
        try:
            assert process.stdout is not None
            lines = []
            while True:
                line = process.stdout.readline()
                lines.append(line)
                assert line, "".join(lines)
                if "is ready" in line:
                    break
            yield process
        finally:
            process.terminate()
            process.communicate()


def left_processes(data_dir: Path) -> str:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    cluster = home.find(data_dir)
    return "\n".join(line for line in listed.splitlines() if cluster and f"-D {cluster}" in line)


def test_help_teaches_with_examples_and_is_quick(data_dir: Path) -> None:
    begun = time.monotonic()
    done = run(data_dir, "--help")
    assert time.monotonic() - begun < 1.5  # half a second on an idle machine
    assert done.returncode == 0
    assert "./casamaps up\n" in done.stdout
    for command in ("up", "ingest", "test", "doctor", "settings", "reset"):
        assert command in done.stdout
        assert run(data_dir, command, "--help").returncode == 0
    assert not data_dir.exists()


def test_usage_errors_end_with_2(data_dir: Path) -> None:
    assert run(data_dir, "fly").returncode == 2
    assert run(data_dir, "up", "--port", "70000").returncode == 2


def test_settings_lists_every_variable(data_dir: Path) -> None:
    done = run(data_dir, "settings", CASAMAPS_DATABASE_URL="postgresql://maps:s3cret@db/maps")
    assert done.returncode == 0
    for name in ("CASAMAPS_HOST", "CASAMAPS_PORT", "CASAMAPS_DATA_DIR", "CASAMAPS_DATABASE_URL", "CASAMAPS_PUBLIC_URL"):
        assert name in done.stdout
    assert "s3cret" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["up"], {"CASAMAPS_PORT": "abc"}, ["CASAMAPS_PORT", "abc"]),
        (
            ["up"],
            {"CASAMAPS_DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/x"},
            ["u@127.0.0.1:1", "CASAMAPS_DATABASE_URL"],
        ),
        (["ingest", "buses"], {}, ["buses", "districts", "data/layers/buses.yaml"]),
        (["ingest", "nowhere.yaml"], {}, ["nowhere.yaml"]),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(
    data_dir: Path, arguments: list[str], settings: dict[str, str], words: list[str]
) -> None:
    done = run(data_dir, *arguments, **settings)
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) >= 2


def test_a_taken_port_is_named(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(data_dir, "up", "--port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "--port" in done.stderr
    assert not data_dir.exists()


def test_from_start_to_stop(data_dir: Path, tmp_path: Path) -> None:
    """One instance's whole life, and a second one beside it."""
    port, other_port = free_port(), free_port()
    link = tmp_path / "a link"
    link.symlink_to(LAUNCHER)
    with up(data_dir, port) as first, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        answer = client.get("/collections/districts/items?limit=1")
        assert answer.json()["numberMatched"] == 17
        assert "server" not in answer.headers

        again = run(data_dir, "up", "--port", str(free_port()))
        assert again.returncode == 1
        assert f"http://127.0.0.1:{port}" in again.stderr
        assert str(first.pid) in again.stderr

        shared = subprocess.run(
            [link, "ingest", "worksites"], capture_output=True, text=True, cwd=tmp_path, env=environment(data_dir)
        )
        assert shared.returncode == 0, shared.stderr
        assert "worksites" in shared.stderr

        doctor = run(data_dir, "doctor", CASAMAPS_PORT=str(port))
        assert doctor.returncode == 0, doctor.stdout
        assert str(first.pid) in doctor.stdout

        refused = run(data_dir, "reset", "--yes")
        assert refused.returncode == 1
        assert client.get("/readyz").status_code == 200

        with up(data_dir.with_name("second"), other_port) as second:
            assert httpx.get(f"http://127.0.0.1:{other_port}/readyz").status_code == 200
            second.send_signal(signal.SIGTERM)
            assert second.wait(10) == 0
        home.remove(data_dir.with_name("second"))
        assert client.get("/readyz").status_code == 200

        first.send_signal(signal.SIGINT)  # while a connection of ours is still open
        first.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert first.wait(10) == 0
        assert time.monotonic() - begun < 6
    assert left_processes(data_dir) == ""
    log = (data_dir / "logs" / "casamaps.log").read_text()
    assert "GET /" not in log

    begun = time.monotonic()
    with up(data_dir, port) as killed:
        assert time.monotonic() - begun < 12  # 6 s on a machine that does nothing else
        killed.kill()
        killed.wait()
    with up(data_dir, port) as recovered:
        recovered.send_signal(signal.SIGHUP)
        assert recovered.wait(10) == 0
    assert left_processes(data_dir) == ""


@pytest.mark.parametrize("seconds", [0.3, 0.7, 1.2, 1.8])
def test_stopping_while_it_sets_up_leaves_nothing(data_dir: Path, seconds: float) -> None:
    command = [LAUNCHER, "up", "--port", str(free_port())]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(data_dir)) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode in (0, 128 + signal.SIGTERM, -signal.SIGTERM)
    assert "Traceback" not in errors
    assert left_processes(data_dir) == ""


def test_reset_removes_our_own_things_only(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home_dir = tmp_path / "environment"  # in place of that of this checkout, in which the tests run
    (home_dir / "venv").mkdir(parents=True)
    (home_dir / "notes.txt").touch()
    monkeypatch.setattr(assets, "HOME", home_dir)
    monkeypatch.setattr(bootstrap, "HOME", home_dir)
    data_dir.mkdir()
    (data_dir / "photo.jpg").write_bytes(b"mine")
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    place = home.find(data_dir)
    cluster.stop()
    assert place is not None
    reset(Settings(data_dir=data_dir), yes=True)
    assert not place.exists()
    assert [path.name for path in data_dir.iterdir()] == ["photo.jpg"]
    assert [path.name for path in home_dir.iterdir()] == ["notes.txt"]


def test_reset_removes_a_folder_that_was_made_for_it(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "HOME", tmp_path)
    monkeypatch.setattr(bootstrap, "HOME", tmp_path)
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    cluster.stop()
    reset(Settings(data_dir=data_dir), yes=True)
    assert not data_dir.exists()
