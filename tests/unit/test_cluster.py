"""The parts of the private cluster that need no server, and the texts of the command line."""

import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from api.cli.bootstrap import uv_environment
from api.i18n import messages
from api.settings import PROJECT
from geo.errors import SetupError
from layers import datadir, home, tuning
from layers.external import without_password

CODE = re.compile(r"""["']((?:setup|settings|definition|ingest|database)\.[a-z_-]+)["']""")


def sources() -> list[Path]:
    return [path for room in ("geo", "layers", "api") for path in (PROJECT / room).rglob("*.py")]


def test_every_error_of_the_command_line_has_an_english_sentence() -> None:
    texts = messages("en")
    codes = {code for path in sources() for code in CODE.findall(path.read_text(encoding="utf-8"))}
    codes -= {"setup.lock", "setup.log"}  # files
    codes -= {f"settings.{key}" for key in ("name", "value", "help", "default")}  # headings
    assert len(codes) > 40
    assert sorted(code for code in codes if not texts.has(f"errors.{code}")) == []


def test_setup_errors_say_what_to_do_next() -> None:
    tree = yaml.safe_load((PROJECT / "api/locale/en/errors.yaml").read_text(encoding="utf-8"))
    short = [key for key, text in tree["setup"].items() if len(text.strip().splitlines()) < 2]
    assert short == []


def test_setup_errors_are_raised_with_the_parameters_of_their_sentences() -> None:
    texts = messages("en")
    call = re.compile(r'SetupError\(\s*"(?P<code>[a-z_.]+)"(?P<rest>(?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)')
    checked = 0
    for path in sources():
        for match in call.finditer(path.read_text(encoding="utf-8")):
            sentence = texts.domain("errors")[match["code"]]
            assert isinstance(sentence, str)
            wanted = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
            given = set(re.findall(r"(\w+)=", match["rest"]))
            assert wanted <= given, f"{path.name}: {match['code']} lacks {wanted - given}"
            checked += 1
    assert checked > 20


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, api.cli.commands; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PROJECT)
    heavy = {"yaml", "babel", "pydantic", "sqlalchemy", "fastapi", "uvicorn", "geopandas", "rich", "psycopg"}
    assert heavy.isdisjoint(done.stdout.split())


def test_server_settings_fit_small_and_large_machines() -> None:
    small, large = tuning.server_settings(256 * 2**20), tuning.server_settings(256 * 2**30)
    assert "shared_buffers = 64MB" in small
    assert "work_mem = 4MB" in small
    assert "shared_buffers = 1024MB" in large
    for text in (small, large):
        assert "listen_addresses = ''" in text
        assert "jit = off" in text
        assert "fsync = on" in text
        assert "log_min_error_statement = panic" in text
    assert "fsync = off" in tuning.server_settings(2**32, durable=False)


def test_pips_configuration_becomes_uvs() -> None:
    listed = "global.cert='/etc/ssl/ours.pem'\nglobal.extra-index-url='\\nhttps://a.example\\nhttps://b.example'\nglobal.timeout='60'\n"
    env = uv_environment(listed, {"UV_HTTP_TIMEOUT": "9"})
    assert env["SSL_CERT_FILE"] == "/etc/ssl/ours.pem"
    assert env["UV_INDEX"] == "https://a.example https://b.example"
    assert env["UV_HTTP_TIMEOUT"] == "9"


def test_locks_have_hashes_and_name_no_host() -> None:
    for lock in ("runtime", "test", "installer", "node"):
        text = (PROJECT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text.replace("--no-emit-index-url", "")
        pinned = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert pinned
        assert all("--hash=sha256:" in block for block in pinned)


def test_runtime_and_test_locks_agree() -> None:
    def pins(lock: str) -> set[str]:
        text = (PROJECT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^\S+==\S+", text, re.MULTILINE))

    assert pins("runtime") <= pins("test")


def test_passwords_stay_out_of_messages() -> None:
    assert without_password("postgresql://maps:s3cret@db/maps") == "postgresql://maps@db/maps"


def test_a_foreign_name_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(SetupError) as caught:
        datadir.prepare(tmp_path)
    assert caught.value.code == "setup.foreign"
    assert datadir.read_manifest(tmp_path) is None


def test_the_manifest_says_whether_the_folder_is_ours(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    datadir.prepare(tmp_path / "new")
    datadir.prepare(tmp_path / "theirs")
    new, theirs = datadir.read_manifest(tmp_path / "new"), datadir.read_manifest(tmp_path / "theirs")
    assert new is not None
    assert new.made
    assert theirs is not None
    assert not theirs.made


def test_a_manifest_can_not_name_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / datadir.MANIFEST).write_text('{"made": true, "names": ["cluster", "../other", "photos"]}')
    manifest = datadir.read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.names == ("cluster",)


def test_one_command_at_a_time_owns_a_data_folder(tmp_path: Path) -> None:
    first, second = datadir.Lock(tmp_path), datadir.Lock(tmp_path)
    assert second.holder() is None
    assert first.acquire("up, http://127.0.0.1:8000")
    assert not second.acquire("ingest")
    holder = second.holder()
    assert holder is not None
    assert holder.label == "up, http://127.0.0.1:8000"
    first.release()
    assert second.holder() is None
    assert second.acquire("ingest")
    second.release()


def test_copied_and_moved_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "OUTSIDE", tmp_path / "var")
    original = tmp_path / "original"
    original.mkdir()
    folder = home._make_outside(original)
    (folder / "cluster").mkdir()
    assert home.find(original) == folder / "cluster"

    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / datadir.CLUSTER_AT).write_text(f"{folder}\n")
    assert home.find(copy) is None

    moved = original.rename(tmp_path / "moved")
    assert home.find(moved) == folder / "cluster"
    assert home.find(copy) is None


def test_a_record_can_not_lead_elsewhere(tmp_path: Path) -> None:
    (tmp_path / datadir.CLUSTER_AT).write_text("/etc\n")
    assert home.find(tmp_path) is None
    home.remove(tmp_path)
    assert Path("/etc").is_dir()
