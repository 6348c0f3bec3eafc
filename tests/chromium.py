"""Pages in a real browser: Debian's chromium without a window, asked by a script put into a copy of the page."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="no chromium here: apt-get install chromium")

_WORDS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=5000"
)
# Before anything of the page: what goes wrong from its first line on is written down.
_WATCH = """<script>window.trouble = [];
addEventListener("error", event => trouble.push(String(event.message || event.target.src)), true);
addEventListener("securitypolicyviolation", event => trouble.push("asked for " + event.blockedURI));
console.error = console.warn = (...words) => trouble.push(words.join(" "));</script>"""
_ASK = """<script>addEventListener("load", () => {{
const wait = document.createElement("pre"); wait.id = "answer";
const found = (() => {{ {script} }})();
const names = performance.getEntriesByType("resource").map(entry => entry.name);
const requests = names.filter(name => !name.startsWith("data:"));
wait.textContent = JSON.stringify({{found, requests, trouble}});
document.body.append(wait);
}});</script>"""

#: Pictures that are not shown, whether the page is wider than the window.
LOOK = """
const bad = [...document.images].filter(image => !image.complete || !image.naturalWidth).length;
return {pictures: document.images.length, bad, wide: document.documentElement.scrollWidth - innerWidth};
"""


def ask(page, script, folder, width=1200):
    """What the body of a function `script` returns in the page; fails where the page asks for anything or complains."""
    text = page.read_text(encoding="utf-8")
    copy = folder / f"asked-{page.name}"
    copy.write_text(
        text.replace("<head>", "<head>" + _WATCH, 1).replace("</body>", _ASK.format(script=script) + "</body>")
    )
    profile = folder / "profile"
    profile.mkdir()
    words = [PROGRAM, *_WORDS.split(), f"--user-data-dir={profile}", f"--window-size={width},900", "--dump-dom"]
    done = subprocess.run([*words, copy.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    shutil.rmtree(profile)
    answer = json.loads(unescape(re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)[1]))
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert (answer["requests"], answer["trouble"], complaints) == ([], [], [])
    return answer["found"]
