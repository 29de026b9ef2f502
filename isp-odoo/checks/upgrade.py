"""The database of an earlier version, filled by that version, and whether this version kept all of it.

usage: upgrade.py fill CONF SNAPSHOT       with the earlier version on the addons path
       upgrade.py check CONF SNAPSHOT      with this version there, after `odoo-bin -u`

`scripts/odoo_upgrade` runs both. The check fails when a row or a column's value of the addon's tables, of the books, of the
contacts or of a record that users may change (noupdate) is not what it was, when a secret does not open, when a period is
billed or a message sent a second time, or when a report says something else than before.
"""

import json
import sys
from datetime import date

from boot import company_of, environment
from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

MODULES = ("isp_management", "isp_management_subscription_oca")
BILLED = ("2026-01-31", "2026-02-28", "2026-03-08")
NOON, LATER, EVENING, NEXT_MONTH = "2026-03-10 03:30:00", "2026-03-10 05:30:00", "2026-03-10 14:00:00", "2026-04-01 02:00:00"
# Beside the addon's own tables: what it writes to, and what users change in it.
TABLES = {
    "account_move", "account_move_line", "account_payment", "account_partial_reconcile", "account_full_reconcile",
    "res_partner", "res_company", "product_template", "product_product", "sale_subscription", "mail_message",
    "mail_tracking_value", "mail_followers", "ir_sequence", "ir_config_parameter",
}
# Odoo writes these itself in every update.
NOT_OURS = {"ir_config_parameter": {"database.uuid"}}
# table -> column -> why another value is right after the upgrade. A migration that changes more has to say so here.
MIGRATED = {
    # The bridge gives OCA's invoices to their line.
    "account_move": {"isp_subscription_id", "write_date"},
    "account_move_line": {"write_date"},
    # The webhook's user is data of the addon, and its contact is written with it.
    "res_partner": {"write_date"},
    # New columns are computed and stored.
    "isp_outage": {"write_date"},
    "account_payment": {"write_date"},
    "isp_subscription": {"write_date"},
}
REPORTS = {
    "isp.report.finance": ["billed", "ppn", "collected", "cost", "receivable"],
    "isp.report.profit_loss": ["revenue", "cost", "result"],
    "isp.report.customer": ["owed", "overdue", "monthly_value", "credit"],
}


def fill(conf, snapshot):
    with SimulatedRouter(identity="tower") as router, SimulatedWhatsApp() as meta:
        with environment(conf) as env:
            lines = catalog(env, router, meta)
            env.cr.commit()
        with environment(conf) as env:
            live(env, lines, meta)
            env.cr.commit()
    with environment(conf, isp_now=NOON) as env:
        touch_by_hand(env)
        env.cr.commit()
        seen = look(env)
    counts = {table: len(rows) for table, rows in seen["tables"].items()}
    for table in ("isp_customer", "isp_subscription", "isp_notification", "isp_isolation_event", "isp_reveal_log",
                  "isp_device_history", "isp_installation_fee", "isp_promise", "isp_outage", "isp_expense", "isp_cpe"):
        assert counts[table], "nothing in %s" % table
    assert len(seen["secrets"]) >= 20, len(seen["secrets"])
    with open(snapshot, "w", encoding="utf-8") as file:
        json.dump(seen, file)
    print("filled by %s: %s rows in %s tables, %s secrets, %s invoices" % (
        seen["version"], sum(counts.values()), len(counts), len(seen["secrets"]), seen["invoices"],
    ))


