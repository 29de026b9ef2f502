"""Fields that are encrypted at rest and revealed only to those who may, each time with a line in a log."""

import logging
import os

from odoo import _, api, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..logic import vault

_logger = logging.getLogger(__name__)

MASK = "••••••••"
# The vault of each key file that this process has read, with the file's time stamp: a rotated key is seen at once.
_vaults = {}


class IspSealedMixin(models.AbstractModel):
    _name = "isp.sealed.mixin"
    _description = "Encrypted fields"

    # Clear name -> (stored sealed field, group that may reveal it). The clear field is computed and shows a mask.
    _isp_sealed = {}

    @api.model
    def _isp_vault(self):
        """The vault of ``isp_vault_key_file`` in odoo.conf, else of a key made on first use in Odoo's data directory."""
        configured = tools.config.get("isp_vault_key_file")
        path = configured or self._isp_own_key_file()
        try:
            if not configured and not os.path.exists(path):
                if self._isp_anything_sealed():
                    # A new key would open nothing and hide that the old one is lost.
                    raise UserError(_("The key file %s is missing. Restore it from your backup.", path))
                vault.create(path)
            stamp = os.stat(path).st_mtime_ns
            known = _vaults.get(path)
            if known is None or known[0] != stamp:
                known = _vaults[path] = (stamp, vault.load(path))
            return known[1]
        except (OSError, vault.VaultError, ValueError) as error:
            raise UserError(_("The key of the vault cannot be used: %s", error)) from error

    @api.model
    def _isp_key_trouble(self):
        """Why the key cannot be used, or None. A key that nothing needs yet is not made here."""
        configured = tools.config.get("isp_vault_key_file")
        if configured or os.path.exists(self._isp_own_key_file()) or self._isp_anything_sealed():
            try:
                self._isp_vault()
            except UserError as error:
                return str(error)
        return None

    def _register_hook(self):
        """A start of the server, an installation and an upgrade say that the key cannot be used, and not only the first secret."""
        super()._register_hook()
        if self._name == "isp.sealed.mixin":
            trouble = self._isp_key_trouble()
            if trouble:
                _logger.error("%s", trouble)

    @api.model
    def _isp_own_key_file(self):
        return os.path.join(tools.config["data_dir"], "isp", "%s.key" % self.env.cr.dbname)

    @api.model
    def _isp_anything_sealed(self):
        for model in self.env.values():
            for sealed, _group in getattr(model, "_isp_sealed", {}).values():
                if not model._abstract and model.sudo().with_context(active_test=False).search_count(
                    [(sealed, "!=", False)], limit=1
                ):
                    return True
        return False

    def _determine_fields_to_fetch(self, field_names, ignore_when_in_cache=False):
        """A mask needs to know whether something is sealed: that is read with the record, and not by a query of its own."""
        found = super()._determine_fields_to_fetch(field_names, ignore_when_in_cache)
        if found:
            sealed = [self._fields[self._isp_sealed[name][0]] for name in field_names if name in self._isp_sealed]
            found += [field for field in sealed if field not in found]
        return found

    def _isp_place(self, name):
        self.ensure_one()
        return (self._name, name, self.id)

    def _isp_mask(self, name, sealed):
        """What the clear field shows. Overridden where a part of the value may be seen."""
        return MASK if sealed else False

    def _compute_sealed(self):
        for name, (sealed, _group) in self._isp_sealed.items():
            for record in self:
                record[name] = record._isp_mask(name, record.sudo()[sealed])

    def _isp_check_clear(self, name, value):
        """Return the value as it is to be sealed, or raise; overridden where a value has a form."""
        return value

    def _inverse_sealed(self):
        for name, (sealed, _group) in self._isp_sealed.items():
            for record in self:
                value = record[name]
                if value and (value == MASK or value == record._isp_mask(name, record.sudo()[sealed])):
                    continue
                record._isp_seal(name, value)
        # Who has just typed a secret sees its mask too: the answer to saving is read from the cache.
        self.invalidate_recordset(list(self._isp_sealed), flush=False)

    @api.model_create_multi
    def create(self, vals_list):
        """A value is sealed for its record, whose id it has to know. Of many new records it is sealed at once and written at once."""
        # Odoo asks when a field is written, and not when it is given to a new record: what is no sealed text nobody could open.
        self.check_field_access_rights("create", sorted(set().union(*vals_list)))
        records = super().create([
            {name: value for name, value in vals.items() if name not in self._isp_sealed} for vals in vals_list
        ])
        for name in self._isp_sealed:
            given = [(record, vals[name]) for record, vals in zip(records, vals_list, strict=True) if vals.get(name) not in (None, False, "", MASK)]
            if given:
                self.browse([record.id for record, _value in given])._isp_seal_new(
                    [record._isp_sealed_vals(name, value) for record, value in given]
                )
        return records

    def _isp_seal_new(self, vals_list):
        """Write the sealed columns of new records, each its own, by one statement."""
        names = list(vals_list[0])
        columns = [[vals[name] or None for vals in vals_list] for name in names]
        self.env.cr.execute(SQL(
            "UPDATE %s AS r SET %s FROM unnest(%s, %s) AS v(id, %s) WHERE r.id = v.id",
            SQL.identifier(self._table), SQL(", ").join(SQL("%s = %s", SQL.identifier(name), SQL.identifier("v", name)) for name in names),
            self.ids, SQL(", ").join(SQL("%s::text[]", values) for values in columns), SQL(", ").join(map(SQL.identifier, names)),
        ))
        for name, values in zip(names, columns, strict=True):
            self.env.cache.update(self, self._fields[name], values)
        self.modified(names)
        self.invalidate_recordset(list(self._isp_sealed), flush=False)
        self._validate_fields(names)

    def _isp_sealed_vals(self, name, value):
        """The columns of this record for a clear value; an empty one takes the secret off."""
        self.ensure_one()
        value = self._isp_check_clear(name, value) if value else False
        return self._isp_sealed_columns(name, value)

    def _isp_sealed_columns(self, name, value):
        """Overridden where more than the sealed text is kept of a value."""
        return {self._isp_sealed[name][0]: self._isp_vault().seal(value, self._isp_place(name)) if value else False}

    def _isp_seal(self, name, value):
        """Seal a value of this record."""
        self.sudo().write(self._isp_sealed_vals(name, value))

    def _isp_open(self, name):
        """The clear value, for code that needs it to do its work; not callable from outside, and not logged."""
        self.ensure_one()
        sealed = self.sudo()[self._isp_sealed[name][0]]
        if not sealed:
            return False
        try:
            return self._isp_vault().open(sealed, self._isp_place(name))
        except vault.VaultError as error:
            raise UserError(_("%(name)s cannot be opened: %(error)s", name=self.display_name, error=error)) from error

    def _isp_log_use(self, name, reason):
        """Note that a person is about to send a secret somewhere. The caller commits before it leaves."""
        for record in self:
            self.env["isp.reveal_log"]._record(record, name, reason)

    def isp_reveal(self, name, reason=None):
        """Return the clear value to a user who may see it, and log that."""
        self.ensure_one()
        if name not in self._isp_sealed:
            raise UserError(_("%s is not an encrypted field.", name))
        self.check_access_rights("read")
        self.check_access_rule("read")
        group = self._isp_sealed[name][1]
        if not self.env.user.has_group(group):
            raise AccessError(_("You may not see this value. Ask a manager for the group %s.", self.env.ref(group).display_name))
        value = self._isp_open(name)
        self.env["isp.reveal_log"]._record(self, name, reason)
        return value

    def action_isp_reveal(self):
        """Show the field named in the context to the user; the value is not stored anywhere."""
        name = self.env.context.get("isp_field")
        value = self.isp_reveal(name)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self._fields[name].get_description(self.env, ["string"])["string"],
                "message": value or _("Not set"),
                "type": "info",
                "sticky": True,
            },
        }
