"""Drops pictures on the page of a running service, in a headless Chromium, and prints as JSON what the page shows.

A file that is no picture is dropped with them. The code is 0 only where every picture has the answers of all tasks that
were asked, the other file has an error, the tree and the tasks' prompts are there, and with no task checked nothing is
asked.
"""

import argparse
import base64
import fcntl
import json
import mimetypes
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NO_PICTURE = ("no-picture.txt", "text/plain", base64.b64encode(b"This is a letter and no picture.\n").decode())

# What the page is asked with; every text is a function of JavaScript.
STATE = """() => ({
  gate: document.readyState === "complete" && document.getElementById("gate")?.hidden === false,
  tasks: [...document.querySelectorAll("#choice input")].map(box => box.value),
  status: document.getElementById("status")?.textContent ?? "this is not the page of a service"})"""
CHOOSE = """tasks => document.querySelectorAll("#choice input").forEach(box => {
  if (box.checked !== tasks.includes(box.value)) box.click(); })"""
DROP = """files => {
  const transfer = new DataTransfer();
  for (const [name, type, data] of files)
    transfer.items.add(new File([Uint8Array.from(atob(data), letter => letter.charCodeAt(0))], name, {type}));
  // What the page takes it keeps from the browser, which would open the file.
  const isTaken = kind => !document.getElementById("drop").dispatchEvent(
    new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer}));
  return isTaken("dragover") && isTaken("drop"); }"""
CARDS = """() => [...document.querySelectorAll("#pictures article")].map(card => ({
  name: card.querySelector(".name").textContent,
  busy: card.getAttribute("aria-busy") === "true",
  said: card.querySelector(".said").textContent,
  error: card.querySelector(".error")?.textContent ?? null,
  answers: [...card.querySelectorAll(".tasks > div")].map(box => ({
    task: box.querySelector("h3").textContent,
    classes: [...box.querySelectorAll("li")].map(line => ({
      name: line.children[0].textContent, shown: line.children[1].textContent}))}))}))"""
PLACE = """task => {
  const box = [...document.querySelectorAll("#pictures article:first-child .tasks > div")]
    .find(box => box.querySelector("h3").textContent === task);
  if (!box) return null;
  box.scrollIntoView({block: "center"});
  const {x, y, width, height} = box.getBoundingClientRect();
  return [x + width / 2, y + height / 2]; }"""
MARKED = """task => {
  const labels = [...document.querySelectorAll(".tree .on > .label")].map(label => label.textContent);
  return labels.some(label => label.split(", ").includes(task)) ? labels : null; }"""
SHARING = """() => ({
  tree: [...document.querySelectorAll(".tree .label")].map(label => label.textContent),
  prompts: Object.fromEntries([...document.querySelectorAll("#runs tr[data-tasks]")].map(row =>
    [row.cells[0].textContent, [...row.cells[1].querySelectorAll("span")].map(prompt => prompt.textContent)]))})"""
UNASKED = """() => ({
  disabled: document.getElementById("drop").getAttribute("aria-disabled") === "true",
  said: document.getElementById("note").textContent})"""


class Failure(Exception):
    """Something is not as it should be, in words."""


def moved(end: int) -> int:
    """The same end of a pipe under a number that Chromium does not speak over."""
    high = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return high