def catalog(env, router, meta):
    """A provider with one line of each kind; returns the lines by name."""
    company = company_of(env)
    company.write({
        "isp_isolate_after_days": 4, "isp_due_soon_days": "5,2", "isp_breaker_count": 50, "isp_breaker_percent": 100,
        "isp_payment_terms_days": 7,
    })
    tower = env["isp.router"].create({
        "name": "Menara Sukamaju", "host": router.address.split(":")[0], "port": int(router.address.split(":")[1]),
        "username": router.username, "password": router.password, "location": "Sukamaju",
    })
    env["isp.channel"].create({
        "name": "CS", "phone_number_id": meta.phone_number_id, "base_url": meta.base_url, "access_token": meta.access_token,
        "app_secret": meta.app_secret, "verify_token": "kata-kunci",
    })
    env["isp.message_template"].action_isp_load_standard()
    slow, fast = env["isp.package"].create([
        {"name": "Rumah %s" % speed, "code": "R%s" % speed, "price": price, "speed_down": 1000 * speed, "speed_up": 500 * speed,
         "user_group": "R%s" % speed}
        for speed, price in ((20, 250_000), (50, 400_000))
    ])
    slow.with_context(lang="id_ID").name = "Rumahan 20 Mega"
    env["isp.package.price"].create({"package_id": slow.id, "date_from": date(2026, 3, 1), "price": 265_000})
    kinds = {
        "anchor": {"activation_date": date(2026, 1, 31)},
        "quarterly": {"activation_date": date(2026, 1, 31), "cycle": "quarterly"},
        "postpaid": {"activation_date": date(2026, 1, 15), "timing": "postpaid"},
        "paying": {"activation_date": date(2026, 2, 25)},
        "paused": {"activation_date": date(2026, 1, 10)},
        "gone": {"activation_date": date(2026, 1, 12)},
        "held": {"activation_date": date(2026, 1, 20), "held_price": 200_000, "discount_kind": "percent", "discount_value": 10},
        "changes": {"activation_date": date(2026, 3, 1), "next_package_id": fast.id, "change_date": date(2026, 4, 1)},
        "promised": {"activation_date": date(2026, 2, 20)},
        "resumed": {"activation_date": date(2026, 1, 15)},
        "resumed-post": {"activation_date": date(2026, 1, 12), "timing": "postpaid"},
        "new": {},
    }
    lines = {}
    for number, (name, vals) in enumerate(kinds.items()):
        customer = env["isp.customer"].create({
            "name": "Pelanggan %s" % name, "mobile": "0812-0000-%04d" % number, "nik": "32730157089000%02d" % (number + 1),
            "city": "Garut", "note": "catatan %s" % name,
        })
        lines[name] = env["isp.subscription"].create({
            "customer_id": customer.id, "package_id": slow.id, "router_id": tower.id, "ppp_username": name,
            "ppp_password": "rahasia-%s" % name, **vals,
        })
        if name != "new":
            lines[name].action_activate()
        cpe = env["isp.cpe"].create({
            "customer_id": customer.id, "subscription_id": lines[name].id, "outdoor_unit": "LHG 5", "serial": "S%03d" % number,
            "ip_address": "10.1.0.%s" % (number + 2), "username": "admin", "password": "cpe-%s" % name, "value": 500_000,
        })
        cpe.action_install()
    lines["quarterly"].customer_id.message_post(body="Menelepon, minta faktur")
    env["ir.attachment"].create({
        "name": "ktp.txt", "raw": b"gambar", "res_model": "isp.customer", "res_id": lines["quarterly"].customer_id.id,
    })
    kind = env["isp.installation_kind"].create({"name": "Wireless", "code": "WL", "price": 450_000, "instalments": 3})
    env["isp.installation_fee"].create({
        "customer_id": lines["anchor"].customer_id.id, "subscription_id": lines["anchor"].id, "kind_id": kind.id,
        "date": date(2026, 1, 31),
    }).with_context(isp_now=NOON).action_invoice()
    env["isp.device_history"].create({
        "customer_id": lines["anchor"].customer_id.id, "cpe_id": lines["anchor"].cpe_ids.id, "kind": "replaced", "device": "LHG 5",
        "reason": "petir", "ownership": "lent", "cost": 750_000, "date": date(2026, 2, 2),
    })
    category = env["isp.expense_category"].create({"name": "Bandwidth", "code": "BW"})
    for day in (date(2026, 1, 31), date(2026, 2, 27)):
        env["isp.expense"].create({"name": "Hulu", "category_id": category.id, "amount": 900_000, "date": day}).action_post()
    env["isp.outage"].create({
        "name": "Listrik padam", "router_id": tower.id, "since": "2026-02-01 01:00:00", "until": "2026-02-01 05:00:00",
    })
    env["isp.holiday"].create({"name": "Ulang tahun perusahaan", "date": date(2026, 3, 12), "company_id": company.id})
    env["isp.exemption"].create({
        "customer_id": lines["held"].customer_id.id, "since": date(2026, 1, 1), "until": date(2026, 12, 31), "reason": "Masjid",
    })
    env["isp.promise"].create({
        "customer_id": lines["promised"].customer_id.id, "made_on": date(2026, 3, 5), "until": date(2026, 3, 20), "amount": 277_500,
    })
    sold_elsewhere(env, slow)
    return {name: line.id for name, line in lines.items()}


