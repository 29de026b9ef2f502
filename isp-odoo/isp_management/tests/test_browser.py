import time
from datetime import date, timedelta

from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import IspCommon, IspHttpCase

# Opens each menu of the app, each view of its screen, and the first record; any dialog of an error ends it.
WALK = """
(async () => {
    const services = odoo.__WOWL_DEBUG__.root.env.services;
    const app = services.menu.getApps().find((menu) => menu.xmlid === "isp_management.isp_menu_root");
    const leaves = (menu) => menu.childrenTree && menu.childrenTree.length
        ? menu.childrenTree.flatMap(leaves) : menu.actionID ? [menu] : [];
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const until = async (selector) => {
        for (let waited = 0; waited < 20000; waited += 50) {
            if (document.querySelector(selector)) {
                return true;
            }
            await pause(50);
        }
        return false;
    };
    const check = (where) => {
        const dialog = document.querySelector(".o_error_dialog, .o_dialog_warning, .modal .o_error_detail");
        if (dialog) {
            throw new Error(where + ": " + dialog.innerText);
        }
    };
    let seen = 0;
    for (const menu of leaves(services.menu.getMenuAsTree(app.id))) {
        const before = document.querySelector(".o_action");
        await services.menu.selectMenu(menu);
        await pause(100);
        check(menu.xmlid);
        const dialog = document.querySelector(".modal .btn-close");
        if (dialog) {
            dialog.click();
            await pause(100);
            seen += 1;
            continue;
        }
        if (!(await until(".o_action")) || document.querySelector(".o_action") === before && seen) {
            throw new Error(menu.xmlid + " did not open");
        }
        const switches = [...document.querySelectorAll(".o_switch_view")].map(
            (button) => [...button.classList].find((name) => name.startsWith("o_") && name !== "o_switch_view").slice(2)
        );
        for (const view of [...new Set(switches)]) {
            await services.action.switchView(view);
            await pause(50);
            check(menu.xmlid + " " + view);
            seen += 1;
        }
        if (switches.includes("list")) {
            await services.action.switchView("list");
            const cell = document.querySelector(".o_data_row .o_data_cell:not(.o_list_record_selector)");
            // An empty list shows samples, which are no records.
            if (cell && !document.querySelector(".o_view_sample_data, .o_list_renderer_editable")) {
                cell.click();
                await pause(300);
                check(menu.xmlid + " record");
                seen += 1;
            }
        }
        seen += 1;
    }
    if (seen < %d) {
        throw new Error("only " + seen + " screens were seen");
    }
    console.log("test successful");
})().catch((error) => console.error(error.stack || error.message));
"""
READY = "!!(window.odoo && odoo.__WOWL_DEBUG__ && document.querySelector('.o_main_navbar'))"


@tagged("post_install", "-at_install")
class TestBrowser(IspCommon, IspHttpCase):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        subscription = cls.new_subscription(start=date(2026, 1, 5))
        cls.new_subscription(cls.new_customer("Budi Santoso"), activate=False)
        env = cls.at("2026-02-05 08:00")
        env["isp.billing_run"]._bill(env.company, time.monotonic() + 60)
        cpe = cls.env["isp.cpe"].create({"customer_id": subscription.customer_id.id, "outdoor_unit": "LHG 5"})
        cpe.action_install()
        cls.env["isp.promise"].create({"customer_id": subscription.customer_id.id, "until": cls.company._isp_today() + timedelta(days=10)})
        cls.env["isp.outage"].create({"name": "Listrik padam", "router_id": cls.router.id})

    def walk(self, group, at_least):
        login = "browser-%s" % group
        new_test_user(
            self.env, login, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.browser_js("/web", WALK % at_least, READY, login=login)

    def test_a_technician_opens_every_menu(self):
        self.walk("technician", 30)

    def test_a_cashier_opens_every_menu(self):
        self.walk("cashier", 40)

    def test_billing_opens_every_menu(self):
        self.walk("billing", 50)

    def test_a_manager_opens_every_menu(self):
        self.walk("manager", 60)

    def test_the_first_customer(self):
        new_test_user(
            self.env, "browser-tour", groups="isp_management.group_manager", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.start_tour("/web", "isp_first_customer", login="browser-tour", timeout=1200)
        customer = self.env["isp.customer"].search([("name", "=", "Siti Rahayu")], order="id desc", limit=1)
        self.assertEqual((customer.state, customer.whatsapp_number), ("active", "+6281234567890"))
