from pathlib import Path

from facedis.paths import home


def test_the_variable_decides(monkeypatch, tmp_path):
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "here"))
    assert home() == tmp_path / "here"
    assert not home().exists()


def test_a_tilde_is_the_users_folder(monkeypatch):
    monkeypatch.setenv("FACEDIS_HOME", "~/faces")
    assert home() == Path.home() / "faces"


def test_without_it_the_platforms_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("FACEDIS_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert home() == tmp_path / "facedis"
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr("sys.platform", "win32")
    assert home() == tmp_path / "local" / "facedis"
    monkeypatch.setattr("sys.platform", "darwin")
    assert home() == Path.home() / "Library" / "Caches" / "facedis"