def sold_elsewhere(env, package):
    """A subscription of OCA's module that was invoiced there before it became a line."""
    monthly = env["sale.subscription.template"].create(
        {"name": "Bulanan", "code": "B", "recurring_rule_type": "months", "recurring_interval": 1}
    )
    pricelist = env["product.pricelist"].create({"name": "IDR", "currency_id": env.company.currency_id.id})
    sold = env["sale.subscription"].create({
        "partner_id": env["res.partner"].create({"name": "Pelanggan OCA", "country_id": env.ref("base.id").id}).id,
        "template_id": monthly.id, "pricelist_id": pricelist.id, "date_start": date(2026, 3, 1),
        "recurring_next_date": date(2026, 3, 1),
        "sale_subscription_line_ids": [(0, 0, {
            "product_id": package.product_id.id, "product_uom_qty": 1, "price_unit": 265_000,
            "tax_ids": [(6, 0, env.company.account_sale_tax_id.ids)],
        })],
    })
    sold.create_invoice().action_post()
    sold.recurring_next_date = date(2026, 4, 1)
    sold.action_isp_subscription()


def live(env, lines, meta):
    """Billing, payments, isolation, messages: all that fills the logs."""
    lines = {name: env["isp.subscription"].browse(key) for name, key in lines.items()}
    for day in BILLED:
        at(env, day + " 03:00:00")["isp.billing_run"]._cron_bill()
        if day == BILLED[0]:
            lines["paused"].with_env(at(env, day + " 04:00:00")).action_pause()
            lines["gone"].with_env(at(env, day + " 04:00:00")).action_terminate()
            for name in ("resumed", "resumed-post"):
                lines[name].with_env(at(env, day + " 04:00:00")).action_pause()
    resume_in_mid_period(env, lines)
    for name, day in (("paying", date(2026, 3, 1)), ("held", date(2026, 2, 1))):
        pay(env, lines[name].move_ids.sorted("invoice_date")[:1], day)
    pay(env, lines["postpaid"].move_ids[:1], date(2026, 3, 2), 100_000)
    env["isp.router"]._cron_isp_sync()
    now = at(env, NOON)
    now["isp.subscription"]._cron_isp_isolation()
    now["isp.router"]._cron_isp_sync()
    now["isp.notification"]._cron_isp_reminders()
    env.cr.commit()
    meta.fail("reply_lost")
    now["isp.notification"]._cron_isp_send()
    # The number rests after an answer that was lost; the others go out later.
    at(env, LATER)["isp.notification"]._cron_isp_send()
    env.invalidate_all()
    assert lines["anchor"].desired_access == "isolated" == lines["anchor"].observed_access, lines["anchor"].last_router_answer
    assert lines["promised"].desired_access == "open", "a promise protects"
    # Paid in the evening: the reopening is done, its message waits for the morning.
    for move in lines["anchor"].move_ids.filtered(lambda m: m.payment_state != "paid") | lines[
        "anchor"
    ].installation_fee_ids.move_ids.filtered(lambda m: m.state == "posted"):
        pay(at(env, EVENING), move, date(2026, 3, 10))
    assert lines["anchor"].desired_access == "open"
    at(env, EVENING)["isp.router"]._cron_isp_sync()
    lines["paying"]._isp_by_hand("isolate", "permintaan pelanggan")
    messages = env["isp.notification"].search([])
    found = sorted((row.kind, row.state, row.error_code or "") for row in messages)
    assert {"sent", "queued", "unknown"} <= set(messages.mapped("state")), found
    lines["quarterly"].customer_id.isp_reveal("nik", "KTP diminta bank")
    lines["gone"].customer_id.active = False


def resume_in_mid_period(env, lines):
    """Two lines go on after a pause, which the first versions do not bill up to the next billing day."""
    env.cr.precommit.run()
    for name in ("resumed", "resumed-post"):
        lines[name].with_env(at(env, BILLED[-1] + " 04:00:00")).action_resume()
        env.cr.precommit.run()
        # The log has the moment of this machine.
        last = lines[name].message_ids.sorted("id")[-1]
        assert "paused_from" in last.tracking_value_ids.field_id.mapped("name"), "the log does not tell of the resumption"
        env.cr.execute("UPDATE mail_message SET date = %s WHERE id = %s", [BILLED[-1] + " 04:00:00", last.id])
    env.invalidate_all()


def touch_by_hand(env):
    """What users may change in records that came with the addon: an update must leave it alone."""
    env.ref("isp_management.sequence_customer").prefix = "NSN-"
    env.ref("isp_management.cron_router_drift").active = False
    env.ref("isp_management.cron_bill").write({"interval_number": 2, "nextcall": "2026-03-11 19:30:00"})
    env.ref("isp_management.isp_expense_rule_company").domain_force = "[('company_id', '=', company_id)]"
    env["isp.message_template"].search([("kind", "=", "reopened"), ("language", "=", "id")]).meta_status = "APPROVED"


