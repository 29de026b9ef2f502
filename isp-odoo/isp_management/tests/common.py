"""An internet provider to test with; every test class builds on it and on no demo data."""

from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import HttpCase, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon


@tagged("post_install", "-at_install")
class IspCommon(AccountTestInvoicingCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.company = cls.company_data["company"]
        # Stories leap from month to month; those about the clock set its limit themselves.
        cls.company.isp_clock_days = 3_650
        # The stories quote what customers read in English.
        cls.company.isp_customer_lang = "en_US"
        cls.env.user.groups_id += cls.env.ref("isp_management.group_manager")
        cls.ppn = cls.company.account_sale_tax_id
        cls.package = cls.new_package("HOME-20", 250_000)
        cls.router = cls.env["isp.router"].create(
            {"name": "Bandung-1", "host": "127.0.0.1", "username": "isp", "password": "rahasia-router"}
        )

    @classmethod
    def setup_company_data(cls, company_name, chart_template=None, **kwargs):
        """A company whose books a run of everything made beforehand is taken: a chart of accounts costs seconds in each class."""
        companies, charts = cls.env["res.company"], cls.env["account.chart.template"]
        company = companies.search([("name", "=", company_name)], limit=1)
        if not company:
            return super().setup_company_data(company_name, chart_template=chart_template, **kwargs)
        with patch.object(type(companies), "create", lambda self, vals: company), \
                patch.object(type(charts), "try_loading", lambda self, *args, **kw: None):
            return super().setup_company_data(company_name, chart_template=chart_template, **kwargs)

    @classmethod
    def new_package(cls, code, price, **vals):
        return cls.env["isp.package"].create({
            "name": code,
            "code": code,
            "price": price,
            "speed_down": 20_000,
            "speed_up": 10_000,
            "user_group": code,
            "tax_ids": [(6, 0, cls.ppn.ids)],
            **vals,
        })

    @classmethod
    def new_customer(cls, name="Siti Rahayu", **vals):
        return cls.env["isp.customer"].create({"name": name, "mobile": "0812-3456-7890", **vals})

    @classmethod
    def new_subscription(cls, customer=None, start=date(2026, 1, 5), activate=True, **vals):
        subscription = cls.env["isp.subscription"].create({
            "customer_id": (customer or cls.new_customer()).id,
            "package_id": cls.package.id,
            "router_id": cls.router.id,
            "activation_date": start,
            # The stories live from their first day on, whenever they are told.
            "billed_from": start,
            **vals,
        })
        if activate:
            subscription.action_activate()
        return subscription

    @classmethod
    def story_begins(cls):
        """Another story, which may begin earlier: no clock is wrong."""
        cls.env["isp.clock"].sudo().search([]).last_run = False

    @classmethod
    def change_terms(cls, line, moment, kind, **vals):
        """A change of terms as a person makes it: the wizard, its fields, its button. Returns the wizard."""
        line = line.with_env(cls.at(moment)).with_context(isp_terms=kind)
        wizard = line.env["isp.terms.wizard"].browse(line.action_isp_terms()["res_id"])
        wizard.write(vals)
        assert wizard.action_confirm()["type"] == "ir.actions.act_window_close", "what was shown is not what is done"
        return wizard

    @classmethod
    def at(cls, moment):
        """An environment in which it is that local moment (WIB), such as ``"2026-03-01 08:00"``."""
        utc = datetime.strptime(moment, "%Y-%m-%d %H:%M") - timedelta(hours=7)
        return cls.env(context={**cls.env.context, "isp_now": fields.Datetime.to_string(utc)})


class IspHttpCase(HttpCase):
    """Waits for an answer, and not for so many seconds: a machine that is busy is no fault."""

    def url_open(self, url, *args, timeout=900, **kwargs):
        return super().url_open(url, *args, timeout=timeout, **kwargs)

    def browser_js(self, *args, timeout=1200, **kwargs):
        return super().browser_js(*args, timeout=timeout, **kwargs)
