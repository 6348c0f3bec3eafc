from pathlib import Path

from facedis.paths import cache_dir


def test_the_variable_decides(monkeypatch, tmp_path):
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    assert not cache_dir().exists()


def test_a_tilde_is_the_users_folder(monkeypatch):
    monkeypatch.setenv("FACEDIS_HOME", "~/faces")
    assert cache_dir() == Path.home() / "faces"


def test_without_it_the_platforms_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("FACEDIS_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_dir() == tmp_path / "facedis"
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr("sys.platform", "win32")
    assert cache_dir() == tmp_path / "local" / "facedis"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_dir() == Path.home() / "Library" / "Caches" / "facedis"
