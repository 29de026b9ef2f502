"""A fixed sample of the engine's grid of changes of terms, lived in Odoo against a count by the day: each served day is charged
exactly once, at the price of that day, and no other day costs anything (rules B6, B7, B11, B12).

The lives are data, `lives.json`, written by `WRITE_LIVES=1 cargo test --test it terms_grid odoo`; `tests/it/terms_grid.rs` lives them, and a
thousand more, on the engine.
"""

import json
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import IspCommon

LIVES = json.loads((Path(__file__).parent / "lives.json").read_text())
PRICES = {1: 300_000, 2: 600_000, 3: 150_000}
START, UNTIL = date(2026, 5, 1), date(2026, 11, 2)
# Days up to here have come due at the end, whatever was changed.
LAST = date(2026, 9, 15)
REFUSED = {
    "subscription.not_serving", "subscription.changed_today", "subscription.given_back_today", "subscription.change_planned",
    "subscription.changed_later", "calendar.empty_period",
}
RUN_DAYS = {1, 3, 8, 10, 13, 20, 24}


def plus(day, days):
    return day + timedelta(days=days)


def share(amount, start, end, day):
    """What a day has of an amount for a span (rule C5), rounded half away from zero."""
    days = (end - start).days

    def up_to(until):
        of = amount * max(min((until - start).days, days), 0)
        sign = -1 if of < 0 else 1
        return sign * ((2 * abs(of) + days) // (2 * days))

    return up_to(plus(day, 1)) - up_to(day)


class Life:
    """One line, what is done to it, and a diary that tells by that alone what it should be charged."""

    def __init__(self, told, line):
        self.told, self.line, self.planned = told, line, None
        self.said = plus(date.fromisoformat(told["on"]), told["late"])
        self.again = plus(self.said, told["after"])
        self.back = plus(self.again, 6)
        days = [plus(START, at) for at in range(400)]
        self.served, self.package = dict.fromkeys(days, True), dict.fromkeys(days, 1)

    def near(self, day):
        return any(abs((day - of).days) <= 1 for of in (self.said, self.again, self.back))

    def wishes(self, day):
        """What is wished on a day, and the first day that it is about."""
        paused = self.told["first"] == "pause"
        if day == self.said:
            yield self.told["first"], date.fromisoformat(self.told["on"])
        if day == self.again:
            yield ("resume" if paused else self.told["second"]), day
        if day == self.back:
            yield (self.told["second"] if paused else "resume"), day

    def fill(self, pages, start, value):
        pages.update((day, value) for day in pages if day >= start)

    def tell(self, kind, number, start):
        """A wish that was granted, in the diary."""
        line = self.line
        if kind == "next":
            # Wishing for the package that runs plans nothing.
            assert line.change_date or line.package_id.code == "P%s" % number, self.told
            self.planned = line.change_date or None
            if self.planned:
                self.fill(self.package, self.planned, number)
        elif kind == "now":
            self.fill(self.package, start, number)
        elif kind in ("pause", "end"):
            self.fill(self.served, start, False)
        elif kind == "resume":
            self.fill(self.served, start, True)
        elif kind == "day" and self.planned and line.change_date:
            # A planned package begins with the first period of the new grid on or after its day.
            old, new = self.package[plus(self.planned, -1)], self.package[self.planned]
            self.fill(self.package, self.planned, old)
            self.planned = line.change_date
            self.fill(self.package, self.planned, new)


@tagged("post_install", "-at_install")
class TestLives(IspCommon):
    def live(self, lead):
        told = [life for life in LIVES if life["lead"] == lead]
        self.company.write({
            "isp_pkp": False, "isp_issue_lead_days": lead, "isp_credit_on_pause": True, "isp_credit_on_termination": True,
            "isp_isolate_after_days": 365,
        })
        self.packages = {number: self.new_package("P%s" % number, price) for number, price in PRICES.items()}
        lives = []
        for number, life in enumerate(told):
            line = self.new_subscription(
                self.new_customer("Hidup %s" % number, mobile=False), start=START, activate=False, package_id=self.packages[1].id,
                billing_day=life["day"], timing=life["timing"],
            )
            lives.append(Life(life, line))
        self.env["isp.subscription"].concat(*(life.line for life in lives)).with_env(self.at("2026-05-01 07:00")).action_activate()
        day = START
        while day < UNTIL:
            self.wish(lives, day, 8)
            if day.day in RUN_DAYS or any(life.near(day) for life in lives):
                self.at("%s 09:00" % day)["isp.billing_run"]._cron_bill()
                self.at("%s 09:00" % day)["isp.subscription"]._isp_access_of(self.company)
            self.wish(lives, day, 14)
            day = plus(day, 1)
        self.env.invalidate_all()
        problems = [life.line.billing_error for life in lives if life.line.billing_error]
        self.assertFalse(problems)
        wrong = [text for life in lives for text in self.wrong(life)]
        self.assertFalse(wrong, "%s of %s are wrong\n%s" % (len(wrong), len(lives), "\n".join(wrong[:8])))
        return len(lives)

    def wish(self, lives, day, hour):
        for life in lives:
            if life.told["hour"] != hour:
                continue
            for wished, start in life.wishes(day):
                kind, _space, number = wished.partition(" ")
                if kind == "nothing":
                    continue
                try:
                    with self.env.cr.savepoint():
                        self.change_terms(life.line, "%s %02d:00" % (day, hour), *self.asked(kind, number and int(number), start))
                except UserError as error:
                    self.assertIn(getattr(error.__cause__, "code", None), REFUSED, "%s: %s" % (life.told, error))
                    self.env.invalidate_all()
                    continue
                life.tell(kind, number and int(number), start)

    def change_terms(self, line, moment, kind, vals):
        return super().change_terms(line, moment, kind, **vals)

    def asked(self, kind, number, start):
        """The wizard and its fields."""
        return {
            "next": ("package", {"package_id": number and self.packages.get(number, self.packages[1]).id}),
            "now": ("package", {"package_id": number and self.packages.get(number, self.packages[1]).id, "at_once": "now", "since": start}),
            "day": ("day", {"billing_day": number, "since": start}),
            "pause": ("pause", {"since": start}),
            "resume": ("resume", {"since": start}),
            "end": ("end", {"last_day": plus(start, -1), "reason": "other"}),
        }[kind]

    def wrong(self, life):
        """Days that cost something else than they should."""
        charges = []
        for move in life.line.move_ids.filtered(lambda m: m.state == "posted"):
            if move.move_type == "out_invoice":
                charges.append((move.isp_period_start, move.isp_period_end, round(move.amount_total)))
            else:
                charges.append((move.isp_credit_start, move.isp_credit_end, -round(move.amount_total)))
        for day, served in life.served.items():
            cost = sum(share(amount, start, end, day) for start, end, amount in charges)
            price = PRICES[life.package[day]]
            least, most = (price // 31 - 4, price // 28 + 4) if served else (-4, 4)
            if day >= LAST:
                least = -4
            if not least <= cost <= most:
                yield "%s: %s costs %s, not %s to %s: %s" % (life.told, day, cost, least, most, sorted(charges))
                return
        for move in life.line.move_ids.filtered(lambda m: m.move_type == "out_invoice"):
            if plus(move.invoice_date, life.told["lead"]) < move.isp_period_start:
                yield "%s: %s is issued before its days begin" % (life.told, move.name)

    def test_each_served_day_is_charged_once(self):
        self.assertGreaterEqual(self.live(0), 70)

    def test_each_served_day_is_charged_once_when_billed_ahead(self):
        self.assertGreaterEqual(self.live(7), 70)

    def test_the_sample_is_of_every_kind(self):
        self.assertEqual(len(LIVES), 150)
        for key, kinds in (("timing", 2), ("lead", 2), ("day", 2), ("first", 6), ("on", 7), ("late", 2), ("hour", 2), ("second", 6)):
            self.assertEqual(len({life[key] for life in LIVES}), kinds, key)

    def test_a_day_that_is_charged_twice_is_found(self):
        line = self.new_subscription(self.new_customer("Dua kali", mobile=False), start=START)
        life = Life({**LIVES[0], "first": "nothing"}, line)
        with patch.dict(PRICES, {1: 250_000}):
            self.company.isp_pkp = False
            self.at("2026-10-01 09:00")["isp.billing_run"]._cron_bill()
            self.assertFalse(list(self.wrong(life)))
            line.move_ids.sorted("id")[-1].copy({
                "isp_subscription_id": line.id, "isp_period_start": date(2026, 6, 2), "isp_period_end": date(2026, 6, 9),
                "invoice_date": date(2026, 6, 2),
            }).action_post()
            self.env.invalidate_all()
            self.assertIn("2026-06-02 costs", "".join(self.wrong(life)))