class Page:
    """A page in a headless Chromium, spoken to over two pipes: messages of JSON, a NUL behind each."""

    def __init__(self, program: str, profile: str, limit: float):
        self.deadline = time.monotonic() + limit
        self.number, self.session, self.unread = 0, None, b""
        self.complaints: list[str] = []
        self.loaded: set[str] = set()
        reads, self.commands = map(moved, os.pipe())
        self.answers, writes = map(moved, os.pipe())
        # Chromium reads from 3 and writes to 4; nothing of this program stands there.
        os.dup2(reads, 3)
        os.dup2(writes, 4)
        self.log = Path(profile) / "chromium.log"
        words = [
            program, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
            "--window-size=1200,900", "--remote-debugging-pipe"]
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    words + (["--no-sandbox"] if os.geteuid() == 0 else []) + ["about:blank"], stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, pass_fds=(3, 4), start_new_session=True)
        finally:
            for end in (3, 4, reads, writes):
                os.close(end)
        os.set_blocking(self.commands, False)

    def close(self) -> None:
        """Ends Chromium and all that it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=20)

    def open(self, url: str) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        opened = self.call("Page.navigate", url=url)
        if error := opened.get("errorText"):
            raise Failure(f"{url} does not open: {error}")
        while opened["loaderId"] not in self.loaded:
            self.take_note(self.message("opening the page"))

    def call(self, method: str, **params) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        rest = memoryview(json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while rest:
            self.await_end([], [self.commands], method)
            try:
                rest = rest[os.write(self.commands, rest):]
            except BrokenPipeError:
                raise self.ended() from None
        while (answer := self.message(method)).get("id") != self.number:
            self.take_note(answer)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def message(self, purpose: str) -> dict:
        while b"\0" not in self.unread:
            self.await_end([self.answers], [], purpose)
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise self.ended()
            self.unread += part
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def await_end(self, reads: list[int], writes: list[int], purpose: str) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0 or not any(select.select(reads, writes, [], left)):
            raise Failure(f"the time was up at {purpose}")

    def ended(self) -> Failure:
        return Failure("Chromium ended: " + self.log.read_text(errors="replace")[-500:].strip())

    def take_note(self, message: dict) -> None:
        event, params = message.get("method"), message.get("params", {})
        if event == "Page.lifecycleEvent" and params["name"] == "load":
            self.loaded.add(params["loaderId"])
        elif event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Log.entryAdded":
            # A status that is an error is an entry of the network's; the page has to deal with it.
            entry = params["entry"]
            if entry["level"] == "error" and entry["source"] != "network":
                self.complaints.append(entry["text"])

    def evaluate(self, function: str, *values):
        """What a function of JavaScript gives for these values."""
        words = f"({function})({', '.join(map(json.dumps, values))})"
        found = self.call("Runtime.evaluate", expression=words, returnByValue=True)
        if details := found.get("exceptionDetails"):
            raise Failure("the page: " + details.get("exception", {}).get("description", details["text"]))
        return found["result"].get("value")

    def wait(self, purpose: str, function: str, *values, until=bool, seconds: float = 600):
        """What a function gives once it is as it should be."""
        end = min(self.deadline, time.monotonic() + seconds)
        while not until(found := self.evaluate(function, *values)):
            if time.monotonic() + 0.1 > end:
                raise Failure(f"the time was up before {purpose}; last seen: {json.dumps(found)}")
            time.sleep(0.05)
        return found

    def save(self, file: str) -> None:
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        Path(file).write_bytes(base64.b64decode(found["data"]))


def show_token(page: Page, token: str | None) -> None:
    if token is None:
        raise Failure("the page asks for its token; --token gives one")
    page.evaluate('() => document.getElementById("token").focus()')
    page.call("Input.insertText", text=token)
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    page.call("Input.dispatchKeyEvent", type="keyDown", text="\r", **enter)
    page.call("Input.dispatchKeyEvent", type="keyUp", **enter)
    page.wait("the token was taken", STATE, until=lambda state: state["tasks"] and not state["gate"], seconds=30)


def look(page: Page, arguments: argparse.Namespace, found: dict) -> None:
    """Does all that there is to be done on the page; what was seen comes into `found`."""
    files = [
        (Path(file).name, mimetypes.guess_type(file)[0] or "", base64.b64encode(Path(file).read_bytes()).decode())
        for file in arguments.pictures] + [NO_PICTURE]
    page.open(arguments.url)
    state = page.wait("the page had its tasks", STATE, until=lambda state: state["gate"] or state["tasks"])
    found["asked_for_token"] = state["gate"]
    if state["gate"]:
        show_token(page, arguments.token)
    tasks = page.evaluate(STATE)["tasks"]
    found["tasks"] = asked = [task for task in tasks if task in (arguments.task or tasks)]
    if unknown := set(arguments.task) - set(tasks):
        raise Failure(f"the page has no task {', '.join(sorted(unknown))}")
    page.evaluate(CHOOSE, asked)

    said: list[list[str]] = [[] for _ in files]

    def are_done(cards: list[dict]) -> bool:
        for texts, card in zip(said, cards):
            if card["busy"] and card["said"] not in texts:
                texts.append(card["said"])
        return len(cards) == len(files) and not any(card["busy"] for card in cards)

    if not page.evaluate(DROP, files):
        raise Failure("the page does not take what is dropped")
    cards = page.wait("every picture had an answer or an error", CARDS, until=are_done)
    found["pictures"] = [card | {"said": texts} for card, texts in zip(cards, said)]
    found["status"] = page.evaluate(STATE)["status"]

    found |= page.evaluate(SHARING)
    found["marked"] = {}
    for task in asked if found["tree"] else []:
        # The prompts of a task stand out in the tree while the mouse is over its answer.
        if place := page.evaluate(PLACE, task):
            page.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
            found["marked"][task] = page.wait(f"the tree showed {task}", MARKED, task, seconds=30)
    if arguments.screenshot:
        page.save(arguments.screenshot)

    page.evaluate(CHOOSE, [])
    found["unasked"] = page.evaluate(UNASKED)
    page.evaluate(DROP, files[:1])
    found["unasked"]["asked"] = len(page.evaluate(CARDS)) - len(files)
    page.evaluate(CHOOSE, asked)


def faults(found: dict, pictures: list[str]) -> list[str]:
    """What is not there."""
    (*cards, other), asked, missing = found["pictures"], found["tasks"], []
    names = [Path(file).name for file in pictures] + [NO_PICTURE[0]]
    if [card["name"] for card in found["pictures"]] != names:
        missing.append(f"expected {names} in this order")
    for card in cards:
        answered = [answer["task"] for answer in card["answers"] if answer["classes"]]
        if card["error"] or sorted(answered) != sorted(asked):
            missing.append(f"{card['name']}: answers of {answered}, error {card['error']}")
    if not other["error"] or other["answers"]:
        missing.append(f"{other['name']}: no error beside it")
    if not found["tree"] or sorted(found["marked"]) != sorted(asked):
        missing.append("the tree does not show every task's prompts")
    prompts = [found["prompts"].get(task) for task in asked]
    if not all(prompts) or (len(asked) > 1 and all(own == prompts[0] for own in prompts)):
        missing.append("the table does not show in which prompts the tasks differ")
    if not found["unasked"]["disabled"] or not found["unasked"]["said"] or found["unasked"]["asked"]:
        missing.append(f"with no task checked: {found['unasked']}")
    return missing + found["complaints"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url", help="the page, as http://127.0.0.1:8080/")
    parser.add_argument("pictures", nargs="+", help="files that are dropped together")
    parser.add_argument("--task", action="append", default=[], help="ask only this; may be repeated (default: all)")
    parser.add_argument("--token", help="what is typed where the page asks for a token")
    parser.add_argument("--screenshot", help="where the whole page goes as a PNG")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for everything (default: 60)")
    parser.add_argument("--chromium", default=os.environ.get("BANYAN_CHROMIUM") or "chromium", help="the browser")
    arguments = parser.parse_args()
    # An end from outside is an end of Chromium too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not (program := shutil.which(arguments.chromium)):
        parser.error(f"there is no program {arguments.chromium}; --chromium names one")
    found: dict = {}
    missing: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="banyan-page-", ignore_cleanup_errors=True) as profile:
            page = Page(program, profile, arguments.timeout)
            try:
                look(page, arguments, found)
            finally:
                page.close()
                found["complaints"] = page.complaints
        missing = faults(found, arguments.pictures)
    except (Failure, OSError) as error:
        missing = [str(error)] + found.get("complaints", [])
    print(json.dumps(found, indent=1, sort_keys=True))
    for text in missing:
        print(f"drop_pictures.py: {text}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
