import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from facedis.errors import OutputError, WeightsError
from facedis.model.storage.weights import CASIA_WEBFACE, VGGFACE2, Weights, fetch, load_state

STATE = {"conv.weight": torch.arange(12.0).reshape(3, 4)}


def _bytes(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


GOOD = _bytes(STATE)
DIGEST = hashlib.sha256(GOOD).hexdigest()


class Publisher(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path == "/missing.pt":
            self.send_error(404)
            return
        body = b"<html>log in first</html>" if self.path == "/portal.pt" else GOOD
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if self.path == "/truncated.pt" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.requests = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """The folder of downloads; the caches of the machine are not visible."""
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("FACEDIS_OFFLINE", "FACEDIS_WEIGHTS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home" / "weights"


def test_a_file_is_downloaded_once_with_progress(server, url, place):
    events = []
    weights = Weights("good", f"{url}/good.pt", DIGEST)
    path = fetch(weights, handler=events.append)
    assert path == place / "good.pt"
    assert torch.equal(load_state(path)["conv.weight"], STATE["conv.weight"])
    assert [event.kind for event in events] == ["start", "advance", "end"]
    assert events[0].total == events[1].done == len(GOOD)
    assert fetch(weights, offline=True) == path
    assert server.requests == ["/good.pt"]
    assert [file.name for file in place.iterdir()] == ["good.pt"]


def test_a_prefix_of_the_hash_is_sufficient(url):
    assert fetch(Weights("good", f"{url}/good.pt", DIGEST[:8])).is_file()
    with pytest.raises(WeightsError, match="is not the file of good"):
        fetch(Weights("good", f"{url}/good.pt", "00000000"))


def test_a_download_with_the_wrong_hash_is_not_kept(url, place):
    with pytest.raises(WeightsError, match=r"is not the file of wrong.*delete it and run again"):
        fetch(Weights("wrong", f"{url}/good.pt", "0" * 64))
    assert list(place.iterdir()) == []


def test_without_a_published_hash_the_first_download_is_trusted(url, place):
    weights = Weights("first", f"{url}/first.pt")
    path = fetch(weights)
    assert (place / "first.pt.sha256").read_text() == f"{DIGEST}  first.pt\n"
    assert fetch(weights) == path
    path.write_bytes(_bytes({"conv.weight": torch.zeros(3)}))
    with pytest.raises(WeightsError, match=f"SHA-256 is .*, not {DIGEST[:12]}.*first.pt.sha256 beside it"):
        fetch(weights)
    path.unlink()
    assert fetch(weights) == path


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("truncated.pt", f"stopped after 100 of {len(GOOD):,} bytes"),
        ("missing.pt", "missing.pt: 404 Not Found"),
        ("portal.pt", "the download is not a file of weights"),
    ],
)
def test_the_error_of_a_failed_download_is_one_line_with_three_alternatives(url, place, file, reason):
    with pytest.raises(WeightsError) as caught:
        fetch(Weights("vggface2", f"{url}/{file}"))
    line = str(caught.value)
    assert reason in line
    assert "\n" not in line
    for alternative in (
        f"download {url}/{file} manually to {place / file}",
        "--weights PATH",
        "--weights none",
        "--preset small",
    ):
        assert alternative in line
    assert list(place.iterdir()) == []


def test_a_server_that_is_down(place):
    with ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as closed:
        port = closed.server_port
    with pytest.raises(WeightsError, match=r"Connection refused.*--weights none"):
        fetch(Weights("nobody", f"http://127.0.0.1:{port}/nobody.pt"))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("variable", [None, "FACEDIS_OFFLINE"])
def test_offline_mode_opens_no_connection_and_creates_no_file(server, url, place, monkeypatch, variable):
    if variable:
        monkeypatch.setenv(variable, "1")
    with pytest.raises(WeightsError, match=r"downloading is off.*--weights none"):
        fetch(Weights("good", f"{url}/good.pt"), offline=variable is None)
    assert server.requests == []
    assert not place.parent.exists()


def test_the_environment_can_name_a_mirror(server, url, monkeypatch):
    monkeypatch.setenv("FACEDIS_WEIGHTS_URL", f"{url}/mirror/")
    assert fetch(VGGFACE2).name == "20180402-114759-vggface2.pt"
    assert server.requests == ["/mirror/20180402-114759-vggface2.pt"]


def test_an_invalid_mirror(monkeypatch):
    monkeypatch.setenv("FACEDIS_WEIGHTS_URL", "somewhere")
    with pytest.raises(WeightsError, match=r"cannot open somewhere/20180408-102900-casia-webface.pt"):
        fetch(CASIA_WEBFACE)


@pytest.mark.parametrize("folder", ["checkpoints", "hub/checkpoints"])
def test_a_file_in_the_cache_of_torch_is_used(server, url, tmp_path, folder):
    kept = tmp_path / "torch" / folder / "kept.pt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(GOOD)
    assert fetch(Weights("kept", f"{url}/kept.pt", DIGEST)) == kept
    assert server.requests == []


def test_an_unwritable_cache_folder_is_an_error(url, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot write"):
        fetch(Weights("good", f"{url}/good.pt"))


def test_safetensors_files_are_recognised_by_their_suffix(tmp_path):
    save_file(STATE, tmp_path / "state.safetensors")
    assert torch.equal(load_state(tmp_path / "state.safetensors")["conv.weight"], STATE["conv.weight"])


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize(
    "name", ["text.pt", "empty.pt", "text.safetensors", "list.pt", "number.pt", "trap.pt", "gone.pt"]
)
def test_files_without_weights_are_rejected(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    contents = {
        "text": b"not weights at all",
        "empty": b"",
        "list": _bytes([torch.zeros(2)]),
        "number": _bytes({"epoch": 3}),
        "trap": _bytes({"conv.weight": Trap()}),
    }
    if name != "gone.pt":
        (tmp_path / name).write_bytes(contents[Path(name).stem])
    with pytest.raises(WeightsError, match=r"name a state_dict saved by torch.save"):
        load_state(tmp_path / name)
    assert not (tmp_path / "sprung").exists()
