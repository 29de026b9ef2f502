"""Who may change what, refused in the model: a view's `readonly` stops nobody who calls by RPC.

The program's own writes run as the system (`sudo`), behind an action that has looked at who calls it.
"""

from lxml import etree

from odoo import _, api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

BILLING = "isp_management.group_billing"
TECHNICIAN = "isp_management.group_technician"
CASHIER = "isp_management.group_cashier"
MANAGER = "isp_management.group_manager"
# Nobody: only a button, a wizard or a cron brings it about.
PROGRAM = None
# That a record was ended or taken back (isp.ending.mixin).
ENDING = {"ended_at": PROGRAM, "ended_by_id": PROGRAM, "ending_kind": PROGRAM, "ending_reason": PROGRAM}


class IspGuardMixin(models.AbstractModel):
    _name = "isp.guard.mixin"
    _description = "Fields that only some may change"

    # Field -> group that may give it another value than its default, and change it.
    _isp_guarded = {}
    # The same for fields that get a value at creation without anybody's doing.
    _isp_guarded_later = {}

    @api.model
    def _isp_worked_out(self):
        """Stored fields that are worked out from others: Odoo takes a value for them from whoever may write the record."""
        return [
            name for name, field in self._fields.items()
            if field.compute and field.store and field.readonly and not field.inverse and self._name.startswith("isp.")
        ]

    @api.model
    def _isp_forbidden(self, guarded):
        """Of guarded fields those that the user may not change, with the group that may."""
        if self.env.su:
            return {}
        return {name: group for name, group in guarded.items() if not (group and self.env.user.has_group(group))}

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """A field that the user may not change is shown, and cannot be typed into."""
        result = super().get_view(view_id, view_type, **options)
        if view_type not in ("form", "tree"):
            return result
        later = self._isp_forbidden(self._isp_guarded_later)
        forbidden = {**self._isp_forbidden(self._isp_guarded), **later}
        if not forbidden:
            return result
        arch = etree.fromstring(result["arch"])
        for node in arch.iter("field"):
            name = node.get("name")
            within = any(up.tag == "field" for up in node.iterancestors())
            if name not in forbidden or within:
                continue
            rule = node.get("readonly") or "False"
            # What is given at creation may be chosen then.
            node.set("readonly", "(%s) or id" % rule if name in later else "1")
        result["arch"] = etree.tostring(arch, encoding="unicode")
        return result

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        # Looked at afterwards: a `default_` of the context is no value that was given.
        forbidden = self._isp_forbidden(self._isp_guarded)
        for name, group in forbidden.items():
            field = self._fields[name]
            default = field.default(self.browse()) if field.default else False
            default = default.id if isinstance(default, models.BaseModel) else default
            for record in records.sudo():
                value = field.convert_to_write(record[name], record)
                if (value or False) != (default or False):
                    raise self._isp_refusal(name, group, record)
        return records

    def write(self, vals):
        guarded = {**dict.fromkeys(self._isp_worked_out(), PROGRAM), **self._isp_guarded, **self._isp_guarded_later}
        forbidden = self._isp_forbidden({name: guarded[name] for name in guarded.keys() & vals.keys()})
        if not forbidden:
            return super().write(vals)
        before = {record.id: [record[name] for name in forbidden] for record in self.sudo()}
        result = super().write(vals)
        for record in self.sudo():
            for (name, group), value in zip(forbidden.items(), before[record.id], strict=True):
                if record[name] != value:
                    raise self._isp_refusal(name, group, record)
        return result

    @api.model
    def _isp_refusal(self, name, group, record):
        label = self._fields[name].get_description(self.env, ["string"])["string"]
        if group is PROGRAM:
            return AccessError(_(
                "%(field)s of %(record)s is not written by hand. Use the button that brings it about.",
                field=label, record=record.display_name,
            ))
        return AccessError(_(
            "Only the group %(group)s may change %(field)s of %(record)s.", group=self.env.ref(group).sudo().name, field=label,
            record=record.display_name,
        ))

    def _isp_hold(self):
        """Until this transaction ends nobody else works on these. Who comes second meets a serialization failure, and Odoo does the
        whole request again: it finds what the first one left."""
        self.flush_recordset()
        if self:
            self.env.cr.execute(SQL("UPDATE %s SET id = id WHERE id IN %s", SQL.identifier(self._table), tuple(self.ids)))
        return self

    def _isp_may_write(self, *groups):
        """Refuse an action to whoever may not write these records, or is in none of the groups; returns them as the system."""
        self.check_access_rights("write")
        self.check_access_rule("write")
        if groups and not self.env.su and not any(self.env.user.has_group(group) for group in groups):
            names = ", ".join(self.env.ref(group).sudo().name for group in groups)
            raise AccessError(_("This is for the group %s.", names))
        return self.sudo()