def at(env, moment):
    return env(context={**env.context, "isp_now": moment})


def pay(env, move, day, amount=None):
    env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
        {"payment_date": day, **({"amount": amount} if amount else {})}
    )._create_payments()


# What is looked at, before and after


def look(env):
    """Everything that must survive, as plain JSON."""
    env.flush_all()
    names = tables(env)
    return {
        "version": env["ir.module.module"].search([("name", "=", MODULES[0])]).latest_version,
        "tables": {name: rows(env, name) for name in names},
        "noupdate": noupdate(env),
        "xmlids": xmlids(env),
        "secrets": secrets(env),
        "reports": reports(env),
        "invoices": env["account.move"].search_count([("isp_subscription_id", "!=", False)]),
    }


def tables(env):
    """The tables of the addon's models that are kept, their relations, and TABLES."""
    kept = {model._table for name, model in env.items() if name.startswith("isp.") and model._auto and not model._transient}
    kept |= {
        field.relation for name, model in env.items() if name.startswith("isp.") and model._auto and not model._transient
        for field in model._fields.values() if field.type == "many2many" and field.store and field.relation
    }
    env.cr.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
    return sorted((kept | TABLES) & {name for (name,) in env.cr.fetchall()})


def rows(env, table):
    env.cr.execute('SELECT to_jsonb(t) FROM "%s" t' % table)
    found = [row for (row,) in env.cr.fetchall()]
    return {str(row.get("id", json.dumps(row, sort_keys=True))): row for row in found}


def noupdate(env):
    """The values of every record with noupdate that users may change, by its name."""
    found = {}
    data = env["ir.model.data"].search([("module", "in", MODULES), ("noupdate", "=", True)])
    for record in data:
        if record.model in ("ir.cron", "ir.rule", "ir.sequence"):
            env.cr.execute('SELECT to_jsonb(t) FROM "%s" t WHERE id = %%s' % env[record.model]._table, [record.res_id])
            found[record.complete_name] = env.cr.fetchone()[0]
    return found


def xmlids(env):
    """The names of records that are data, not screens: each must name the same record afterwards."""
    kept = ("ir.cron", "ir.rule", "ir.sequence", "res.groups", "res.users", "report.paperformat", "ir.module.category")
    data = env["ir.model.data"].search([("module", "in", MODULES), ("model", "in", kept)])
    return {record.complete_name: [record.model, record.res_id, record.noupdate] for record in data}


def secrets(env):
    found = {}
    for name, model in env.items():
        for field, (sealed, _group) in getattr(model, "_isp_sealed", {}).items():
            if model._abstract:
                continue
            for record in model.sudo().with_context(active_test=False).search([(sealed, "!=", False)]):
                found["%s,%s.%s" % (name, record.id, field)] = record._isp_open(field)
    return found


def reports(env):
    env = at(env, NOON)
    found = {}
    for name, measures in REPORTS.items():
        [values] = env[name]._read_group([], [], ["%s:sum" % measure for measure in measures])
        found[name] = [round(value or 0) for value in values]
    return found


# After the upgrade


def check(conf, snapshot):
    with open(snapshot, encoding="utf-8") as file:
        before = json.load(file)
    with environment(conf, isp_now=NOON) as env:
        after = json.loads(json.dumps(look(env)))
        assert after["version"] != before["version"], "the version is still %s: nothing was upgraded" % before["version"]
        wrong = differences(before, after)
        assert not wrong, "the upgrade changed or lost something:\n  " + "\n  ".join(wrong[:40])
        check_migrated(env)
    check_goes_on(conf, before)
    print("upgraded from %s to %s: every row and value of %s tables is there, %s secrets open" % (
        before["version"], after["version"], len(before["tables"]), len(after["secrets"]),
    ))


def differences(before, after):
    wrong = []
    for table, old in before["tables"].items():
        new = after["tables"].get(table)
        if new is None:
            wrong.append("the table %s is gone" % table)
            continue
        for key, row in old.items():
            if key not in new:
                wrong.append("%s %s is gone" % (table, key))
                continue
            if row.get("key") in NOT_OURS.get(table, ()):
                continue
            for column, value in row.items():
                if column in MIGRATED.get(table, ()) and column in new[key]:
                    continue
                if column not in new[key] or new[key][column] != value:
                    wrong.append("%s %s: %s was %r and is %r" % (table, key, column, value, new[key].get(column)))
        added = set(new) - set(old)
        if added and table.startswith(("account_", "isp_notification", "isp_isolation")):
            wrong.append("%s has new rows: %s" % (table, sorted(added)[:5]))
    for part in ("noupdate", "xmlids", "secrets", "reports"):
        for key, value in before[part].items():
            new = after[part].get(key)
            if isinstance(value, dict) and isinstance(new, dict):
                new = {name: new.get(name) for name in value}
            if new != value:
                # A secret's value is not shown.
                wrong.append("%s %s is not what it was" % (part, key) + (
                    "" if part == "secrets" else ": %r, was %r" % (new, value)
                ))
    return wrong


