"""The private cluster on real PostgreSQL: made, killed, recovered, shared, removed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from api.settings import PROJECT
from geo.errors import SetupError
from layers import home
from layers.account import server_account
from layers.cluster import Cluster
from layers.external import check_database
from layers.postmaster import Postmaster


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="casamaps test "))
    folder.chmod(0o755)  # the server's account may pass, so that the cluster lies inside
    yield folder
    Cluster(folder).remove()
    shutil.rmtree(folder, ignore_errors=True)


def postmaster(data_dir: Path) -> Postmaster:
    data = home.find(data_dir)
    assert data is not None
    return Postmaster(data, server_account(data))


def killed_command(data_dir: Path, sql: str = "SELECT 1") -> str:
    """Start the cluster in a command that is then killed without a chance to stop it; return its address."""
    script = (
        "import sys, time, psycopg; from pathlib import Path; from layers.cluster import Cluster\n"
        "cluster = Cluster(Path(sys.argv[1])); cluster.start()\n"
        "with psycopg.connect(cluster.url) as connection: connection.execute(sys.argv[2])\n"
        "print(cluster.url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir), sql], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        url = command.stdout.readline().strip()
        command.kill()
    assert url
    return url


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_what_a_new_cluster_is_like(data_dir: Path) -> None:
    cluster = Cluster(data_dir, durable=False)
    steps: list[str] = []
    cluster.start(steps.append)
    try:
        assert steps[0] == "create"
        assert value(cluster.url, "SELECT postgis_lib_version()")
        assert value(cluster.url, "SELECT unaccent('é')") == "e"
        assert value(cluster.url, "SELECT lower('ÉÇ') || similarity('مسجد', 'مسجد')::text") == "éç1"
        assert value(cluster.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert value(cluster.url, "SHOW listen_addresses") == ""
        assert value(cluster.url, "SHOW timezone") == "UTC"
        assert value(cluster.url, "SHOW server_encoding") == "UTF8"
        socket_dir = Path(cluster.url.partition("host=")[2])
        assert len(str(socket_dir / ".s.PGSQL.5432")) <= 107
        assert socket_dir.stat().st_mode & 0o777 == 0o700
        data = home.find(data_dir)
        assert data is not None
        assert data.stat().st_mode & 0o077 == 0
        assert data.stat().st_uid != 0
        # None of them takes a core from the service that wakes it.
        with psycopg.connect(cluster.url) as connection:
            started = {*postmaster(data_dir).processes(), connection.info.backend_pid}
            assert {os.sched_getscheduler(pid) for pid in started} == {os.SCHED_BATCH}
    finally:
        cluster.stop()
    assert not socket_dir.exists()
    assert postmaster(data_dir).processes() == set()


def test_rows_survive_the_death_of_everything(data_dir: Path) -> None:
    killed_command(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
    for pid in postmaster(data_dir).processes():
        with suppress(ProcessLookupError):  # it went with another one
            os.kill(pid, signal.SIGKILL)
    second = Cluster(data_dir)
    second.start()
    try:
        assert value(second.url, "SELECT answer FROM kept") == 42
    finally:
        second.stop()


def test_a_server_left_by_a_killed_command_is_replaced(data_dir: Path) -> None:
    url = killed_command(data_dir)
    left = postmaster(data_dir).processes()
    assert left
    second = Cluster(data_dir, durable=False)
    steps: list[str] = []
    second.start(steps.append)
    try:
        assert "recover" in steps
        assert postmaster(data_dir).processes().isdisjoint(left)
        assert value(second.url, "SELECT 1") == 1
    finally:
        second.stop()
    assert not Path(url.partition("host=")[2]).exists()


def test_a_reused_process_number_does_not_keep_it_down(data_dir: Path) -> None:
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    pid_file = home.find(data_dir) / "postmaster.pid"  # type: ignore[operator]
    lines = pid_file.read_text().splitlines()
    cluster.stop()
    account = server_account(pid_file.parent)
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **account.identity())
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        account.give_file(pid_file)
        cluster.start()
        assert value(cluster.url, "SELECT 1") == 1
        cluster.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_only_one_command_owns_it_and_others_may_share(data_dir: Path) -> None:
    owner = Cluster(data_dir, label="up, http://127.0.0.1:8000", durable=False)
    guest = Cluster(data_dir, label="ingest")
    assert not guest.attach()
    owner.start()
    try:
        with pytest.raises(SetupError) as caught:
            guest.start()
        assert caught.value.code == "setup.running"
        assert caught.value.params["label"] == "up, http://127.0.0.1:8000"
        assert guest.attach()
        assert value(guest.url, "SELECT 1") == 1
        guest.stop()
        assert value(owner.url, "SELECT 1") == 1
        with pytest.raises(SetupError):
            guest.remove()
    finally:
        owner.stop()


def test_a_half_made_cluster_is_made_anew(data_dir: Path) -> None:
    half = data_dir / "cluster.new-15"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    cluster.stop()
    assert not half.exists()


def test_a_folder_with_other_things_is_never_touched(data_dir: Path) -> None:
    other = data_dir / "cluster"
    Cluster(data_dir, durable=False).remove()  # claims the folder's names
    other.mkdir()
    (other / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(SetupError) as caught:
        Cluster(data_dir).start()
    assert caught.value.code == "setup.foreign"
    assert (other / "photo.jpg").read_bytes() == b"mine"


def test_a_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    cluster.stop()
    version = home.find(data_dir) / "PG_VERSION"  # type: ignore[operator]
    version.write_text("9\n")
    with pytest.raises(SetupError) as caught:
        cluster.start()
    assert caught.value.code == "setup.cluster_version"


def test_a_server_that_can_not_start_says_why(data_dir: Path) -> None:
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    cluster.stop()
    data = home.find(data_dir)
    assert data is not None
    (data / "postgresql.conf").write_text("no_such_setting = 1\ninclude 'casamaps.conf'\n")
    with pytest.raises(SetupError) as caught:
        cluster.start()
    assert caught.value.code == "setup.cluster_start"
    assert "no_such_setting" in caught.value.log
    assert not cluster._lock.held


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_the_account_s_way_decides_where_it_lives(data_dir: Path, mode: int) -> None:
    data_dir.chmod(mode)
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    data = home.find(data_dir)
    cluster.stop()
    assert data is not None
    outside = mode == 0o700 and os.geteuid() == 0
    assert data.is_relative_to("/var/lib/casamaps") == outside
    data_dir.chmod(0o755)
    assert home.find(data_dir) == data
    data_dir.chmod(0o700)
    cluster.start()  # a cluster inside whose way was closed moves outside, as root
    assert home.find(data_dir) is not None
    cluster.stop()
    cluster.remove()
    assert not data.exists()


def test_environment_of_the_user_does_not_leak(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=64kB")
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    monkeypatch.delenv("PGPORT")
    monkeypatch.delenv("PGOPTIONS")
    try:
        assert value(cluster.url, "SELECT 1") == 1
    finally:
        cluster.stop()


def test_the_operators_own_database_is_checked(database_url: str) -> None:
    check_database(database_url)
    with pytest.raises(SetupError) as caught:
        check_database("postgresql://nobody:s3cret@127.0.0.1:1/none")
    assert caught.value.code == "setup.database"
    assert "s3cret" not in str(caught.value.params) + caught.value.log


def test_a_removed_socket_folder_is_survived(data_dir: Path) -> None:
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    shutil.rmtree(Path(cluster.url.partition("host=")[2]))  # somebody cleaned /tmp
    cluster.stop()
    cluster.start()
    assert value(cluster.url, "SELECT 1") == 1
    begun = time.monotonic()
    cluster.stop()
    assert time.monotonic() - begun < 5


def test_a_server_that_dies_is_started_again_at_its_address(data_dir):
    def started() -> object:
        with psycopg.connect(cluster.url) as connection:
            return connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0]

    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    try:
        with cluster.kept_alive():
            before = started()
            for pid in Postmaster(home.find(data_dir), server_account(home.find(data_dir))).processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            again = None
            for _ in range(100):
                time.sleep(0.2)
                with suppress(psycopg.OperationalError):
                    again = started()
                    break
        assert again is not None
        assert again > before
    finally:
        cluster.remove()
