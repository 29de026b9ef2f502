"""A headless Chromium that works Odoo's web client as a person does: by menus, fields and buttons."""

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.request

import websocket

WINDOW = "1400,950"
# Where things are looked for: the topmost dialog, else the page.
INSIDE = """
const dialogs = [...document.querySelectorAll(".modal-dialog")].filter((found) => found.offsetParent !== null);
const page = dialogs.length ? dialogs[dialogs.length - 1] : document.body;
const shown = (selector, words = "") => [...page.querySelectorAll(selector)].find(
    (found) => found.offsetParent !== null && found.textContent.includes(words)
);
"""
SETTLED = """
!document.querySelector(".o_blockUI, .o_view_controller.o_loading") && window.odoo && odoo.__WOWL_DEBUG__
"""


class Browser:
    """Every error on the console or in a dialog is kept in ``errors``."""

    def __init__(self, url, directory, pictures):
        self.url, self.directory, self.pictures = url, directory, pictures
        self.errors, self._number, self._taken = [], 0, 0
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-port=0", "--remote-allow-origins=*", "--user-data-dir=%s/profile" % directory,
             "--window-size=%s" % WINDOW, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TZ": "Asia/Jakarta"},
        )
        try:
            port = self._port()
            with urllib.request.urlopen("http://127.0.0.1:%s/json" % port, timeout=20) as answer:
                page = next(target for target in json.load(answer) if target["type"] == "page")
            self._socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=120, suppress_origin=True)
            for domain in ("Page", "Runtime", "Log"):
                self.send("%s.enable" % domain)
            self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=directory)
        except BaseException:
            self.close()
            raise

    def _port(self):
        path = os.path.join(self.directory, "profile", "DevToolsActivePort")
        for _ in range(300):
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    found = file.read().split()
                if len(found) == 2:
                    return found[0]
            assert self._process.poll() is None, "Chromium did not start"
            time.sleep(0.1)
        raise AssertionError("Chromium did not answer")

    def close(self):
        self._process.terminate()
        self._process.wait()

    # The protocol

    def send(self, method, **params):
        self._number += 1
        number = self._number
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, "%s: %s" % (method, message["error"])
                return message.get("result", {})
            self._event(message.get("method"), message.get("params", {}))

    def _event(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(" ".join(str(arg.get("value") or arg.get("description")) for arg in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append("%s %s" % (params["entry"]["text"], params["entry"].get("url", "")))

    def run(self, script):
        """The value of a script, which may await."""
        result = self.send(
            "Runtime.evaluate", expression="(async () => {%s %s})()" % (INSIDE, script), awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"]["exception"].get("description", script))
        return result["result"].get("value")

    # What a person does

    def open(self, path):
        self.send("Page.navigate", url=self.url + path)

    def wait(self, condition, what=None, seconds=180):
        """Until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self.run("return !!(%s);" % condition):
                    return
            except AssertionError as error:
                # While a page is being left nothing can be asked.
                if time.monotonic() > end:
                    raise AssertionError("%s: %s" % (what or condition, error)) from error
            if time.monotonic() > end:
                self.picture("not-in-time")
                raise AssertionError("not in time: %s\n%s" % (what or condition, "\n".join(self.errors)))
            time.sleep(0.1)

    def see(self, selector, words="", seconds=180):
        self.wait("shown(%s, %s)" % (json.dumps(selector), json.dumps(words)), "%s %s" % (selector, words), seconds)

    def click(self, selector, words="", seconds=180):
        self.see(selector, words, seconds)
        self.run("const it = shown(%s, %s); it.scrollIntoView({block: 'center'}); it.click();" % (
            json.dumps(selector), json.dumps(words)
        ))

    def settle(self):
        self.wait(SETTLED, "the page does not settle")
        time.sleep(0.3)

    def menu(self, section, item=None, attempts=20):
        """By xml id, within the addon's menus. A page that is being loaded again closes what was open: then once more."""
        self.settle()
        section, leaf = ('[data-menu-xmlid="%s"]' % name for name in (section, item))
        for _ in range(attempts):
            self.click(".o_menu_sections " + section)
            if not item:
                break
            time.sleep(0.5)
            if self.run("const it = shown(%s); it && it.click(); return !!it;" % json.dumps(".dropdown-item" + leaf)):
                break
        else:
            raise AssertionError("no menu %s" % leaf)
        self.settle()

    def fill(self, name, text, selector='.o_field_widget[name="%s"] input, .o_field_widget[name="%s"] textarea'):
        """Type over what is in a field, and leave it."""
        selector = selector.replace("%s", name)
        self.see(selector)
        self.run("const it = shown(%s); it.scrollIntoView({block: 'center'}); it.focus(); it.select();" % json.dumps(selector))
        self.send("Input.insertText", text=str(text))
        self.run("""
            const it = document.activeElement;
            it.dispatchEvent(new Event("change", {bubbles: true}));
            it.blur();
        """)

    def choose(self, name, text, new=False):
        """A record in a many-to-one field, from the list that opens while one types; or the line there that makes a new one."""
        selector = '.o_field_widget[name="%s"] input' % name
        self.see(selector)
        self.run("const it = shown(%s); it.scrollIntoView({block: 'center'}); it.focus(); it.click();" % json.dumps(selector))
        self.send("Input.insertText", text=text)
        # The list is drawn again with each answer, and what is clicked before it is drawn is an error of the client: it has to stand
        # still for a moment.
        self.wait("""
            (() => {
                const items = [...document.querySelectorAll(".o-autocomplete--dropdown-item")];
                const now = items.map((item) => item.textContent).join();
                if (window.ispList !== now) {
                    [window.ispList, window.ispListSince] = [now, Date.now()];
                }
                const found = items.find((item) => item.matches("%s") && item.textContent.includes(%s));
                if (!found || Date.now() - window.ispListSince < 1000) {
                    return false;
                }
                found.querySelector("a").click();
                return true;
            })()
        """ % (".o_m2o_dropdown_option_create" if new else ":not(.o_m2o_dropdown_option)", json.dumps(text)), "%s in the list of %s" % (text, name))
        time.sleep(0.3)

    def button(self, name):
        self.click('button[name="%s"]' % name)
        self.settle()

    def save(self):
        self.click(".o_form_button_save")
        self.wait("!document.querySelector('.o_form_dirty, .o_form_status_indicator_buttons:not(.invisible)')", "the form is not saved")
        self.settle()

    def rpc(self, model, method, *args, **kwargs):
        """A call with the session of who is logged in."""
        return self.run("""
            const answer = await fetch("/web/dataset/call_kw", {
                method: "POST", headers: {"Content-Type": "application/json"},
                body: JSON.stringify({jsonrpc: "2.0", method: "call", params: %s}),
            });
            const found = await answer.json();
            if (found.error) {
                throw new Error(found.error.data.debug);
            }
            return found.result;
        """ % json.dumps({"model": model, "method": method, "args": args, "kwargs": kwargs}))

    def picture(self, name):
        self.settle()
        self._taken += 1
        data = self.send("Page.captureScreenshot", format="png")["data"]
        if self.pictures:
            with open(os.path.join(self.pictures, "%02d-%s.png" % (self._taken, name)), "wb") as file:
                file.write(base64.b64decode(data))

    def downloaded(self, ending, seconds=120):
        """The next file that arrives; it is taken away."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name in os.listdir(self.directory):
                if name.endswith(ending):
                    path = os.path.join(self.directory, name)
                    with open(path, "rb") as file:
                        data = file.read()
                    os.remove(path)
                    return name, data
            # Events are read, so that an error is seen at once.
            self.run("return 1;")
            time.sleep(0.2)
        raise AssertionError("no file *%s came\n%s" % (ending, "\n".join(self.errors)))