def check_migrated(env):
    """What a migration changed is right now."""
    sold = env["sale.subscription"].search([])
    assert sold.invoice_ids and sold.invoice_ids.isp_subscription_id == sold.isp_subscription_id, "OCA's invoices have no line"
    kinds = dict(env["isp.report.profit_loss"]._read_group([("revenue", "!=", 0)], ["kind"], ["revenue:sum"]))
    assert set(kinds) == {"subscription", "installation"}, kinds


def check_goes_on(conf, before):
    """The same moment brings nothing new; the next month brings each period once."""
    with environment(conf, isp_now=NOON) as env:
        moves, messages, events = (env[name].search_count([]) for name in ("account.move", "isp.notification", "isp.isolation_event"))
        env["isp.billing_run"]._cron_bill()
        env["isp.notification"]._cron_isp_reminders()
        env["isp.subscription"]._cron_isp_isolation()
        again = tuple(env[name].search_count([]) for name in ("account.move", "isp.notification", "isp.isolation_event"))
        assert again == (moves, messages, events), "the same moment was lived twice: %s, was %s" % (again, (moves, messages, events))
    with environment(conf, isp_now=NEXT_MONTH) as env:
        env["isp.billing_run"]._cron_bill()
        env.invalidate_all()
        fresh = env["account.move"].search([("isp_subscription_id", "!=", False), ("isp_period_start", "!=", False)])
        periods = [(move.isp_subscription_id.ppp_username, str(move.isp_period_start)) for move in fresh]
        assert len(set(periods)) == len(periods), "a period was billed twice"
        new = sorted(set(periods) - {
            (env["isp.subscription"].browse(row["isp_subscription_id"]).ppp_username, row["isp_period_start"])
            for row in before["tables"]["account_move"].values() if row["isp_subscription_id"]
        })
        assert new == [
            ("anchor", "2026-03-31"), ("changes", "2026-04-01"), ("held", "2026-03-20"),
            ("paying", "2026-03-25"), ("postpaid", "2026-02-15"), ("promised", "2026-03-20"),
            # Resumed on 8 March: not before the next billing day, and a postpaid line not for its pause.
            ("resumed", "2026-03-15"), ("resumed-post", "2026-03-08"),
        ], new
        check_settled_days(env)
        changed = fresh.filtered(lambda m: m.isp_subscription_id.ppp_username == "changes").sorted("isp_period_start")
        assert changed.mapped("amount_untaxed") == [265_000, 400_000], "the planned change of package was lost"
        customer = env["isp.customer"].create({"name": "Pelanggan baru"})
        assert customer.customer_code.startswith("NSN-"), customer.customer_code


def check_settled_days(env):
    """What was not billed before the upgrade is not billed afterwards, whatever is changed about the line."""
    line = env["isp.subscription"].search([("ppp_username", "=", "resumed")])
    assert str(line.charged_until) == "2026-03-15", line.charged_until
    fast = env["isp.package"].search([("code", "=", "R50")])
    terms = env["isp.terms.wizard"]
    for kind, vals in (("day", {"billing_day": 20}), ("package", {"package_id": fast.id, "at_once": "now"}), ("pause", {}), ("resume", {})):
        wizard = terms.browse(line.with_context(isp_terms=kind).action_isp_terms()["res_id"])
        wizard.write(vals)
        wizard.action_confirm()
    for month in (NEXT_MONTH, "2026-05-01 02:00:00", "2026-06-01 02:00:00"):
        at(env, month)["isp.billing_run"]._cron_bill()
    env.invalidate_all()
    gap = line.move_ids.filtered(lambda m: m.isp_period_start and str(m.isp_period_start) < "2026-03-15" and str(m.isp_period_end) > "2026-03-08")
    assert not gap, gap.mapped("isp_period_start")
    assert len(line.move_ids.filtered("isp_period_start")) >= 4, line.move_ids.mapped("isp_period_start")


if __name__ == "__main__":
    {"fill": fill, "check": check}[sys.argv[1]](*sys.argv[2:])
