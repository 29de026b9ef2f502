"""Two people who import the same spreadsheets, and confirm at the same moment: every row is written once.

usage: imported_at_once.py CONF            (scripts/odoo_test runs it on a database of its own)
"""

import base64
import sys
import time
from pathlib import Path

from asked_at_once import at_once
from boot import company_of, environment
from odoo import Command

# The owner of the demo: 330 customers, each with a line and a device.
FILES = Path(__file__).parents[2] / "examples" / "demo-isp"
MODELS = ("isp.site", "isp.router", "isp.package", "isp.customer", "isp.subscription", "isp.cpe", "isp.installation_fee", "isp.expense")


def main(conf):
    with environment(conf) as env:
        company, wizards = company_of(env), []
        names = ("sites", "routers", "packages", "customers", "subscriptions", "cpes", "installations", "expenses")
        files = [
            Command.create({"name": "%s.csv" % name, "content": base64.b64encode((FILES / ("%s.csv" % name)).read_bytes())})
            for name in names
        ]
        for _person in range(2):
            wizard = env["isp.spreadsheet.wizard"].with_company(company).create({"company_id": company.id, "file_ids": files})
            wizard.action_look()
            # What a person would be asked about the demo's days is right.
            wizard.problem_ids.filtered("is_question").accepted = True
            wizard.action_look()
            assert not wizard.problem_count, wizard.problem_ids.mapped("message")
            wizards.append(wizard.id)
        before = {model: env[model].with_context(active_test=False).search_count([]) for model in MODELS}
        wanted = {count.kind: count.new for count in wizard.count_ids}
        env.cr.commit()

    def confirm(one):
        def call(env):
            wizard = env["isp.spreadsheet.wizard"].browse(one)
            wizard.with_company(wizard.company_id).action_confirm()

        return call

    began = time.monotonic()
    tries = at_once([confirm(one) for one in wizards])
    seconds = time.monotonic() - began
    with environment(conf) as env:
        made = {model: env[model].with_context(active_test=False).search_count([]) - count for model, count in before.items()}
        states = env["isp.spreadsheet.wizard"].browse(wizards).mapped("state")
        second = env["isp.spreadsheet.wizard"].browse(wizards).filtered(lambda wizard: wizard.state == "shown")
        assert list(made.values()) == list(wanted.values()), (made, wanted)
        assert sorted(states) == ["done", "shown"] and max(tries) == 2, (states, tries)
        assert not second.to_write and not any(second.count_ids.mapped("new")), second.count_ids.mapped("new")
    print(
        "two who import the same %s customers at once: each row is written once, and the second is shown that all is there (%.0f s)"
        % (made["isp.customer"], seconds)
    )


if __name__ == "__main__":
    main(sys.argv[1])
